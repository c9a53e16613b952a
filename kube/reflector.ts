/**
 * Keeps a cache equal to what the API server holds, and never gives up: list, by the stream of the watch itself where the server can,
 * watch from there, resume where the watch ended, list again when it cannot be resumed, wait longer after each failure. From time to time
 * it proves by an exact list that nothing was missed. What to do about a change is the subscribers'.
 */
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { Cache } from './cache.ts';
import type { KubeClient } from './client.ts';
import { type Clock, nextTurn } from './clock.ts';
import { isGone, KubeError } from './errors.ts';
import { IndexedCache, versionOf } from './indexed-cache.ts';
import { ListDemand } from './list-demand.ts';
import { StreamedList, Streaming } from './listing.ts';
import { Lists } from './lists.ts';
import type { Log } from './log.ts';
import { type Metrics, noMetrics } from './metrics.ts';
import { reflectorInstruments } from './reflector-metrics.ts';
import { type Failing, Trouble } from './trouble.ts';
import type { WatchEvent } from './watch.ts';

export interface ReflectorOptions<T extends KubeObject> {
  client: KubeClient;
  resource: Resource;
  /** Only this namespace. */
  namespace?: string | undefined;
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
  indexers?: Record<string, (o: T) => string[]> | undefined;
  /** What is kept of an object; without managed fields when absent. */
  transform?: ((o: T) => T) | undefined;
  clock: Clock;
  log: Log;
  metrics?: Metrics | undefined;
  /** How often an exact list checks that nothing was missed; 10 minutes when absent. */
  relistMs?: number | undefined;
  /** Silence of the watch that counts as death; 90 s when absent. */
  silenceMs?: number | undefined;
  random?: (() => number) | undefined;
}

export interface ReflectorHealth {
  synced: boolean;
  fresh: boolean;
  /** Set while attempts fail. */
  failing?: Failing;
}

export interface Reflector<T extends KubeObject> {
  readonly cache: Cache<T>;
  start(): void;
  /** Ends the watch; the cache keeps what it holds. */
  stop(): Promise<void>;
  health(): ReflectorHealth;
  /**
   * Resolves once the cache holds all that a consistent read made after this call would show: what another process wrote before is in then.
   * Rejects with the signal's reason, or the KubeError of the read.
   */
  catchUp(signal: AbortSignal): Promise<void>;
}

const WATCH_SECONDS = { from: 300, to: 600 };
export const SILENCE_MS = 90_000;
const RELIST_MS = 10 * 60_000;
/** Events after which all else gets its turn: what is buffered is read without a pause otherwise. */
const TURN = 250;
/** So long the watch may take to bring what a consistent read shows; then it is asked. A quiet kind has no news until its next bookmark. */
const NEWS_MS = 300;
/** Of more objects no list is read for that: a watch of a few seconds is opened, which ends with a bookmark two seconds before its time. */
const MOST_LISTED = 2_000;
const SHORT_WATCH_SECONDS = 3;
/** A watch that ends sooner without a word is a failure, or we would spin. */
const SHORTEST_WATCH_MS = 1_000;

/** Nothing happens before `start()`. */
export function createReflector<T extends KubeObject>(o: ReflectorOptions<T>): Reflector<T> {
  return new RunningReflector(o);
}

class RunningReflector<T extends KubeObject> implements Reflector<T> {
  readonly cache: Cache<T>;
  readonly #cache: IndexedCache<T>;
  readonly #o: ReflectorOptions<T>;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #silenceMs: number;
  readonly #stop = new AbortController();
  readonly #metrics;
  #running: Promise<void> | undefined;
  readonly #trouble: Trouble;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #down = true;
  /** resourceVersion to watch from; empty when only a list can tell. */
  #resume = '';
  readonly #streaming: Streaming;
  readonly #demand: ListDemand;
  readonly #lists: Lists<T>;
  /** The next watch is a short one, as the cache is to come up to this. */
  #shortWatchFor: bigint | undefined;
  /** The last watch ended in trouble. */
  #broken = false;

  constructor(o: ReflectorOptions<T>) {
    this.#o = o;
    this.#log = o.log.child({ kind: o.resource.kind });
    this.#random = o.random ?? Math.random;
    this.#silenceMs = o.silenceMs ?? SILENCE_MS;
    this.#metrics = reflectorInstruments(o.metrics ?? noMetrics(), o.resource);
    this.#trouble = new Trouble({ resource: o.resource, clock: o.clock, log: this.#log, random: this.#random });
    this.#streaming = new Streaming(this.#log);
    this.#demand = new ListDemand(() => versionOf(this.#cache.resourceVersion));
    this.#cache = new IndexedCache<T>({
      name: o.resource.plural,
      namespace: o.namespace,
      indexers: o.indexers,
      transform: o.transform,
      clock: o.clock,
      log: this.#log,
      fresh: () => !this.#down && o.clock.monotonicMs() - this.#heardAtMs <= this.#silenceMs,
    });
    this.cache = this.#cache;
    this.#lists = new Lists<T>({
      ...o,
      relistMs: o.relistMs ?? RELIST_MS,
      cache: this.#cache,
      demand: this.#demand,
      streaming: this.#streaming,
      metrics: this.#metrics,
      log: this.#log,
      signal: this.#stop.signal,
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  health(): ReflectorHealth {
    return {
      synced: this.#cache.synced,
      fresh: this.#cache.fresh(),
      ...(this.#trouble.failing ? { failing: this.#trouble.failing } : {}),
    };
  }

  async catchUp(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, clock } = this.#o;
    const before = versionOf(this.#cache.resourceVersion);
    const { metadata } = await client.list<T>(resource, { namespace, limit: 1, signal });
    const now = metadata.resourceVersion ?? '';
    // Time cannot run backwards: etcd was put back, and what is held is of another past.
    if (versionOf(now) < before) return this.#demand.anew(signal);
    const cancel = clock.after(NEWS_MS, () => {
      if (this.#cache.size <= MOST_LISTED || !this.#cache.synced) return this.#demand.reach(versionOf(now));
      this.#shortWatchFor = versionOf(now);
      this.#demand.interrupt();
    });
    try {
      await this.#cache.reached(now, signal);
    } finally {
      cancel();
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#demand.take()) this.#resume = '';
        if (this.#broken && this.#resume !== '') await this.#checkGround();
        this.#broken = false;
        if (this.#resume !== '' && this.#lists.checkDueMs() <= 0) this.#resume = await this.#lists.check(this.#resume);
        if (this.#resume === '' && !this.#streaming.isTried) this.#resume = await this.#lists.take();
        if (!this.#demand.isDue) await this.#watch();
      } catch (error) {
        if (signal.aborted) break;
        this.#broken = true;
        if (isGone(error)) {
          this.#log.info({ resourceVersion: this.#resume }, 'too old to resume from; listing again');
          this.#resume = '';
          this.#down = true;
          this.#metrics.failed('Gone');
          // Not a fault: the server keeps only the last minutes. But one that says so again and again must not be hammered.
          if (this.#trouble.isFirst()) continue;
        }
        await this.#pause(error);
      }
    }
    this.#down = true;
  }

  /**
   * After trouble: whether etcd is still where we left it. One that was put back to a snapshot takes a watch from a version that is yet to
   * come without a word, and sends nothing until it gets there.
   */
  async #checkGround(): Promise<void> {
    const { client, resource, namespace } = this.#o;
    const { metadata } = await client.list<T>(resource, { namespace, limit: 1, signal: this.#stop.signal });
    if (versionOf(metadata.resourceVersion) < versionOf(this.#resume)) this.#resume = '';
  }

  /** Watches from where the cache is; from nothing, with a list as its beginning. */
  async #watch(): Promise<void> {
    const { clock, resource } = this.#o;
    const opened = clock.monotonicMs();
    let list = this.#resume === '' ? new StreamedList<T>(resource, (item) => this.#cache.prepare(item)) : undefined;
    let accepted = false;
    const interrupt = this.#demand.watchBegins();
    const shortFor = list ? undefined : this.#shortWatchFor;
    this.#shortWatchFor = undefined;
    if (list) this.#demand.listBegins();
    let heard = 0;
    let cancelSettled = () => {};
    let cancelCheck = this.#interruptForCheck(list !== undefined);
    try {
      const events = this.#open(interrupt, list !== undefined, shortFor !== undefined, () => {
        accepted = true;
        this.#metrics.watching();
        if (list) return;
        this.#hear();
        // A quiet kind may have nothing to say for a minute: a watch that stays open is word enough.
        cancelSettled = clock.after(SHORTEST_WATCH_MS, () => this.#recovered());
      });
      for await (const event of events) {
        heard++;
        const complete = list?.take(event);
        if (complete) {
          this.#resume = await this.#lists.believe(complete);
          list = undefined;
          this.#demand.listEnds();
          cancelCheck = this.#interruptForCheck(false);
        }
        if (list) {
          if (heard % TURN === 0) await nextTurn();
          continue;
        }
        this.#hear();
        this.#recovered();
        if (!complete) this.#take(event);
        if (heard % TURN === 0) await nextTurn();
      }
      if (this.#stop.signal.aborted || interrupt.aborted) return;
      if (list) throw new Error(`the streamed list of ${resource.plural} broke off after ${list.size} objects`);
    } catch (error) {
      if (list && !this.#stop.signal.aborted) this.#streaming.broke(error, accepted);
      // Pages can tell at once: a server that does not stream is no fault.
      if (list && this.#streaming.isRefused) return;
      throw error;
    } finally {
      cancelSettled();
      cancelCheck();
      if (shortFor !== undefined) this.#demand.reach(shortFor);
      if (list) this.#demand.listFailed();
    }
    if (heard === 0 && clock.monotonicMs() - opened < SHORTEST_WATCH_MS) {
      throw new Error('the watch ended at once, without a word');
    }
    this.#recovered();
  }

  /** Ends the watch when the check is due, long as it may last. Returns how to leave it be. */
  #interruptForCheck(isListing: boolean): () => void {
    return isListing ? () => {} : this.#o.clock.after(this.#lists.checkDueMs(), () => this.#demand.interrupt());
  }

  #open(interrupt: AbortSignal, withList: boolean, isShort: boolean, onOpen: () => void): AsyncIterable<WatchEvent<T>> {
    const { client, resource, namespace, fieldSelector, labelSelector } = this.#o;
    const seconds = WATCH_SECONDS.from + (WATCH_SECONDS.to - WATCH_SECONDS.from) * this.#random();
    return client.watch<T>(
      resource,
      {
        namespace,
        fieldSelector,
        labelSelector,
        resourceVersion: this.#resume,
        ...(withList && { sendInitialEvents: true }),
        timeoutSeconds: isShort ? SHORT_WATCH_SECONDS : Math.round(seconds),
        silenceMs: this.#silenceMs,
        onOpen,
      },
      AbortSignal.any([this.#stop.signal, interrupt]),
    );
  }

  #take({ type, object }: WatchEvent<T>): void {
    const version = object.metadata.resourceVersion ?? '';
    if (type === 'BOOKMARK') {
      if (versionOf(version) < versionOf(this.#resume)) {
        this.#resume = '';
        throw new Error(`a bookmark at ${version} lies before ${this.#cache.resourceVersion}, which was seen already`);
      }
      this.#cache.advanceTo(version);
    } else {
      this.#cache.applyEvent(type, object);
    }
    this.#resume = version;
    this.#metrics.seen(this.#cache.size, version);
  }

  #hear(): void {
    this.#heardAtMs = this.#o.clock.monotonicMs();
    this.#down = false;
  }

  #recovered(): void {
    this.#trouble.recovered();
    this.#metrics.failing(false);
  }

  async #pause(error: unknown): Promise<void> {
    this.#down = true;
    this.#metrics.failed(error instanceof KubeError ? error.reason : 'Other');
    this.#metrics.failing(true);
    await this.#o.clock.sleep(this.#trouble.waitMs(error), this.#stop.signal).catch(() => {});
  }
}

/**
 * Keys that want work, in lanes: what a person waits for goes first. A key is queued once, worked on by one worker at a time, and again when
 * it was added meanwhile; failures come back with growing delays. What the work is, is the reconciler's.
 */
import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { KubeError, messageOf, TerminalError } from './errors.ts';
import { higherOf, isHigher, LANES, type Lane, NONE_PASSED_OVER, nextLane, PRIORITY } from './lanes.ts';
import type { Log } from './log.ts';
import { type Metrics, noMetrics } from './metrics.ts';
import { queueInstruments, watchWork } from './queue-metrics.ts';
import { Rounds } from './rounds.ts';
import { createSeldom } from './seldom.ts';

export interface ReconcileResult {
  requeueAfterMs?: number | undefined;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that has nothing to say ends without a return.
type Outcome = ReconcileResult | void;

export interface WorkQueueOptions {
  name: string;
  clock: Clock;
  log: Log;
  /** How many keys at once; two more when a person waits for them. */
  workers: number;
  /** After this the signal of a reconcile aborts, and it counts as failed. */
  deadlineMs: number;
  /**
   * Does the work of a key. A throw means again, later; {@link TerminalError}: not before the key is added anew. `requeueAfterMs` is a delayed add.
   */
  reconcile(key: string, signal: AbortSignal, lane: Lane): Promise<Outcome>;
  /** Keys with the same path take turns with those of others, level by level, within their lane (all paths have one length); without it they go in the order of their adds. */
  flowOf?: ((key: string) => readonly string[]) | undefined;
  baseDelayMs?: number | undefined;
  maxDelayMs?: number | undefined;
  metrics?: Metrics | undefined;
  random?: (() => number) | undefined;
}

export interface WorkQueue {
  /** Queues the key now, in the lane of news when none is named; a key in work comes again after it. A key that is queued already only ever moves up. */
  add(key: string, lane?: Lane): void;
  /** Queues it later, as routine when no lane is named; of several delayed adds of a key the earliest holds, in the highest of their lanes. */
  addAfter(key: string, ms: number, lane?: Lane): void;
  start(): void;
  /** Takes up no more; resolves when the work in hand is done or past its deadline. */
  stop(): Promise<void>;
  /** Keys queued, without those in work or delayed. */
  depth(): number;
  /** Resolves when nothing is queued or in work; delayed keys do not count. */
  idle(): Promise<void>;
}

const BASE_DELAY_MS = 50;
const MAX_DELAY_MS = 60_000;
/** Workers beyond the others that only take what a person waits for. */
const RESERVED_WORKERS = 2;

/** Keys may be added before `start()`. */
export function createWorkQueue(o: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(o);
}

class KeyedQueue implements WorkQueue {
  readonly #o: WorkQueueOptions;
  readonly #m;
  readonly #seldom;
  /** By lane; since when. */
  readonly #ready: Record<Lane, Map<string, number>> = { human: new Map(), news: new Map(), routine: new Map() };
  /** By lane, whose turn it is. May hold keys that have moved up since. */
  readonly #turns: Record<Lane, Rounds<string>> = { human: new Rounds(), news: new Rounds(), routine: new Rounds() };
  #passed = NONE_PASSED_OVER;
  readonly #working = new Map<string, { dirty: Lane | undefined; beganMs: number }>();
  readonly #delayed = new Map<string, { dueMs: number; lane: Lane; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  /** Workers that wait for a reconcile; those past their deadline do not. */
  #busy = 0;
  /** Reconciles that ignored their signal and still run. */
  #stuck = 0;
  #running = false;
  #stopped = false;
  #idlers: (() => void)[] = [];

  constructor(o: WorkQueueOptions) {
    this.#o = o;
    this.#seldom = createSeldom(o.clock);
    const metrics = o.metrics ?? noMetrics();
    this.#m = queueInstruments(metrics);
    watchWork(metrics, o.name, {
      nowMs: () => o.clock.monotonicMs(),
      beganMs: () => Array.from(this.#working.values(), ({ beganMs }) => beganMs),
    });
    this.#m.workers.set({ controller: o.name }, o.workers);
  }

  add(key: string, lane: Lane = 'news'): void {
    if (this.#stopped) return;
    const working = this.#working.get(key);
    if (working) {
      if (working.dirty === undefined) this.#m.adds.inc({ name: this.#o.name });
      working.dirty = working.dirty === undefined ? lane : higherOf(working.dirty, lane);
      return;
    }
    const queuedIn = LANES.find((other) => this.#ready[other].has(key));
    if (queuedIn === undefined) this.#m.adds.inc({ name: this.#o.name });
    else if (!isHigher(lane, queuedIn)) return;
    this.#queue(key, lane, queuedIn);
    this.#pump();
  }

  #queue(key: string, lane: Lane, from?: Lane): void {
    const since = (from && this.#ready[from].get(key)) ?? this.#o.clock.monotonicMs();
    if (from) this.#ready[from].delete(key);
    this.#ready[lane].set(key, since);
    this.#turns[lane].add(this.#o.flowOf?.(key) ?? [], key);
  }

  addAfter(key: string, ms: number, lane: Lane = 'routine'): void {
    if (this.#stopped) return;
    if (!(ms > 0)) {
      this.add(key, lane);
      return;
    }
    const { clock } = this.#o;
    const there = this.#delayed.get(key);
    const highest = there ? higherOf(there.lane, lane) : lane;
    const dueMs = clock.monotonicMs() + ms;
    if (there && there.dueMs <= dueMs) {
      there.lane = highest;
      return;
    }
    there?.cancel();
    const entry = { dueMs, lane: highest, cancel: () => {} };
    entry.cancel = clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key, entry.lane);
    });
    this.#delayed.set(key, entry);
  }

  start(): void {
    this.#running = true;
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const lane of LANES) {
      this.#ready[lane].clear();
      this.#turns[lane].clear();
    }
    this.#depth();
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    for (const working of this.#working.values()) working.dirty = undefined;
    await this.idle();
  }

  depth(): number {
    return LANES.reduce((sum, lane) => sum + this.#ready[lane].size, 0);
  }

  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idlers.push(resolve));
  }

  #isIdle(): boolean {
    return this.#busy === 0 && this.depth() === 0 && (this.#stopped || this.#working.size === 0);
  }

  #depth(): void {
    for (const lane of LANES) {
      this.#m.depth.set({ name: this.#o.name, priority: PRIORITY[lane] }, this.#ready[lane].size);
    }
  }

  #pump(): void {
    while (this.#running && !this.#stopped) {
      const next = this.#next();
      if (next === undefined) break;
      this.#work(next.key, next.lane);
    }
    this.#depth();
    this.#m.active.set({ controller: this.#o.name }, this.#busy);
    if (this.#isIdle()) for (const resolve of this.#idlers.splice(0)) resolve();
  }

  /** The key whose turn it is, taken out; undefined when there is none, or no worker for it. */
  #next(): { key: string; lane: Lane } | undefined {
    const { workers, name, clock } = this.#o;
    const isFull = this.#busy >= workers;
    if (isFull && (this.#ready.human.size === 0 || this.#busy >= workers + RESERVED_WORKERS)) return undefined;
    const turn = nextLane((lane) => this.#ready[lane].size > 0 && (!isFull || lane === 'human'), this.#passed);
    if (turn === undefined) return undefined;
    const ready = this.#ready[turn.lane];
    let key = this.#turns[turn.lane].take();
    while (key !== undefined && !ready.has(key)) key = this.#turns[turn.lane].take();
    if (key === undefined) return undefined;
    const since = ready.get(key) ?? clock.monotonicMs();
    // Nobody is passed over by a worker that is not there for him.
    if (!isFull) this.#passed = turn.passed;
    this.#ready[turn.lane].delete(key);
    this.#m.waited.observe({ name, priority: PRIORITY[turn.lane] }, (clock.monotonicMs() - since) / 1000);
    return { key, lane: turn.lane };
  }

  #work(key: string, lane: Lane): void {
    const { clock, name, deadlineMs, log, reconcile } = this.#o;
    const started = clock.monotonicMs();
    const state: { dirty: Lane | undefined; beganMs: number } = { dirty: undefined, beganMs: started };
    this.#working.set(key, state);
    this.#busy++;
    const stop = new AbortController();
    let overdue = false;
    let holdsWorker = true;
    const release = () => {
      if (!holdsWorker) return;
      holdsWorker = false;
      this.#busy--;
    };
    const cancel = clock.after(deadlineMs, () => {
      overdue = true;
      this.#m.timeouts.inc({ controller: name });
      log.error({ queue: name, key, deadlineMs }, 'a reconcile is past its deadline and was told to stop');
      stop.abort(new Error(`past its deadline of ${deadlineMs} ms`));
      // Those that heed the signal end within a turn of the event loop. For one that does not, another worker takes the other keys, but
      // not without bound: its own key stays locked until it ends.
      clock.after(0, () => {
        if (!holdsWorker || this.#stuck >= this.#o.workers) {
          if (this.#stopped) release();
          this.#pump();
          return;
        }
        this.#stuck++;
        release();
        settle.stuck = true;
        this.#pump();
      });
    });
    const settle = { stuck: false };
    const done = (result: ReconcileResult | undefined, error: unknown, failed: boolean) => {
      cancel();
      if (settle.stuck) this.#stuck--;
      release();
      this.#working.delete(key);
      const seconds = (clock.monotonicMs() - started) / 1000;
      this.#m.seconds.observe({ controller: name }, seconds);
      this.#m.worked.observe({ name }, seconds);
      if (this.#stopped) return this.#pump();
      if (failed || overdue) this.#failed(key, lane, error ?? new Error('past its deadline'));
      else this.#succeeded(key, result?.requeueAfterMs);
      if (state.dirty) this.#queue(key, state.dirty);
      this.#pump();
    };
    let running: Promise<Outcome>;
    try {
      running = reconcile(key, stop.signal, lane);
    } catch (error) {
      running = Promise.reject(error);
    }
    Promise.resolve(running).then(
      (result) => done(result || undefined, undefined, false),
      (error: unknown) => done(undefined, error, true),
    );
  }

  #succeeded(key: string, requeueAfterMs: number | undefined): void {
    this.#failures.delete(key);
    const again = requeueAfterMs !== undefined && Number.isFinite(requeueAfterMs);
    this.#m.total.inc({ controller: this.#o.name, result: again ? 'requeue_after' : 'success' });
    if (again) this.addAfter(key, requeueAfterMs);
  }

  /** Comes back in the lane that it was worked on in: whoever waits, waits on. */
  #failed(key: string, lane: Lane, error: unknown): void {
    const { name, log } = this.#o;
    this.#m.total.inc({ controller: name, result: 'error' });
    this.#m.errors.inc({ controller: name });
    if (error instanceof TerminalError) {
      this.#failures.delete(key);
      this.#m.terminal.inc({ controller: name });
      log.warn({ queue: name, key, err: error }, `not tried again until it changes: ${error.message}`);
      return;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const wait = Math.max(
      backoffMs(failures, {
        baseMs: this.#o.baseDelayMs ?? BASE_DELAY_MS,
        maxMs: this.#o.maxDelayMs ?? MAX_DELAY_MS,
        ...(this.#o.random ? { random: this.#o.random } : {}),
      }),
      error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0,
    );
    this.#m.retries.inc({ name });
    // A conflict is everyday life: someone else wrote in between.
    const level = error instanceof KubeError && error.status === 409 ? 'debug' : 'warn';
    const reason = error instanceof KubeError ? `${error.status} ${error.reason}` : messageOf(error);
    const word = this.#seldom.say(reason);
    const rest = word?.unsaid ? { unsaid: word.unsaid } : {};
    const fields = { queue: name, key, err: error, failures, waitMs: Math.round(wait), ...rest };
    if (word) log[level](fields, `failed: ${messageOf(error)}`);
    this.addAfter(key, wait, lane);
  }
}

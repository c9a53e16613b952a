/**
 * What we write is seen by our next decision. A client that hands each answer to the cache of its kind, and that knows of the writes whose
 * answer never came: before anything is decided on a kind, {@link OwnWrites.settled} looks whether they were stored. What others write is the
 * watch's business; that a decision on an old view harms nothing is that of resourceVersions and of names that follow from what is made.
 */
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { Cache } from './cache.ts';
import type { Deleted, KubeClient } from './client.ts';
import { isNotFound, KubeError } from './errors.ts';
import type { Log } from './log.ts';
import { counter, gauge, type Metrics, noMetrics } from './metrics.ts';
import { keyOf, type ObjectKey, splitKey } from './paths.ts';

export interface TrackedKind {
  resource: Resource;
  cache: Pick<Cache, 'get' | 'observe' | 'forget'>;
  /** As {@link Reflector.catchUp}: for when too much is unsure to be asked for one by one. */
  catchUp(signal: AbortSignal): Promise<void>;
}

export interface OwnWrites {
  /** The client to write with: the same, but that it keeps book. */
  client: KubeClient;
  /**
   * Resolves once the caches of these kinds show every write of ours that was stored so far: at once, unless the fate of one is unknown.
   * Rejects with the signal's reason or with a KubeError when that cannot be found out now.
   */
  settled(kinds: readonly Resource[], signal: AbortSignal): Promise<void>;
}

/** Writes of unknown fate that are asked for one by one; past it a list tells more cheaply. */
const MOST_UNSURE = 200;
const IN_FLIGHT = 8;
const READ_TIMEOUT_MS = 5_000;

export function trackOwnWrites(o: {
  client: KubeClient;
  kinds: TrackedKind[];
  log: Log;
  /** Aborts when nothing is decided any more. */
  stop: AbortSignal;
  metrics?: Metrics | undefined;
}): OwnWrites {
  return new Ledger(o);
}

interface Book extends TrackedKind {
  /** Keys of objects whose last write may or may not have been stored. */
  unsure: Set<string>;
  /** There were too many: only a list can tell. */
  isLost: boolean;
  /** One look for all who wait; whoever comes meanwhile may have written after it began, and looks again. */
  looking?: Promise<void> | undefined;
}

class Ledger implements OwnWrites {
  readonly client: KubeClient;
  readonly #plain: KubeClient;
  readonly #books: Book[];
  readonly #log: Log;
  readonly #m;
  readonly #stop: AbortSignal;

  constructor({ client, kinds, log, stop, metrics = noMetrics() }: Parameters<typeof trackOwnWrites>[0]) {
    this.#stop = stop;
    this.#plain = client;
    this.#books = kinds.map((kind) => ({ ...kind, unsure: new Set<string>(), isLost: false }));
    this.#log = log;
    this.#m = {
      unsure: counter(metrics, {
        name: 'funnelai_writes_unsure_total',
        help: 'Writes that may have been stored though no answer came, looked for before the next decision.',
        labelNames: ['kind'],
      }),
      open: gauge(metrics, {
        name: 'funnelai_writes_unsure',
        help: 'Writes whose fate is not known yet; decisions on their kind wait for them.',
        labelNames: ['kind'],
      }),
    };
    this.client = this.#tracking(client);
  }

  async settled(kinds: readonly Resource[], signal: AbortSignal): Promise<void> {
    const books = this.#books.filter(({ resource }) => kinds.some((kind) => isSame(kind, resource)));
    for (let book = books.find(isOpen); book !== undefined; book = books.find(isOpen)) {
      const open = book;
      signal.throwIfAborted();
      open.looking ??= this.#look(open).finally(() => {
        open.looking = undefined;
      });
      await orAborted(open.looking, signal);
    }
  }

  async #look(book: Book): Promise<void> {
    if (book.isLost) {
      book.isLost = false;
      try {
        await book.catchUp(this.#stop);
      } catch (error) {
        book.isLost = true;
        throw error;
      }
    }
    const keys = [...book.unsure];
    for (let at = 0; at < keys.length; at += IN_FLIGHT) {
      await Promise.all(keys.slice(at, at + IN_FLIGHT).map((key) => this.#find(book, key)));
    }
    this.#m.open.set({ kind: book.resource.kind }, book.unsure.size);
  }

  /** Reads with quorum, so it shows every write that was stored before. */
  async #find({ resource, cache, unsure }: Book, key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const before = cache.get(namespace, name)?.metadata.uid;
    unsure.delete(key);
    try {
      const at = resource.namespaced ? { namespace, name } : { name };
      cache.observe(await this.#plain.get(resource, at, { timeoutMs: READ_TIMEOUT_MS }));
    } catch (error) {
      // What was held before we asked is gone; what has come under its name since is another.
      if (isNotFound(error)) {
        if (before !== undefined) cache.forget(before);
        return;
      }
      if (error instanceof KubeError && !error.transient) {
        this.#log.warn({ err: error, kind: resource.kind, object: key }, 'whether a write was stored cannot be read');
        return;
      }
      unsure.add(key);
      throw error;
    }
  }

  #bookOf(r: Resource): Book | undefined {
    return this.#books.find(({ resource }) => isSame(resource, r));
  }

  #doubt(book: Book, key: string): void {
    this.#m.unsure.inc({ kind: book.resource.kind });
    if (book.unsure.size < MOST_UNSURE) book.unsure.add(key);
    else {
      book.unsure.clear();
      book.isLost = true;
    }
    this.#m.open.set({ kind: book.resource.kind }, book.isLost ? MOST_UNSURE : book.unsure.size);
  }

  async #written<T extends KubeObject>(r: Resource, key: ObjectKey, dryRun: boolean | undefined, write: Promise<T>) {
    const book = dryRun ? undefined : this.#bookOf(r);
    try {
      const answer = await write;
      book?.cache.observe(answer);
      return answer;
    } catch (error) {
      if (book && error instanceof KubeError && error.perhapsStored) this.#doubt(book, keyOf({ metadata: key }));
      throw error;
    }
  }

  async #deleted(r: Resource, key: ObjectKey, write: Promise<Deleted>): Promise<Deleted> {
    const book = this.#bookOf(r);
    try {
      const answer = await write;
      if (answer.gone !== undefined) book?.cache.forget(answer.gone);
      if (answer.waiting) book?.cache.observe(answer.waiting);
      return answer;
    } catch (error) {
      if (book && error instanceof KubeError && error.perhapsStored) this.#doubt(book, keyOf({ metadata: key }));
      throw error;
    }
  }

  #tracking(client: KubeClient): KubeClient {
    return {
      server: client.server,
      get: (r, key, o) => client.get(r, key, o),
      list: (r, o) => client.list(r, o),
      raw: (o) => client.raw(o),
      watch: (r, o, signal) => client.watch(r, o, signal),
      withToken: (token) => client.withToken(token),
      close: () => client.close(),
      create: (r, object, o) => this.#written(r, object.metadata, o?.dryRun, client.create(r, object, o)),
      replace: (r, object, o) => this.#written(r, object.metadata, o?.dryRun, client.replace(r, object, o)),
      apply: (r, object, o) => this.#written(r, object.metadata, o.dryRun, client.apply(r, object, o)),
      mergePatch: (r, key, patch, o) => this.#written(r, key, o?.dryRun, client.mergePatch(r, key, patch, o)),
      jsonPatch: (r, key, ops, o) => this.#written(r, key, o?.dryRun, client.jsonPatch(r, key, ops, o)),
      delete: (r, key, o) => this.#deleted(r, key, client.delete(r, key, o)),
    };
  }
}

const isOpen = ({ unsure, isLost }: Book): boolean => unsure.size > 0 || isLost;
const isSame = (a: Resource, b: Resource): boolean => a.plural === b.plural && a.group === b.group;

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

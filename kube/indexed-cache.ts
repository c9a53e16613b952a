/**
 * The objects of one kind as last seen, indexed. Decides what a list, a watch event or an own write means for what is held, and
 * tells subscribers of each change once. Feeding it is the reflector's work.
 *
 * Identity is the uid: another uid under the same name is a deletion and a birth. resourceVersions are compared as integers, which the
 * API server promises within one resource type (KEP-5504).
 */
import type { KubeObject } from '@funnelai/crds/meta';
import type { Cache, CacheEvent } from './cache.ts';
import { type Clock, nextTurn } from './clock.ts';
import { messageOf } from './errors.ts';
import { Indexes } from './indexes.ts';
import type { Log } from './log.ts';

export interface CacheOptions<T extends KubeObject> {
  name: string;
  namespace?: string | undefined;
  indexers?: Record<string, (o: T) => string[]> | undefined;
  transform?: ((o: T) => T) | undefined;
  clock: Clock;
  log: Log;
  fresh(): boolean;
}

/** How an authoritative list differed from what was held. */
export interface Difference {
  changes: number;
  /** Changes that the watch should have brought before the list was taken, and did not. */
  missed: number;
}

/** Objects of a list that are taken in before all else gets its turn. */
const CHUNK = 250;
/** Own deletions that the watch has not told of yet; past it, the watch alone tells. */
const MOST_FORGOTTEN = 10_000;

/** The default transform: managed fields are half of a small object, and nothing here reads them. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export const versionOf = (rv: string | undefined): bigint => (rv && /^\d+$/.test(rv) ? BigInt(rv) : 0n);
const uidOf = (o: KubeObject): string => o.metadata.uid ?? '';
const isSameVersion = (a: KubeObject, b: KubeObject): boolean =>
  uidOf(a) === uidOf(b) && a.metadata.resourceVersion === b.metadata.resourceVersion;

export class IndexedCache<T extends KubeObject> implements Cache<T> {
  readonly #o: CacheOptions<T>;
  readonly #byKey = new Map<string, T>();
  readonly #byUid = new Map<string, T>();
  readonly #indexes: Indexes<T>;
  readonly #subscribers = new Set<(e: CacheEvent<T>) => unknown>();
  /** uids of own deletions of which the watch has not told yet. */
  readonly #forgotten = new Set<string>();
  #waiting: (() => void)[] = [];
  #reaching: { version: bigint; resolve: () => void }[] = [];
  #version = 0n;
  /** Own writes up to this one are old news: ahead of #version while a list is taken in. */
  #floor = 0n;
  #synced = false;

  constructor(o: CacheOptions<T>) {
    this.#o = o;
    this.#indexes = new Indexes(o.indexers ?? {}, (err, index, object) =>
      o.log.error({ err, index, object: keyOfObject(object) }, 'an indexer threw; the object is not in it'),
    );
  }

  get(namespace: string, name: string): T | undefined {
    return this.#byKey.get(cacheKey(namespace, name));
  }
  byUid(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }
  list(): Iterable<T> {
    return this.#byKey.values();
  }
  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.find(index, value);
    if (!found) throw new RangeError(`${this.#o.name}: no index ${index}; there are: ${this.#indexes.names()}`);
    return found;
  }
  countOf(index: string, value: string): number {
    const found = this.#indexes.count(index, value);
    if (found === undefined)
      throw new RangeError(`${this.#o.name}: no index ${index}; there are: ${this.#indexes.names()}`);
    return found;
  }
  get size(): number {
    return this.#byKey.size;
  }
  get synced(): boolean {
    return this.#synced;
  }
  get resourceVersion(): string {
    return this.#version === 0n ? '' : String(this.#version);
  }
  fresh(): boolean {
    return this.#synced && this.#o.fresh();
  }

  observe(object: T): void {
    if (!this.#synced) return;
    if (this.#o.namespace !== undefined && object.metadata.namespace !== this.#o.namespace) return;
    // Everything up to #floor is in: if this state is not, something newer took its place, be it a deletion. So no memory of the
    // deleted is needed to keep them dead.
    if (versionOf(object.metadata.resourceVersion) <= this.#floor) return;
    this.#put(this.#transformed(object), false);
  }

  forget(uid: string): void {
    if (!this.#synced || this.#forgotten.size >= MOST_FORGOTTEN) return;
    this.#forgotten.add(uid);
    const held = this.#byUid.get(uid);
    if (held) this.#remove(keyOfObject(held), held, false);
  }

  subscribe(fn: (e: CacheEvent<T>) => unknown, o: { replay?: boolean } = {}): () => void {
    const own = (e: CacheEvent<T>) => fn(e);
    this.#subscribers.add(own);
    if (o.replay)
      for (const object of [...this.#byKey.values()]) this.#tell(own, { type: 'added', object, initial: true });
    return () => this.#subscribers.delete(own);
  }

  waitForSync(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  /** Resolves once all changes up to this version are in; rejects with the signal's reason. */
  reached(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const version = versionOf(resourceVersion);
    if (this.#synced && version <= this.#version) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#reaching = this.#reaching.filter((other) => other !== entry);
        reject(signal.reason);
      };
      const entry = {
        version,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#reaching.push(entry);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #tellReached(): void {
    if (this.#reaching.length === 0 || !this.#synced) return;
    const done = this.#reaching.filter(({ version }) => version <= this.#version);
    this.#reaching = this.#reaching.filter(({ version }) => version > this.#version);
    for (const { resolve } of done) resolve();
  }

  /** A watch event other than a bookmark. */
  applyEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    this.#advance(object.metadata.resourceVersion);
    if (type === 'DELETED') this.#removeSeen(object);
    else this.#put(this.#transformed(object), false);
    this.#tellReached();
  }

  /** All up to this version is in. */
  advanceTo(resourceVersion: string | undefined): void {
    this.#advance(resourceVersion);
    this.#tellReached();
  }

  #advance(resourceVersion: string | undefined): void {
    const version = versionOf(resourceVersion);
    if (version > this.#version) this.#version = version;
    if (version > this.#floor) this.#floor = version;
  }

  /**
   * An item of a list in the form in which it would be held, the held object itself when that is the same. Lists are long: what is only on
   * its way into the cache should be small before the next page comes.
   */
  prepare(item: T): T {
    const held = this.#byKey.get(keyOfObject(item));
    return held && isSameVersion(held, item) ? held : this.#transformed(item);
  }

  /**
   * A complete list, each item {@link prepare}d, taken at `resourceVersion`. What it lacks is deleted, unless it was observed since. `trusted` says that the list wins over
   * whatever is held: versions went backwards (etcd was restored), so they cannot be compared.
   */
  replace(items: T[], resourceVersion: string, o: { trusted?: boolean } = {}): Difference {
    const steps = this.#replacing(items, resourceVersion, o);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** The same, but all else gets its turn in between. Nothing else may feed the cache meanwhile, {@link observe} and {@link forget} aside. */
  async replaceInTurns(items: T[], resourceVersion: string, o: { trusted?: boolean } = {}): Promise<Difference> {
    const steps = this.#replacing(items, resourceVersion, o);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await nextTurn();
    }
  }

  *#replacing(items: T[], resourceVersion: string, o: { trusted?: boolean }): Generator<void, Difference> {
    const before = this.#version;
    const listed = versionOf(resourceVersion);
    const initial = !this.#synced;
    const comparable = !initial && !o.trusted;
    const difference: Difference = { changes: 0, missed: 0 };
    const keys = new Set<string>();
    const stillThere = new Set<string>();
    let done = 0;
    // Before anyone is told: a subscriber that hands in an older state must not be heard.
    if (o.trusted || listed > this.#floor) this.#floor = listed;
    for (const item of items) {
      keys.add(keyOfObject(item));
      if (this.#forgotten.has(uidOf(item))) stillThere.add(uidOf(item));
      // A list that is as new as what is held is right where they differ: etcd may have been put back to a snapshot with its revision raised.
      const held = this.#byKey.get(keyOfObject(item));
      const wins = o.trusted || (held !== undefined && versionOf(held.metadata.resourceVersion) <= listed);
      if (this.#put(item, initial, wins)) {
        difference.changes++;
        if (comparable && versionOf(item.metadata.resourceVersion) <= before) difference.missed++;
      }
      if (++done % CHUNK === 0) yield;
    }
    for (const [key, held] of [...this.#byKey]) {
      if (++done % CHUNK === 0) yield;
      if (keys.has(key) || this.#byKey.get(key) !== held) continue;
      if (!o.trusted && versionOf(held.metadata.resourceVersion) > listed) continue;
      this.#remove(key, held, initial);
      difference.changes++;
      if (comparable && listed <= before) difference.missed++;
    }
    for (const uid of this.#forgotten) if (!stillThere.has(uid)) this.#forgotten.delete(uid);
    if (o.trusted || listed > this.#version) this.#version = listed;
    if (!this.#synced) {
      this.#synced = true;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    }
    this.#tellReached();
    return difference;
  }

  /** True when it changed what is held. */
  #put(object: T, initial: boolean, trusted = false): boolean {
    if (this.#forgotten.has(uidOf(object))) return false;
    const key = keyOfObject(object);
    const version = versionOf(object.metadata.resourceVersion);
    const held = this.#byKey.get(key);
    if (held && !trusted && version <= versionOf(held.metadata.resourceVersion)) return false;
    if (held && trusted && isSameVersion(held, object)) return false;
    if (held && uidOf(held) !== uidOf(object)) this.#remove(key, held, initial);
    const old = this.#byKey.get(key);
    if (old) this.#indexes.remove(key, old);
    this.#byKey.set(key, object);
    this.#byUid.set(uidOf(object), object);
    this.#indexes.add(key, object);
    this.#emit(old ? { type: 'updated', object, old, initial } : { type: 'added', object, initial });
    return true;
  }

  #transformed(raw: T): T {
    return (this.#o.transform ?? withoutManagedFields)(raw);
  }

  #removeSeen(object: T): void {
    this.#forgotten.delete(uidOf(object));
    const key = keyOfObject(object);
    const held = this.#byKey.get(key);
    if (!held || uidOf(held) !== uidOf(object)) return;
    // The event's object is the last state; what is held may be older.
    this.#remove(key, held, false, this.#transformed(object));
  }

  #remove(key: string, held: T, initial: boolean, last: T = held): void {
    this.#indexes.remove(key, held);
    this.#byKey.delete(key);
    this.#byUid.delete(uidOf(held));
    this.#emit({ type: 'deleted', object: last, initial });
  }

  #emit(event: CacheEvent<T>): void {
    for (const fn of [...this.#subscribers]) this.#tell(fn, event);
  }

  #tell(fn: (e: CacheEvent<T>) => unknown, event: CacheEvent<T>): void {
    const complain = (error: unknown) =>
      this.#o.log.error(
        { err: error, cache: this.#o.name, object: keyOfObject(event.object) },
        `a subscriber failed: ${messageOf(error)}`,
      );
    try {
      const result = fn(event);
      if (result instanceof Promise) result.catch(complain);
    } catch (error) {
      complain(error);
    }
  }
}

const cacheKey = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;
const keyOfObject = (o: KubeObject): string => cacheKey(o.metadata.namespace, o.metadata.name);

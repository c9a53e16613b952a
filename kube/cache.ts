/** What can be asked of the objects of one kind as last seen, and how changes to them are told. */
import type { KubeObject } from '@funnelai/crds/meta';

export interface CacheEvent<T extends KubeObject = KubeObject> {
  type: 'added' | 'updated' | 'deleted';
  /** For 'deleted': the last state known. */
  object: T;
  /** The state before, of an 'updated'. */
  old?: T;
  /** Part of the first list: it was there before we were. */
  initial: boolean;
}

export interface Cache<T extends KubeObject = KubeObject> {
  get(namespace: string, name: string): T | undefined;
  byUid(uid: string): T | undefined;
  list(): Iterable<T>;
  /** Objects under a value of an index; a fresh array. Throws RangeError for an index that was not declared. */
  byIndex(index: string, value: string): T[];
  /** How many they are, without the array. Throws RangeError likewise. */
  countOf(index: string, value: string): number;
  readonly size: number;
  /** True once the first list is in; stays true. */
  readonly synced: boolean;
  /** All changes up to this one are in. Empty before the first list. */
  readonly resourceVersion: string;
  /** False while the watch is down, or silent for longer than its watchdog allows: what is held may be old. */
  fresh(): boolean;
  /**
   * An own write's answer, taken at once when it is newer than what is held, so that the next decision sees it; the watch confirms it
   * later without a second event. Ignored before the first list, and when the cache has already seen past it.
   */
  observe(object: T): void;
  /**
   * An own deletion that the server has carried out: the object is gone here at once, and news of it that are still on their way do not bring
   * it back.
   */
  forget(uid: string): void;
  /**
   * Calls `fn` for each change, in order. One that throws or rejects is logged and harms nobody else. With `replay` it first gets what is
   * held now, as 'added'.
   */
  subscribe(fn: (e: CacheEvent<T>) => unknown, o?: { replay?: boolean }): () => void;
  /** Resolves when synced; rejects with the signal's reason. */
  waitForSync(signal?: AbortSignal): Promise<void>;
}

/**
 * What the mirror knows of each incident, handed to whoever decides on it: up to which change Postgres has it, and what is in
 * the way. Held in memory only; Postgres is asked again after a start.
 */
export interface BookEntry {
  /** Every change up to this number is in Postgres. Undefined: not known (yet). */
  mirroredSequence?: number;
  /** resourceVersion of the newest object that Postgres took. */
  resourceVersion?: string;
  /** Since when (monotonic ms) the newest object has waited; undefined when it waits no more. */
  waitingSinceMs?: number;
  /** Why Postgres does not take it, when it answered but refused. */
  refused?: string;
}

export interface MirrorBook {
  /** Whether a database is configured at all. */
  readonly enabled: boolean;
  of(uid: string): BookEntry | undefined;
  update(uid: string, facts: BookEntry): void;
  forget(uid: string): void;
  /** Told the uid after each update that changed something. Returns how to leave. */
  subscribe(listener: (uid: string) => void): () => void;
}

export function createMirrorBook(enabled: boolean): MirrorBook {
  const book = new Map<string, BookEntry>();
  const listeners = new Set<(uid: string) => void>();
  return {
    enabled,
    of: (uid) => book.get(uid),
    update(uid, facts) {
      const before = book.get(uid);
      book.set(uid, facts);
      if (
        before?.mirroredSequence !== facts.mirroredSequence ||
        before?.refused !== facts.refused ||
        (before?.waitingSinceMs === undefined) !== (facts.waitingSinceMs === undefined)
      ) {
        for (const listener of listeners) listener(uid);
      }
    },
    forget: (uid) => book.delete(uid),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

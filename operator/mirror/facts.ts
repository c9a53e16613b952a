/**
 * What the mirror knows of each incident, handed to whoever decides on it: up to which change Postgres has it, and what is in
 * the way. Held in memory only; Postgres is asked again after a start.
 */

import type { Incident } from '@funnelai/crds/generated/types';
import type { ChangeConflict } from '@funnelai/domain/renumber';
import type { AlertResult, IncidentResult } from '@funnelai/history/mirror';

export interface BookEntry {
  /** Every change up to this number is in Postgres. Undefined: not known (yet). */
  mirroredSequence?: number;
  /** resourceVersion of the newest object that Postgres took. */
  resourceVersion?: string;
  /** Since when (monotonic ms) the newest object has waited; undefined when it waits no more. */
  waitingSinceMs?: number;
  /** The last number that Postgres has of it. Undefined: not known (yet). */
  storedSequence?: number;
  /** History has another change under one of its numbers: it is to be renumbered. */
  conflict?: ChangeConflict;
  /** Why Postgres does not take it, when it answered but refused. */
  refused?: string;
}

export interface MirrorBook {
  /** Whether a database is configured at all. */
  readonly enabled: boolean;
  of(uid: string): BookEntry | undefined;
  update(uid: string, facts: BookEntry): void;
  forget(uid: string): void;
  /** The cluster was set back: what was known of its objects is of others. */
  reset(): void;
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
        before?.storedSequence !== facts.storedSequence ||
        before?.refused !== facts.refused ||
        (before?.waitingSinceMs === undefined) !== (facts.waitingSinceMs === undefined)
      ) {
        for (const listener of listeners) listener(uid);
      }
    },
    forget: (uid) => book.delete(uid),
    reset: () => book.clear(),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What is known of an incident after a write. */
export function entryAfter(
  before: BookEntry | undefined,
  { metadata }: Incident,
  result: IncidentResult,
  monotonicMs: number,
): BookEntry {
  const trouble = troubleOf(result);
  // A refused row tells nothing of what is there already.
  const { mirroredSequence, storedSequence } = result.refused === undefined ? result : (before ?? {});
  const resourceVersion = trouble === undefined ? metadata.resourceVersion : before?.resourceVersion;
  return {
    ...(mirroredSequence !== undefined && { mirroredSequence }),
    ...(storedSequence !== undefined && { storedSequence }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(result.conflict !== undefined && { conflict: result.conflict }),
    ...(trouble !== undefined && { refused: trouble, waitingSinceMs: before?.waitingSinceMs ?? monotonicMs }),
  };
}

/** What stands between an object and its row, in words; undefined when it is there. */
export function troubleOf(result: AlertResult | IncidentResult): string | undefined {
  if (!('mirroredSequence' in result)) return result.refused?.message;
  if (result.conflict !== undefined)
    return `history has another change under number ${result.conflict.sequence}; from there on they get new numbers`;
  if (result.gap !== undefined)
    return `history lacks changes ${result.gap.expected} to ${result.gap.found}, too many to be believed`;
  return result.refused?.message;
}

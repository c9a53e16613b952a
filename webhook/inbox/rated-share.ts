/**
 * How many rows of sources with a rate are held while they wait for it, in all and of each, and which sources are passed by meanwhile: a
 * storm of one that may drain ten a second must neither take the places of others nor stand before them. Pure bookkeeping.
 */
import type { StoredRow } from '@funnelai/history/inbox';
import type { Pace, SourceRates } from '../intake/source-rates.ts';
import { DRAIN_FIRSTS, DRAIN_RATED, DRAIN_RATED_BYTES, DRAIN_RATED_OF_SOURCE, DRAIN_RATED_SECONDS } from '../limits.ts';

export interface RatedShare {
  /** Takes a row in, or passes it by; for those that are the first of their kind there is more room in all. `unrated`: no rate holds for it, and it is not held here. */
  add(row: StoredRow, bytes: number, isFirst: boolean): 'rated' | 'unrated' | 'passedBy';
  /** Is it held here? */
  has(id: string): boolean;
  /** The row is held no longer. False where it is none of these. */
  release(id: string): boolean;
  /** What lies there is read from the first row again: whoever has room now is passed by no longer. */
  again(): void;
  /** Is there one that is passed by, and has room again? */
  hasRoom(): boolean;
  /** Sources that are not to be read until then, "namespace/name"; `full`: only those of which nothing more can be held now. */
  passedBy(full?: boolean): string[];
  readonly isPassingBy: boolean;
  readonly size: number;
  clear(): void;
}

export function createRatedShare(paceOf: SourceRates['paceOf']): RatedShare {
  /** By id; `source` is whose rate it is. */
  const rows = new Map<string, { source: string; bytes: number }>();
  const held = new Map<string, number>();
  /** By the source of the row, which may be another than the one whose rate it is. */
  const passed = new Map<string, { source: string; share: number }>();
  let bytesHeld = 0;

  const heldOf = (source: string): number => held.get(source) ?? 0;
  const isRoomInAll = (more = 0): boolean => rows.size < DRAIN_RATED + more && bytesHeld < DRAIN_RATED_BYTES;
  const hasRoomAgain = (one: { source: string; share: number }) => isRoomInAll() && heldOf(one.source) < one.share / 2;

  return {
    add(row, bytes, isFirst) {
      const pace = paceOf(row);
      if (pace === undefined) return 'unrated';
      const { source } = pace;
      const share = shareOf(pace);
      if (!isRoomInAll(isFirst ? DRAIN_FIRSTS : 0) || heldOf(source) >= share) {
        passed.set(`${row.namespace}/${row.source}`, { source, share });
        return 'passedBy';
      }
      rows.set(row.id, { source, bytes });
      held.set(source, heldOf(source) + 1);
      bytesHeld += bytes;
      return 'rated';
    },
    has: (id) => rows.has(id),
    release(id) {
      const row = rows.get(id);
      if (row === undefined) return false;
      rows.delete(id);
      bytesHeld -= row.bytes;
      const left = heldOf(row.source) - 1;
      if (left > 0) held.set(row.source, left);
      else held.delete(row.source);
      return true;
    },
    again() {
      for (const [place, one] of passed) if (hasRoomAgain(one)) passed.delete(place);
    },
    hasRoom: () => [...passed.values()].some(hasRoomAgain),
    passedBy: (full = false) =>
      [...passed].filter(([, { source, share }]) => !full || heldOf(source) >= share).map(([place]) => place),
    get isPassingBy() {
      return passed.size > 0;
    },
    get size() {
      return rows.size;
    },
    clear() {
      rows.clear();
      held.clear();
      passed.clear();
      bytesHeld = 0;
    },
  };
}

function shareOf({ rate }: Pace): number {
  const { least, most } = DRAIN_RATED_OF_SOURCE;
  return Math.min(most, Math.max(least, rate.ratePerSecond * DRAIN_RATED_SECONDS));
}

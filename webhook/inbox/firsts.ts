/**
 * Which report is the first of its kind that goes into the inbox, as far as this replica knows: it is marked there, so that whoever drains
 * finds it among thousands of others. Too many marks cost a little, a missing one only its haste. Pure bookkeeping.
 */
import type { Place } from '../intake/fair-queue.ts';
import { INBOX_FIRST_AGAIN_MS, INBOX_FIRSTS_REMEMBERED } from '../limits.ts';

export interface Firsts {
  /** Is it to be marked? Asked once of each report. */
  take(place: Place | undefined, nowMs: number): boolean;
  /** It was not stored: the next one of its kind is the first. */
  giveBack(place: Place | undefined): void;
}

export function createFirsts(limitReached: (limit: 'INBOX_FIRSTS_REMEMBERED') => void): Firsts {
  /** By kind, when one was marked last; the longest ago first. */
  const marked = new Map<string, number>();
  const kindOf = ({ source, name }: Place) => `${source}/${name}`;

  function forgetOld(nowMs: number): void {
    for (const [kind, atMs] of marked) {
      if (nowMs - atMs < INBOX_FIRST_AGAIN_MS) return;
      marked.delete(kind);
    }
  }

  return {
    take(place, nowMs) {
      if (place?.isNew !== true) return false;
      forgetOld(nowMs);
      const kind = kindOf(place);
      if (marked.has(kind)) return false;
      if (marked.size >= INBOX_FIRSTS_REMEMBERED) {
        limitReached('INBOX_FIRSTS_REMEMBERED');
        return false;
      }
      marked.set(kind, nowMs);
      return true;
    },
    giveBack(place) {
      if (place !== undefined) marked.delete(kindOf(place));
    },
  };
}

/** The last few bodies of one source that were refused: the same refusal again is counted and not listed twice. Pure. */
import type { Rejection } from '@funnelai/domain/wire';
import { REJECTIONS_BY_STRANGERS, REJECTIONS_PER_SOURCE } from '../limits.ts';

/** One refusal, or several of the same words. */
export interface HeldRejection extends Rejection {
  /** How many of them Postgres does not have yet. */
  unwritten: number;
}

const keyOf = ({ reason, message }: Pick<Rejection, 'reason' | 'message'>): string => `${reason} ${message}`;

export function sameRefusal(
  list: readonly HeldRejection[],
  refusal: Pick<Rejection, 'reason' | 'message'>,
): HeldRejection | undefined {
  const key = keyOf(refusal);
  return list.find((held) => keyOf(held) === key);
}

/** All of them, those of the same words together, newest first. */
export function mergeRejections<T extends Rejection>(all: readonly T[]): T[] {
  const merged = new Map<string, T>();
  for (const one of all) {
    const held = merged.get(keyOf(one));
    if (held === undefined) merged.set(keyOf(one), one);
    else {
      const [older, newer] = held.lastAt <= one.lastAt ? [held, one] : [one, held];
      const firstAt = older.firstAt <= newer.firstAt ? older.firstAt : newer.firstAt;
      merged.set(keyOf(one), { ...older, ...newer, firstAt, count: held.count + one.count });
    }
  }
  return keep([...merged.values()]);
}

/**
 * The newest few, newest first. Those of senders that had not proven themselves have places of their own: a stranger's noise must not push
 * out what tells the sender's owner why an alert is missing.
 */
export function keep<T extends Rejection>(list: readonly T[]): T[] {
  const sorted = [...list].sort((a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0));
  let known = 0;
  let strangers = 0;
  return sorted.filter(({ isKnown }) => {
    if (isKnown) known += 1;
    else strangers += 1;
    return isKnown ? known <= REJECTIONS_PER_SOURCE : strangers <= REJECTIONS_BY_STRANGERS;
  });
}

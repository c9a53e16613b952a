/** Lists of refusals: the same words once, the newest few, those of strangers apart. Pure. */
import type { Rejection } from '@funnelai/domain/wire-sources';
import { REJECTIONS_BY_STRANGERS, REJECTIONS_PER_SOURCE } from '../limits.ts';

/** What makes two refusals of one source the same. */
export const wordsOf = ({ reason, message }: Pick<Rejection, 'reason' | 'message'>): string => `${reason} ${message}`;

/** All of them, those of the same words together, newest first, and no more than are kept. */
export function mergeRejections(all: readonly Rejection[]): Rejection[] {
  const merged = new Map<string, Rejection>();
  for (const one of all) {
    const held = merged.get(wordsOf(one));
    if (held === undefined) merged.set(wordsOf(one), one);
    else {
      const [older, newer] = held.lastAt <= one.lastAt ? [held, one] : [one, held];
      const firstAt = older.firstAt <= newer.firstAt ? older.firstAt : newer.firstAt;
      merged.set(wordsOf(one), { ...older, ...newer, firstAt, count: held.count + one.count });
    }
  }
  return keep([...merged.values()]);
}

/**
 * The newest few, newest first. Those of senders that had not proven themselves have places of their own: a stranger's noise must not push
 * out what tells the sender's owner why an alert is missing.
 */
export function keep(list: readonly Rejection[]): Rejection[] {
  const sorted = [...list].sort((a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0));
  let known = 0;
  let strangers = 0;
  return sorted.filter(({ isKnown }) => {
    if (isKnown) known += 1;
    else strangers += 1;
    return isKnown ? known <= REJECTIONS_PER_SOURCE : strangers <= REJECTIONS_BY_STRANGERS;
  });
}

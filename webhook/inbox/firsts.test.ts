import { describe, expect, it } from 'vitest';
import type { Place } from '../intake/fair-queue.ts';
import { INBOX_FIRST_AGAIN_MS, INBOX_FIRSTS_REMEMBERED } from '../limits.ts';
import { createFirsts } from './firsts.ts';

const place = (name: string, o: Partial<Place> = {}): Place => ({
  source: 'demo/prom',
  name,
  request: 1,
  severity: 'High',
  isNew: true,
  ...o,
});

describe('of what goes into the inbox', () => {
  it('the first of a kind of which nothing fires is marked, and the next one after a while', () => {
    const firsts = createFirsts(() => {});
    expect(firsts.take(place('A'), 0)).toBe(true);
    expect(firsts.take(place('A'), INBOX_FIRST_AGAIN_MS - 1)).toBe(false);
    expect(firsts.take(place('A', { source: 'demo/other' }), 1)).toBe(true);
    expect(firsts.take(place('B', { isNew: false }), 1)).toBe(false);
    expect(firsts.take(undefined, 1)).toBe(false);
    expect(firsts.take(place('A'), INBOX_FIRST_AGAIN_MS)).toBe(true);
  });

  it('one that was not stored was none', () => {
    const firsts = createFirsts(() => {});
    expect(firsts.take(place('A'), 0)).toBe(true);
    firsts.giveBack(place('A'));
    expect(firsts.take(place('A'), 1)).toBe(true);
  });

  it('so many kinds are remembered; past that none is marked, and that is counted, until the first are forgotten', () => {
    const reached: string[] = [];
    const firsts = createFirsts((limit) => reached.push(limit));
    for (let n = 0; n < INBOX_FIRSTS_REMEMBERED; n += 1) expect(firsts.take(place(`A${n}`), n)).toBe(true);
    expect([firsts.take(place('B'), INBOX_FIRSTS_REMEMBERED), reached]).toEqual([false, ['INBOX_FIRSTS_REMEMBERED']]);
    expect(firsts.take(place('B'), INBOX_FIRST_AGAIN_MS)).toBe(true);
  });
});

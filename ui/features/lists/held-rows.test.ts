import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Held, nextRows, startRows } from './held-rows.ts';

interface Item {
  uid: string;
  note?: string;
}
const items = (...uids: string[]): Item[] => uids.map((uid) => ({ uid }));
const shown = (held: Held<Item>): string[] => held.rows.map((row) => row.item.uid + (row.isGone ? '-' : ''));

describe('rows of a list', () => {
  it('come in the order of the data at first', () => {
    expect(shown(startRows('k', items('b', 'a'), false))).toEqual(['b', 'a']);
  });

  it('are updated in place and never sorted anew', () => {
    const latest: Item[] = [{ uid: 'b' }, { uid: 'a', note: 'worse' }];
    const next = nextRows(startRows('k', items('a', 'b'), false), 'k', latest, false);
    expect(shown(next)).toEqual(['a', 'b']);
    expect(next.rows[0]?.item.note).toBe('worse');
    expect(next.isReordered).toBe(true);
  });

  it('wait while the reader is busy, and say how many', () => {
    const next = nextRows(startRows('k', items('a', 'b'), true), 'k', items('x', 'a', 'y', 'b'), true);
    expect(shown(next)).toEqual(['a', 'b']);
    expect(next.waiting).toBe(2);
  });

  it('come in where they belong when the reader is not', () => {
    const next = nextRows(startRows('k', items('a', 'b'), false), 'k', items('x', 'a', 'y', 'b', 'z'), false);
    expect(shown(next)).toEqual(['x', 'a', 'y', 'b', 'z']);
    expect(next.waiting).toBe(0);
  });

  it('stay, marked, when they left the list under a busy reader, and go when the reader looks away', () => {
    const busy = nextRows(startRows('k', items('a', 'b', 'c'), true), 'k', items('a', 'c'), true);
    expect(shown(busy)).toEqual(['a', 'b-', 'c']);
    expect(shown(nextRows(busy, 'k', busy.latest, false))).toEqual(['a', 'c']);
  });

  it('come back to life in their place', () => {
    const busy = nextRows(startRows('k', items('a', 'b'), true), 'k', items('a'), true);
    expect(shown(nextRows(busy, 'k', items('a', 'b'), true))).toEqual(['a', 'b']);
  });

  it('start afresh for another filter', () => {
    expect(shown(nextRows(startRows('k', items('a', 'b'), true), 'other', items('b', 'a'), true))).toEqual(['b', 'a']);
  });

  it('are the same object when nothing happened, so that nothing renders', () => {
    const held = startRows('k', items('a'), false);
    expect(nextRows(held, 'k', held.latest, false)).toBe(held);
  });

  const lists = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 }).map((uids) => items(...uids));
  it('whatever comes: no busy reader sees a row move, none is lost and none is shown twice', () => {
    fc.assert(
      fc.property(
        lists,
        fc.array(fc.record({ latest: lists, isHeld: fc.boolean() }), { maxLength: 6 }),
        (first, steps) => {
          let held = startRows('k', first, false);
          for (const { latest, isHeld } of steps) {
            const before = held.rows.map((row) => row.item.uid);
            held = nextRows(held, 'k', latest, isHeld);
            const after = held.rows.map((row) => row.item.uid);
            expect(new Set(after).size).toBe(after.length);
            if (isHeld) expect(after).toEqual(before);
            const kept = before.filter((uid) => after.includes(uid));
            expect(after.filter((uid) => before.includes(uid))).toEqual(kept);
            const alive = held.rows.filter((row) => !row.isGone).length;
            expect(alive + held.waiting).toBe(latest.length);
          }
        },
      ),
    );
  });
});

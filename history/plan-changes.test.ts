import type { IncidentChange } from '@funnelai/crds/generated/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aChange, changes, minute } from './builders.ts';
import { MAX_LOST, planChanges as planOf } from './plan-changes.ts';
import { type ChangeRow, changeRow } from './rows.ts';

const NOW = minute(100);
const planChanges = (
  originUid: string,
  list: IncidentChange[],
  changeSequence: number,
  rows: ReadonlyMap<number, ChangeRow>,
  storedSequence: number,
) => planOf({ originUid, stored: rows, storedSequence, now: NOW }, list, changeSequence);

const stored = (first: number, last: number) =>
  new Map(changes(first, last).map((change) => [change.sequence, changeRow('u', change)]));

describe('what history still lacks of an incident', () => {
  it('takes everything of a new incident', () => {
    const plan = planChanges('u', changes(1, 3), 3, new Map(), 0);
    expect(plan.insert.map((row) => row.sequence)).toEqual([1, 2, 3]);
    expect(plan.mirroredSequence).toBe(3);
  });

  it('takes only what is new when the object has been trimmed', () => {
    const plan = planChanges('u', changes(5, 8), 8, stored(5, 6), 6);
    expect(plan.insert.map((row) => row.sequence)).toEqual([7, 8]);
    expect(plan.mirroredSequence).toBe(8);
  });

  it('never claims more for an object than the object itself has', () => {
    // etcd was restored: history is ahead, and the next change of this object may be another one than history's 4.
    expect(planChanges('u', changes(1, 3), 3, stored(1, 5), 5).mirroredSequence).toBe(3);
  });

  it('stops at a number that history knows otherwise', () => {
    const other = aChange(3, { by: 'bo' });
    const plan = planChanges('u', [...changes(1, 2), other, aChange(4)], 4, stored(1, 3), 3);
    expect(plan.insert).toEqual([]);
    expect(plan.mirroredSequence).toBe(2);
    expect(plan.conflict).toMatchObject({ sequence: 3, stored: { by: 'ana' }, found: { by: 'bo' }, storedSequence: 3 });
  });

  it('sees two contents under one number of the same object', () => {
    const plan = planChanges('u', [aChange(1), aChange(1, { to: 'other' })], 1, new Map(), 0);
    expect(plan.insert).toHaveLength(1);
    expect(plan.conflict).toMatchObject({ sequence: 1 });
  });

  it('knows an act again that was numbered anew after a restore', () => {
    const again = aChange(3, { recordedAt: minute(50) });
    const plan = planChanges('u', [...changes(1, 2), again, aChange(4)], 4, stored(1, 3), 3);
    expect(plan.conflict).toBeUndefined();
    expect(plan.insert.map((row) => row.sequence)).toEqual([4]);
  });

  it('tells which acts behind a conflict history has under other numbers, each once', () => {
    const act = (sequence: number, by: string) => aChange(sequence, { from: 'a', to: 'b', at: minute(7), by });
    const there = new Map(
      [...changes(1, 3), act(4, 'bo'), act(5, 'ana')].map((change) => [change.sequence, changeRow('u', change)]),
    );
    const plan = planChanges('u', [...changes(1, 2), act(3, 'bo'), act(4, 'bo'), act(5, 'cy')], 5, there, 5);
    // The first of bo's two is history's 4; the second is another act, whatever it looks like.
    expect(plan.conflict).toMatchObject({ sequence: 3, storedSequence: 5, known: [[3, 4]] });
  });

  it('holds the places of what both sides lost, and goes on', () => {
    const plan = planChanges('u', [aChange(1), ...changes(4, 5)], 5, new Map(), 0);
    expect(plan.insert.map((row) => [row.sequence, row.kind])).toEqual([
      [1, 'Severity'],
      [2, 'Lost'],
      [3, 'Lost'],
      [4, 'Severity'],
      [5, 'Severity'],
    ]);
    // Lost before what follows, and by nobody.
    expect(plan.insert[1]).toMatchObject({ at: '2026-03-01T10:04:00.000000Z', by: '', from_value: null });
    expect(plan).toMatchObject({ mirroredSequence: 5, lost: [{ from: 2, to: 3 }] });
  });

  it('holds them even when the object lists no change at all', () => {
    const plan = planChanges('u', [], 9, new Map(), 4);
    expect(plan.insert.map((row) => row.kind)).toEqual(['Lost', 'Lost', 'Lost', 'Lost', 'Lost']);
    expect(plan).toMatchObject({ mirroredSequence: 9, lost: [{ from: 5, to: 9 }] });
  });

  it('does not believe a number that is far too high', () => {
    const plan = planChanges('u', [], MAX_LOST + 5, new Map(), 4);
    expect(plan).toMatchObject({ insert: [], mirroredSequence: 4, gap: { expected: 5, found: MAX_LOST + 5 } });
  });

  it('takes what stands before a change that cannot be stored', () => {
    const plan = planChanges('u', [aChange(1), aChange(2, { at: 'yesterday' }), aChange(3)], 3, new Map(), 0);
    expect(plan.insert.map((row) => row.sequence)).toEqual([1]);
    expect(plan.mirroredSequence).toBe(1);
    expect(plan.refused).toMatchObject({ column: 'at', reason: 'not an RFC 3339 time' });
  });

  it('takes one moment written in two ways, and nothing and empty text, for the same', () => {
    const first = changeRow('u', aChange(1, { at: '2026-03-01T10:01:00.000000Z', reason: '' }));
    const plan = planChanges('u', [aChange(1, { at: '2026-03-01t12:01:00+02:00' })], 1, new Map([[1, first]]), 1);
    expect(plan.conflict).toBeUndefined();
  });

  it('ends contiguous, in whatever versions and order an incident comes', () => {
    const version = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(fc.array(version, { maxLength: 30 }), (versions) => {
        const table = new Map<number, ReturnType<typeof changeRow>>();
        for (const [a, b] of versions) {
          // Nothing leaves an object before history has it.
          const [low, last] = a < b ? [a, b] : [b, a];
          const first = Math.min(low, table.size + 1);
          const plan = planChanges('u', changes(first, last), last, table, table.size);
          for (const row of plan.insert) table.set(row.sequence, row);
          expect(plan.conflict).toBeUndefined();
          expect(plan.mirroredSequence).toBe(Math.min(last, table.size));
          expect([...table.keys()]).toEqual(Array.from({ length: table.size }, (_, index) => index + 1));
        }
      }),
    );
  });
});

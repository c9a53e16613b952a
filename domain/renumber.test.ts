import type { IncidentChange, IncidentStatus } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { type ChangeConflict, continued, renumbered } from './renumber.ts';
import { time } from './testing/builders.ts';

const change = (sequence: number, by = 'ana'): IncidentChange => ({
  sequence,
  kind: 'Severity',
  to: `S${sequence}`,
  at: time(sequence),
  recordedAt: time(sequence),
  by,
});
const status = (...changes: IncidentChange[]): IncidentStatus => ({
  observedGeneration: 1,
  changes,
  changeSequence: changes.at(-1)?.sequence ?? 0,
});
const conflict = (o: Partial<ChangeConflict> = {}): ChangeConflict => ({
  sequence: 3,
  found: change(3),
  storedSequence: 7,
  lastSequence: 4,
  known: [],
  ...o,
});
const numbers = (result: ReturnType<typeof renumbered>) => result?.status.changes?.map(({ sequence }) => sequence);

describe('changes that contradict history', () => {
  it('get the numbers after the last that history has, in their order, and leave what history has', () => {
    const result = renumbered(status(change(1), change(2), change(3), change(4, 'bo')), conflict());
    expect(result).toMatchObject({ count: 2, from: 8, to: 9, status: { changeSequence: 9 } });
    expect(result?.status.changes).toEqual([
      { ...change(3), sequence: 8 },
      { ...change(4, 'bo'), sequence: 9 },
    ]);
  });

  it('get none where history has their act already', () => {
    const result = renumbered(status(change(3), change(4, 'bo')), conflict({ known: [[4, 6]] }));
    expect(result).toMatchObject({ count: 1, to: 8 });
    expect(numbers(result)).toEqual([8]);
    const all = renumbered(status(change(3)), conflict({ lastSequence: 3, known: [[3, 7]] }));
    expect(all).toMatchObject({ count: 0, status: { changeSequence: 7 } });
    expect(numbers(all)).toEqual([7]);
  });

  it('wait while there are some that were not looked for in history yet', () => {
    expect(renumbered(status(change(3), change(4), change(5)), conflict())).toBeUndefined();
  });

  it('are settled once: neither a second time, nor what the object does not say any more', () => {
    const once = renumbered(status(change(3), change(4)), conflict());
    expect(renumbered(once?.status ?? status(), conflict())).toBeUndefined();
    expect(renumbered(status(change(3, 'cy'), change(4)), conflict())).toBeUndefined();
  });
});

describe('a count that history is ahead of', () => {
  it("goes on from history's last number", () => {
    expect(continued(status(change(1), change(2)), { storedSequence: 5, mirroredSequence: 2 })).toMatchObject({
      count: 0,
      status: { changes: [], changeSequence: 5 },
    });
  });

  it('stays while history lacks one of its changes, or is not ahead', () => {
    expect(continued(status(change(1), change(2)), { storedSequence: 5, mirroredSequence: 1 })).toBeUndefined();
    expect(continued(status(change(1), change(2)), { storedSequence: 2, mirroredSequence: 2 })).toBeUndefined();
  });
});

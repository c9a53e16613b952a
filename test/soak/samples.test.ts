import { describe, expect, it } from 'vitest';
import { growth, type Sample } from './samples.ts';

const aLife = (rssMiB: (i: number) => number): Sample[] =>
  Array.from({ length: 40 }, (_, i) => ({
    atMs: i * 5_000,
    rssMiB: rssMiB(i),
    sockets: 9 + (i % 3),
    handles: 20 + (i % 5),
    missed: 0,
    listenerWarnings: 0,
  }));

describe('the growth of a process', () => {
  it('is nothing while it only breathes', () => {
    expect(
      growth(
        'operator',
        aLife((i) => 140 + (i % 7) * 4),
      ),
    ).toEqual([]);
  });
  it('is said with both ends when it leaks', () => {
    expect(
      growth(
        'operator',
        aLife((i) => 120 + i * 3),
      ),
    ).toEqual(['operator: rssMiB grew from 135 to 225']);
  });
  it('is nothing that a few samples could tell', () => {
    expect(growth('operator', aLife((i) => 120 + i * 30).slice(0, 7))).toEqual([]);
  });
});

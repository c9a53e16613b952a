import type { Severity } from '@funnelai/crds/generated/types';
import { SEVERITIES } from '@funnelai/domain/severity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, mostPassedOver, type Place, RANKS } from './fair-queue.ts';

const aPlace = (o: Partial<Place> = {}): Place => ({
  source: 'shop/prom',
  name: 'PodCrash',
  request: 1,
  severity: 'Medium',
  isNew: false,
  ...o,
});
const storm = (queue: FairQueue<string>, count: number, o: Partial<Place> = {}) => {
  for (let i = 0; i < count; i += 1) queue.add(aPlace(o), `storm-${i}`);
};
/** Turns until the item comes out, as if nothing else came meanwhile. */
function turnsUntil(queue: FairQueue<string>, item: string): number {
  for (let turn = 1; ; turn += 1) {
    const entry = queue.next();
    if (entry === undefined) throw new Error(`${item} never had its turn`);
    if (entry.item === item) return turn;
  }
}

describe('in a storm of ten thousand alerts of one name', () => {
  it.each([
    ['a new name of the same source', { name: 'DiskFull', isNew: true }],
    ['a name that fires already, of the same source', { name: 'DiskFull' }],
    ['an alert of another source', { source: 'shop/other' }],
    ['the single alert of another request', { request: 2 }],
    ['a worse one of the same name', { severity: 'Critical' as Severity }],
  ])('%s has its turn among the first', (_what, o) => {
    const queue = new FairQueue<string>();
    storm(queue, 10_000);
    queue.add(aPlace(o), 'mine');
    expect(turnsUntil(queue, 'mine')).toBeLessThanOrEqual(2);
  });

  it('only the first of a new name goes before what fires already', () => {
    const queue = new FairQueue<string>();
    storm(queue, 1_000, { isNew: true });
    queue.add(aPlace({ name: 'Known', severity: 'High' }), 'mine');
    expect(turnsUntil(queue, 'mine')).toBe(2);
  });

  it('even the least of it has its turn while what is new keeps coming', () => {
    const queue = new FairQueue<string>();
    queue.add(aPlace({ severity: 'Info' }), 'least');
    for (let turn = 1; turn < 200; turn += 1) {
      queue.add(aPlace({ name: `New${turn}`, severity: 'Critical', isNew: true }), 'new');
      if (queue.next()?.item === 'least') {
        expect(turn).toBeLessThanOrEqual(mostPassedOver(RANKS - 1) + 1);
        return;
      }
    }
    throw new Error('the least was starved');
  });

  it('leaves with its request, and takes nobody’s turn then', () => {
    const queue = new FairQueue<string>();
    storm(queue, 100);
    queue.add(aPlace({ request: 2 }), 'mine');
    expect(queue.leave(1)).toHaveLength(100);
    expect([queue.size, queue.sizeOf('shop/prom')]).toEqual([1, 1]);
    expect(turnsUntil(queue, 'mine')).toBe(1);
    expect(queue.next()).toBeUndefined();
  });
});

const places = fc.record({
  source: fc.constantFrom('a/one', 'a/two', 'b/three'),
  name: fc.constantFrom('x', 'y', 'z', ''),
  request: fc.integer({ min: 1, max: 4 }),
  severity: fc.constantFrom(...SEVERITIES),
  isNew: fc.boolean(),
});
const steps = fc.array(fc.oneof(places, fc.constant('next' as const), fc.integer({ min: 1, max: 4 })), {
  maxLength: 300,
});

describe('whatever comes and goes', () => {
  it('each alert comes out once: by its turn, or with its request', () => {
    fc.assert(
      fc.property(steps, (run) => {
        const queue = new FairQueue<number>();
        const inside = new Set<number>();
        let serial = 0;
        const out = (item: number) => expect(inside.delete(item)).toBe(true);
        for (const step of run) {
          if (step === 'next') {
            const entry = queue.next();
            if (entry === undefined) expect(inside.size).toBe(0);
            else {
              out(entry.item);
              queue.done(entry);
            }
          } else if (typeof step === 'number') for (const { item } of queue.leave(step)) out(item);
          else {
            inside.add(serial);
            queue.add(step, serial++);
          }
          expect(queue.size).toBe(inside.size);
        }
        for (let entry = queue.next(); entry !== undefined; entry = queue.next()) out(entry.item);
        expect(inside.size).toBe(0);
      }),
    );
  });

  it('no class with something in it is passed over for long', () => {
    fc.assert(
      fc.property(fc.array(places, { minLength: 1, maxLength: 300 }), (arrivals) => {
        const queue = new FairQueue<number>();
        const passed = Array.from({ length: RANKS }, () => 0);
        for (const [i, place] of arrivals.entries()) {
          queue.add(place, i);
          if (i % 2 === 0) continue;
          const waiting = passed.map((_, rank) => queue.waitingIn(rank) > 0);
          const served = queue.next();
          for (const rank of passed.keys()) {
            passed[rank] = waiting[rank] && served?.rank !== rank ? (passed[rank] ?? 0) + 1 : 0;
            expect(passed[rank]).toBeLessThanOrEqual(mostPassedOver(rank) + RANKS);
          }
        }
      }),
    );
  });

  it('within a class nobody waits longer than was foretold', () => {
    fc.assert(
      fc.property(fc.array(places, { maxLength: 60 }), places, (others, mine) => {
        const queue = new FairQueue<string>();
        const alike = { severity: mine.severity, isNew: false };
        for (const place of others) queue.add({ ...place, ...alike }, 'other');
        const ahead = queue.ahead({ ...mine, ...alike });
        queue.add({ ...mine, ...alike }, 'mine');
        expect(turnsUntil(queue, 'mine')).toBeLessThanOrEqual(ahead + 1);
      }),
    );
  });
});

import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { type BatcherOptions, createBatcher } from './batcher.ts';

function setUp(o: Partial<BatcherOptions> & Pick<BatcherOptions, 'flush'>) {
  const clock = new FakeClock();
  const batcher = createBatcher({
    name: 'test',
    clock,
    log: silentLog(),
    size: 3,
    gatherMs: 100,
    baseDelayMs: 1_000,
    maxDelayMs: 8_000,
    ...o,
  });
  batcher.start();
  return { clock, batcher };
}

describe('a batcher', () => {
  it('gathers what comes close together, each key once, in calls of a bounded size', async () => {
    const calls: string[][] = [];
    const { clock, batcher } = setUp({
      flush: async (keys) => {
        calls.push(keys);
        return [];
      },
    });
    for (const key of ['a', 'b', 'a', 'c', 'd']) batcher.add(key);
    await clock.advance(99);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect(calls).toEqual([['a', 'b', 'c'], ['d']]);
    await batcher.idle();
  });

  it('loses nothing to failures, comes again ever more slowly, and is quick again after a success', async () => {
    const tries: number[] = [];
    let isAway = true;
    const { clock, batcher } = setUp({
      flush: async () => {
        tries.push(clock.monotonicMs());
        if (isAway) throw new Error('away');
        return [];
      },
    });
    batcher.add('a');
    await clock.advance(30_000);
    expect(tries).toEqual([100, 1_100, 3_100, 7_100, 15_100, 23_100]);
    expect(batcher.depth()).toBe(1);
    isAway = false;
    await clock.advance(8_000);
    expect(batcher.depth()).toBe(0);
    batcher.add('b');
    await clock.advance(100);
    expect(tries.at(-1)).toBe(38_100);
  });

  it('takes a key again that was added while it was in hand', async () => {
    const calls: string[][] = [];
    const gate = Promise.withResolvers<void>();
    const { clock, batcher } = setUp({
      flush: async (keys) => {
        calls.push(keys);
        if (calls.length === 1) await gate.promise;
        return [];
      },
    });
    batcher.add('a');
    await clock.advance(100);
    batcher.add('a');
    gate.resolve();
    await clock.advance(100);
    expect(calls).toEqual([['a'], ['a']]);
  });

  it('works off what waits when it stops in good order, and not when the far side is away', async () => {
    const calls: string[][] = [];
    const well = setUp({
      size: 1,
      flush: async (keys) => {
        calls.push(keys);
        return [];
      },
    });
    well.batcher.add('a');
    well.batcher.add('b');
    await well.batcher.stop(1_000);
    expect(calls).toEqual([['a'], ['b']]);

    const ill = setUp({
      flush: async () => {
        throw new Error('away');
      },
    });
    ill.batcher.add('a');
    await ill.clock.advance(100);
    await ill.batcher.stop(1_000);
    expect(ill.batcher.depth()).toBe(1);
  });
});

import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { STORES_WAITING, STORES_WAITING_PER_SOURCE } from '../limits.ts';
import { createFairGate } from './fair-gate.ts';
import type { Place } from './fair-queue.ts';

const aPlace = (o: Partial<Place> = {}): Place => ({
  source: 'shop/prom',
  name: 'PodCrash',
  request: 1,
  severity: 'Medium',
  isNew: false,
  ...o,
});
function aGate(places = 2) {
  const clock = new FakeClock();
  const reached: string[] = [];
  const metrics = { waiting: () => {}, waited: () => {}, limitReached: (limit: string) => reached.push(limit) };
  const gate = createFairGate({ clock, metrics, places });
  const stored: string[] = [];
  /** One store that takes 10 ms. */
  const store = (what: string, o: Partial<Place> = {}) =>
    gate.run(aPlace(o), async () => {
      await clock.sleep(10);
      stored.push(what);
    });
  return { clock, gate, reached, stored, store };
}

describe('the gate before the API server', () => {
  it('lets a new alert pass ten thousand of a neighbour’s body', async () => {
    const { clock, stored, store } = aGate();
    for (let i = 0; i < 10_000; i += 1) void store(`storm-${i}`);
    void store('mine', { name: 'DiskFull', isNew: true, request: 2 });
    await clock.advance(20);
    expect(stored).toContain('mine');
    expect(stored.length).toBe(4);
  });

  it('tells what waits of a request whose time is over, and stores none of it later', async () => {
    const { clock, gate, stored, store } = aGate();
    const body = Array.from({ length: 5 }, (_, i) => store(`late-${i}`));
    gate.leave(1);
    const other = store('other', { request: 2 });
    await clock.advance(30);
    expect((await Promise.all(body)).map(({ kind }) => kind)).toEqual(['done', 'done', 'left', 'left', 'left']);
    expect((await other).kind).toBe('done');
    expect(stored).toEqual(['late-0', 'late-1', 'other']);
  });

  it('is full at its bounds, of one source before others', async () => {
    const { reached, store } = aGate();
    for (let i = 0; i < STORES_WAITING_PER_SOURCE + 2; i += 1) void store(`storm-${i}`);
    expect(await store('one more')).toMatchObject({ kind: 'full' });
    expect(reached).toEqual(['STORES_WAITING_PER_SOURCE']);
    for (let i = STORES_WAITING_PER_SOURCE; i < STORES_WAITING; i += 1) void store(`other-${i}`, { source: 'b/other' });
    expect(await store('third', { source: 'c/third' })).toMatchObject({ kind: 'full' });
  });

  it('foretells a wait: none while there is room, longer behind a storm than for what is new', async () => {
    const { gate, store } = aGate();
    expect(gate.waitMs(aPlace())).toBe(0);
    for (let i = 0; i < 100; i += 1) void store(`storm-${i}`);
    const more = gate.waitMs(aPlace());
    expect(more).toBeGreaterThan(40 * gate.waitMs(aPlace({ name: 'DiskFull', isNew: true })));
  });

  it('gives the place of a store that failed to the next', async () => {
    const { clock, gate, stored, store } = aGate(1);
    const failed = gate.run(aPlace(), async () => {
      throw new Error('broken');
    });
    void store('next');
    await expect(failed).rejects.toThrow('broken');
    await clock.advance(10);
    expect(stored).toEqual(['next']);
  });
});

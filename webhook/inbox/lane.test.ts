import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LANE_CALM_AFTER_MS, LANE_WAIT_CALM_MS, LANE_WAIT_MS, LANE_WAITING_CALM, STORES_IN_FLIGHT } from '../limits.ts';
import { createLane, LANE_TARGET_MS, type Leave, learned, NEW_LIMIT } from './lane.ts';

/** Takes all places that are to be had. */
async function fill(lane: ReturnType<typeof createLane>, clock: FakeClock): Promise<Leave[]> {
  const places: Leave[] = [];
  for (let n = lane.limit; n > 0; n -= 1)
    void lane.enter({ waitMs: 0 }).then((leave) => leave !== undefined && places.push(leave));
  await clock.advance(0);
  return places;
}

describe('the lane to the API server', () => {
  it('takes more while it is used up and quick, fewer once it is slow, within its bounds', () => {
    let state = NEW_LIMIT;
    for (let n = 0; n < 10_000; n += 1) state = learned(state, 5, true, n);
    expect(state.limit).toBeCloseTo(STORES_IN_FLIGHT);
    expect(learned(NEW_LIMIT, 5, false, 0).limit).toBe(NEW_LIMIT.limit);
    // What was under way at the same time says it once.
    const slower = learned(state, LANE_TARGET_MS + 1, true, 20_000);
    expect(slower.limit).toBeLessThan(state.limit);
    expect(learned(slower, LANE_TARGET_MS + 1, true, 20_001)).toEqual(slower);
    let slow = slower;
    for (let n = 0; n < 100; n += 1) slow = learned(slow, n % 20 === 0 ? 5 : 1_000, true, 30_000 + n * 1_000);
    expect(slow.limit).toBeLessThan(5);
  });

  it('takes more of an API server on which each write takes long, however few there are', () => {
    const far = 2 * LANE_TARGET_MS;
    let state = NEW_LIMIT;
    for (let n = 0; n < 10_000; n += 1) state = learned(state, far + (n % 50), true, n * 20);
    expect(state.limit).toBeCloseTo(STORES_IN_FLIGHT);
    // It has become slow itself: within a minute the quick ones are forgotten, and what is slow for everybody is bounded all the same.
    for (let n = 0; n < 1_000; n += 1) state = learned(state, 1_000, true, 300_000 + n * 1_000);
    expect(state.limit).toBe(4);
  });

  it('tells who finds it full soon, and gives a place that becomes free to who waits longest', async () => {
    const clock = new FakeClock();
    const lane = createLane({ clock });
    const places = await fill(lane, clock);
    const got: string[] = [];
    const wait = (name: string, waitMs: number) =>
      void lane.enter({ waitMs }).then((leave) => got.push(`${name} ${leave === undefined ? 'none' : 'place'}`));
    wait('first', LANE_WAIT_MS);
    wait('second', LANE_WAIT_MS);
    await clock.advance(LANE_WAIT_MS - 1);
    places[0]?.();
    await clock.advance(0);
    expect(got).toEqual(['first place']);
    await clock.advance(1);
    expect(got).toEqual(['first place', 'second none']);
  });

  it('does not let more wait than are worth it: fewer once more comes than it bears', async () => {
    const clock = new FakeClock();
    const lane = createLane({ clock });
    await fill(lane, clock);
    const away: number[] = [];
    const enter = (n: number) =>
      void lane
        .enter({ waitMs: LANE_WAIT_MS, calmWaitMs: LANE_WAIT_CALM_MS })
        .then((leave) => leave === undefined && away.push(n));
    for (let n = 0; n <= LANE_WAITING_CALM; n += 1) enter(n);
    await clock.advance(0);
    expect(away).toEqual([LANE_WAITING_CALM]);
    await clock.advance(LANE_WAIT_CALM_MS);
    const before = away.length;
    expect(lane.limit).toBeLessThan(LANE_WAITING_CALM);
    for (let n = 0; n <= lane.limit; n += 1) enter(n);
    await clock.advance(0);
    expect(away.slice(before)).toEqual([lane.limit]);
  });

  it('lets who comes in calm wait longer, and nobody any more once one had to be turned away, until what that one left is drained', async () => {
    const clock = new FakeClock();
    const lane = createLane({ clock });
    await fill(lane, clock);
    const got: string[] = [];
    const wait = (name: string) =>
      void lane
        .enter({ waitMs: LANE_WAIT_MS, calmWaitMs: LANE_WAIT_CALM_MS })
        .then((leave) => got.push(`${name} ${leave === undefined ? 'none' : 'place'}`));
    wait('in calm');
    await clock.advance(LANE_WAIT_CALM_MS - 1);
    expect(got).toEqual([]);
    await clock.advance(1);
    wait('after it');
    await clock.advance(LANE_WAIT_MS);
    expect(got).toEqual(['in calm none', 'after it none']);
    lane.drains(true);
    await clock.advance(LANE_CALM_AFTER_MS);
    wait('while it is drained');
    await clock.advance(LANE_WAIT_MS);
    expect(got.at(-1)).toBe('while it is drained none');
    lane.drains(false);
    await clock.advance(LANE_CALM_AFTER_MS);
    wait('in calm again');
    await clock.advance(LANE_WAIT_CALM_MS - 1);
    expect(got).toHaveLength(3);
  });

  it('keeps half of its places for the drain while there is something to drain, and one in any case', async () => {
    const clock = new FakeClock();
    const lane = createLane({ clock });
    lane.drains(true);
    expect(await fill(lane, clock)).toHaveLength(lane.limit / 2);
    const drained = Array.from({ length: lane.limit }, () => lane.enterDrain()).filter((leave) => leave !== undefined);
    expect(drained).toHaveLength(lane.limit / 2);
    const full = createLane({ clock });
    await fill(full, clock);
    expect(full.enterDrain()).toBeDefined();
    expect(full.enterDrain()).toBeUndefined();
  });

  it('gives its places back whatever comes: in the end as many are free as in the beginning', async () => {
    const step = fc.record({
      what: fc.constantFrom('live', 'drain', 'leave', 'wait'),
      which: fc.nat(),
      drains: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const clock = new FakeClock();
        const lane = createLane({ clock });
        const held: Leave[] = [];
        const keep = (leave: Leave | undefined) => leave !== undefined && held.push(leave);
        for (const { what, which, drains } of steps) {
          lane.drains(drains);
          if (what === 'live') void lane.enter({ waitMs: LANE_WAIT_MS }).then(keep);
          else if (what === 'drain') keep(lane.enterDrain());
          else if (what === 'wait') await clock.advance(which % 60);
          else held.splice(which % Math.max(1, held.length), 1)[0]?.();
          await clock.advance(0);
          // One beyond it is the drain's that must not starve.
          expect(held.length).toBeLessThanOrEqual(Math.max(STORES_IN_FLIGHT, lane.limit) + 1);
        }
        await clock.advance(LANE_WAIT_MS);
        for (const leave of held.splice(0)) leave();
        await clock.advance(0);
        for (const leave of held.splice(0)) leave();
        lane.drains(false);
        expect(await fill(lane, clock)).toHaveLength(lane.limit);
      }),
      { numRuns: 100 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type Budget, MOST_IN_FLIGHT, NEW_BUDGET, type Outcome, RESERVED_FOR_PEOPLE, settle } from './budget.ts';
import { LANES, type Lane } from './lanes.ts';

const answered: Outcome = { kind: 'answered' };
const only =
  (...lanes: Lane[]) =>
  (lane: Lane) =>
    lanes.includes(lane);
/** As many of the lane as may begin. */
function fill(budget: Budget, lane: Lane, nowMs = 0): { budget: Budget; count: number } {
  let count = 0;
  for (let next = admit(budget, only(lane), nowMs); next; next = admit(budget, only(lane), nowMs)) {
    budget = next.budget;
    count++;
  }
  return { budget, count };
}
/** Rounds of a full budget in which each write ends so. */
function rounds(budget: Budget, n: number, outcome: Outcome, tookMs: number, nowMs = 0): Budget {
  for (let i = 0; i < n; i++) {
    nowMs += Math.max(tookMs, 1);
    budget = fill(budget, 'news', nowMs).budget;
    // More wait: whatever ends makes room for the next.
    for (let k = budget.inFlight.machines; k > 0; k--) {
      budget = settle(budget, 'news', outcome, tookMs, nowMs).budget;
      budget = fill(budget, 'news', nowMs).budget;
    }
  }
  while (budget.inFlight.machines > 0) budget = settle(budget, 'news', outcome, tookMs, nowMs).budget;
  return budget;
}

describe('the budget of writes', () => {
  it('grows while all goes well and is used up, and keeps slots for people at its largest', () => {
    const grown = rounds(NEW_BUDGET, 200, answered, 10);
    const { budget, count } = fill(grown, 'news');
    expect(count).toBe(MOST_IN_FLIGHT - RESERVED_FOR_PEOPLE);
    expect(fill(budget, 'human').count).toBe(RESERVED_FOR_PEOPLE);
  });

  it('does not grow when nobody needs more', () => {
    let budget = NEW_BUDGET;
    for (let i = 0; i < 500; i++) {
      budget = admit(budget, only('news'), i)?.budget ?? budget;
      budget = settle(budget, 'news', answered, 5, i).budget;
    }
    expect(budget.limit).toBe(NEW_BUDGET.limit);
  });

  it('halves once for a wave of refusals and waits as long as it is asked to; people do not wait', () => {
    let { budget, count } = fill(NEW_BUDGET, 'news');
    for (let i = 0; i < count; i++) {
      budget = settle(budget, 'news', { kind: 'refused', retryAfterMs: 3_000 }, 5, 1_000).budget;
    }
    expect(budget.limit).toBe(NEW_BUDGET.limit / 2);
    expect(admit(budget, only('news', 'routine'), 3_999)).toBeUndefined();
    expect(admit(budget, only('news', 'human'), 1_001)?.lane).toBe('human');
    ({ budget, count } = fill(budget, 'news', 4_000));
    expect(count).toBe(NEW_BUDGET.limit / 2);
  });

  it('comes down to a single write, and up again', () => {
    let budget = NEW_BUDGET;
    for (let s = 1; s < 20; s++) {
      budget = admit(budget, only('news'), s * 2_000)?.budget ?? budget;
      budget = settle(budget, 'news', { kind: 'refused', retryAfterMs: 0 }, 5, s * 2_000).budget;
    }
    expect(fill(budget, 'news', 60_000).count).toBe(1);
    expect(rounds(budget, 300, answered, 10, 60_000).limit).toBeGreaterThan(20);
  });

  it('shrinks when the server becomes slow, but not without end; a slow cluster is not one that became slow', () => {
    const quick = rounds(NEW_BUDGET, 50, answered, 10);
    const slow = rounds(quick, 100, answered, 2_000);
    expect(slow.limit).toBe(8);
    expect(rounds(NEW_BUDGET, 300, answered, 450).limit).toBeGreaterThan(20);
  });

  it('lets routine have its turn within news', () => {
    let budget = NEW_BUDGET;
    const lanes: (Lane | undefined)[] = [];
    for (let i = 0; i < 30; i++) {
      const next = admit(budget, only('news', 'routine'), i);
      lanes.push(next?.lane);
      budget = next ? settle(next.budget, next.lane, answered, 5, i).budget : budget;
    }
    expect(lanes.filter((lane) => lane === 'routine').length).toBeGreaterThanOrEqual(1);
    expect(lanes.slice(0, 8)).not.toContain('routine');
  });

  it('never lets more through than there are connections, nor holds a person back behind machines, whatever happens', () => {
    const step = fc.record({
      enter: fc.subarray([...LANES]),
      leave: fc.constantFrom<Lane | undefined>('human', 'news', undefined),
      outcome: fc.constantFrom<Outcome>(answered, { kind: 'failed' }, { kind: 'refused', retryAfterMs: 500 }),
      tookMs: fc.integer({ min: 1, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let budget = NEW_BUDGET;
        for (const [i, { enter, leave, outcome, tookMs }] of steps.entries()) {
          const nowMs = i * 100;
          const next = admit(budget, only(...enter), nowMs);
          const { people, machines } = budget.inFlight;
          if (enter.includes('human') && people < RESERVED_FOR_PEOPLE) expect(next?.lane).toBe('human');
          if (next) budget = next.budget;
          if (leave === 'human' && people > 0) budget = settle(budget, 'human', outcome, tookMs, nowMs).budget;
          if (leave === 'news' && machines > 0) budget = settle(budget, 'news', outcome, tookMs, nowMs).budget;
          const now = budget.inFlight;
          expect(now.people + now.machines).toBeLessThanOrEqual(MOST_IN_FLIGHT);
          expect(now.machines).toBeLessThanOrEqual(MOST_IN_FLIGHT - RESERVED_FOR_PEOPLE);
          expect(budget.limit).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ask,
  type Breaker,
  CLOSED,
  ended,
  FAILURES_TO_OPEN,
  FIRST_WAIT_MS,
  LONGEST_WAIT_MS,
  PROBES_AT_ONCE,
  PROBES_TO_CLOSE,
} from './breaker.ts';

/** Attempts one after the other, each at once with its end. */
function after(breaker: Breaker, outcomes: readonly boolean[], nowMs: number): Breaker {
  return outcomes.reduce((state, isGood) => {
    const asked = ask(state, nowMs);
    return asked.verdict.may === 'not' ? asked.breaker : ended(asked.breaker, asked.verdict.round, isGood, nowMs);
  }, breaker);
}
const bad = (n: number) => Array<boolean>(n).fill(false);
const good = (n: number) => Array<boolean>(n).fill(true);

describe('a breaker', () => {
  it('lets all through until a few in a row have failed', () => {
    const almost = after(CLOSED, [...bad(FAILURES_TO_OPEN - 1), true, ...bad(FAILURES_TO_OPEN - 1)], 0);
    expect(ask(almost, 0).verdict.may).toBe('try');
    expect(ask(after(almost, [false], 0), 1).verdict).toEqual({ may: 'not', retryAfterMs: FIRST_WAIT_MS - 1 });
  });

  it('probes with few once its time is over, and closes when some went well', () => {
    const open = after(CLOSED, bad(FAILURES_TO_OPEN), 0);
    let asked = ask(open, FIRST_WAIT_MS);
    expect(asked.verdict.may).toBe('probe');
    for (let i = 1; i < PROBES_AT_ONCE; i += 1) asked = ask(asked.breaker, FIRST_WAIT_MS);
    expect(asked.verdict.may).toBe('probe');
    expect(ask(asked.breaker, FIRST_WAIT_MS).verdict.may).toBe('not');
    expect(after(open, good(PROBES_TO_CLOSE), FIRST_WAIT_MS).state).toBe('closed');
  });

  it('waits twice as long after each probe that failed, up to a bound', () => {
    let breaker = after(CLOSED, bad(FAILURES_TO_OPEN), 0);
    const waits: number[] = [];
    let nowMs = 0;
    for (let i = 0; i < 7 && breaker.state === 'open'; i += 1) {
      waits.push(breaker.untilMs - nowMs);
      nowMs = breaker.untilMs;
      breaker = after(breaker, [false], nowMs);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    expect(LONGEST_WAIT_MS).toBe(8_000);
  });

  it('is not moved by what was begun before it opened, nor by a probe of an earlier round', () => {
    const before = ask(CLOSED, 0);
    if (before.verdict.may === 'not') throw new Error('it is closed');
    const open = after(before.breaker, bad(FAILURES_TO_OPEN), 0);
    expect(ended(open, before.verdict.round, true, 1)).toBe(open);
    const probing = ask(open, FIRST_WAIT_MS);
    const again = after(probing.breaker, [false], FIRST_WAIT_MS);
    expect(again.state).toBe('open');
    if (probing.verdict.may === 'not') throw new Error('it probes');
    expect(ended(again, probing.verdict.round, true, FIRST_WAIT_MS)).toBe(again);
  });
});

/** Any story: time passes, attempts begin, attempts end well or badly, in any order. */
const story = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({ what: fc.constant('begin' as const) }),
    fc.record({ what: fc.constant('end' as const), which: fc.nat(), isGood: fc.boolean() }),
  ),
  { maxLength: 200 },
);

describe('in any story a breaker', () => {
  it('lets nobody through before its time, no more than a few at once while it is not closed, and closes again once all goes well', () => {
    fc.assert(
      fc.property(story, (steps) => {
        let breaker = CLOSED;
        let nowMs = 0;
        let open: { round: number; isProbe: boolean }[] = [];
        for (const step of steps) {
          if (step.what === 'wait') nowMs += step.ms;
          else if (step.what === 'begin') {
            const before = breaker;
            const asked = ask(breaker, nowMs);
            breaker = asked.breaker;
            if (asked.verdict.may === 'not') {
              expect(before.state).not.toBe('closed');
              expect(asked.verdict.retryAfterMs).toBeGreaterThan(0);
              continue;
            }
            if (before.state === 'open') expect(nowMs).toBeGreaterThanOrEqual(before.untilMs);
            expect(asked.verdict.may).toBe(before.state === 'closed' ? 'try' : 'probe');
            open.push({ round: asked.verdict.round, isProbe: asked.verdict.may === 'probe' });
            const probes = open.filter((a) => a.isProbe && a.round === breaker.round).length;
            expect(probes).toBeLessThanOrEqual(PROBES_AT_ONCE);
          } else if (open.length > 0) {
            const [attempt] = open.splice(step.which % open.length, 1);
            if (attempt !== undefined) breaker = ended(breaker, attempt.round, step.isGood, nowMs);
          }
        }
        for (const attempt of open) breaker = ended(breaker, attempt.round, true, nowMs);
        open = [];
        nowMs += LONGEST_WAIT_MS;
        expect(after(breaker, good(PROBES_TO_CLOSE), nowMs).state).toBe('closed');
      }),
      { numRuns: 500 },
    );
  });
});

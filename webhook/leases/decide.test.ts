import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { type Known, knownMsBetween, knownOf, LEASE_GRACE_MS, leaseVerdict, silenceOf } from './decide.ts';

const MINUTE = 60_000;
const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toString();
const known = (untilMs: number, ...gaps: [number, number][]): Known => {
  const life = {
    beganAt: at(0),
    knownUntil: at(untilMs),
    gaps: gaps.map(([a, b]) => ({ began: at(a), ended: at(b) })),
  };
  return knownOf(life) ?? expect.fail();
};

describe('a lease', () => {
  const prometheus = { lastSeen: at(10 * MINUTE), leaseUntil: at(14 * MINUTE), expireAfterMs: 0 };

  it('runs until what its sender announced, and a grace', () => {
    expect(leaseVerdict(prometheus, known(14 * MINUTE))).toEqual({ kind: 'runs', leftMs: LEASE_GRACE_MS });
    expect(leaseVerdict(prometheus, known(14 * MINUTE + LEASE_GRACE_MS))).toEqual({ kind: 'ranOut' });
  });

  it('is longer by the time in which the intake was away, and by no more', () => {
    const gap: [number, number] = [11 * MINUTE, 31 * MINUTE];
    expect(leaseVerdict(prometheus, known(34 * MINUTE, gap)).kind).toBe('runs');
    expect(leaseVerdict(prometheus, known(34 * MINUTE + LEASE_GRACE_MS, gap))).toEqual({ kind: 'ranOut' });
    // A gap that was over before it was last heard of has nothing to do with it.
    expect(leaseVerdict(prometheus, known(15 * MINUTE, [MINUTE, 9 * MINUTE]))).toEqual({ kind: 'ranOut' });
  });

  it('is the longer of what the sender announced and what its source says; without either there is none', () => {
    const both = { ...prometheus, expireAfterMs: 60 * MINUTE };
    expect(leaseVerdict(both, known(60 * MINUTE)).kind).toBe('runs');
    expect(leaseVerdict(both, known(71 * MINUTE)).kind).toBe('ranOut');
    expect(leaseVerdict({ lastSeen: at(0), expireAfterMs: 0 }, known(1e12))).toEqual({ kind: 'never' });
    expect(leaseVerdict({ lastSeen: 'yesterday', expireAfterMs: 1 }, known(1e12))).toEqual({ kind: 'never' });
  });

  it('does not run out in the time before anything was known: a new database lets every lease begin anew', () => {
    const fresh = { ...known(100 * MINUTE), beganMs: 99 * MINUTE };
    expect(leaseVerdict(prometheus, fresh).kind).toBe('runs');
  });

  it('does not run out by a time of receipt that lies ahead', () => {
    expect(
      leaseVerdict({ ...prometheus, lastSeen: at(90 * MINUTE), leaseUntil: at(94 * MINUTE) }, known(20 * MINUTE)).kind,
    ).toBe('runs');
  });
});

const time = fc.nat(500).map((n) => n * 1_000);
const gap = fc.tuple(time, time).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);
const gaps = fc.array(gap, { maxLength: 6 });

describe('the laws of leases', () => {
  it('nothing that was heard of within its lease and the gaps since is ever said to have run out', () => {
    fc.assert(
      fc.property(
        fc.array(time, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 300 }),
        gaps,
        time,
        (reports, leaseS, some, nowMs) => {
          const leaseMs = leaseS * 1_000;
          const past = reports.filter((report) => report <= nowMs);
          fc.pre(past.length > 0);
          const lastMs = Math.max(...past);
          const verdict = silenceOf(lastMs, leaseMs, known(nowMs, ...some));
          // Counted second by second, and not as the code does.
          let silentMs = 0;
          for (let second = lastMs; second < nowMs; second += 1_000)
            if (!some.some(([from, to]) => from <= second && second < to)) silentMs += 1_000;
          expect(verdict.kind === 'ranOut').toBe(silentMs >= leaseMs + LEASE_GRACE_MS);
        },
      ),
    );
  });

  it('what is said to run runs for as long as was said, whatever comes; a later look never takes time away', () => {
    fc.assert(
      fc.property(time, fc.nat(300_000), gaps, time, time, (heardMs, leaseMs, some, nowMs, laterMs) => {
        const verdict = silenceOf(heardMs, leaseMs, known(nowMs, ...some));
        fc.pre(verdict.kind === 'runs');
        const until = nowMs + Math.min(laterMs, verdict.leftMs - 1);
        expect(silenceOf(heardMs, leaseMs, known(until, ...some)).kind).toBe('runs');
      }),
    );
  });

  it('time that is known is never negative, nor longer than the time itself, and is the sum of its parts', () => {
    fc.assert(
      fc.property(gaps, time, time, time, (some, a, b, c) => {
        const [from, middle, to] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
        const facts = known(0, ...some);
        const whole = knownMsBetween(from, to, facts);
        expect(whole).toBeGreaterThanOrEqual(0);
        expect(whole).toBeLessThanOrEqual(to - from);
        expect(knownMsBetween(from, middle, facts) + knownMsBetween(middle, to, facts)).toBe(whole);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bucket, DEFAULT_BURST_SECONDS, overRateText, type Rate, rateOf, take } from './rate.ts';

const rates: fc.Arbitrary<Rate> = fc
  .record({ ratePerSecond: fc.integer({ min: 1, max: 20 }), more: fc.integer({ min: 0, max: 30 }) })
  .map(({ ratePerSecond, more }) => ({ ratePerSecond, burst: ratePerSecond + more }));
/** Who comes when: milliseconds since the one before, back where a clock was set, and how many at once. */
const story = fc.array(
  fc.record({ afterMs: fc.double({ min: -50, max: 3_000, noNaN: true }), count: fc.integer({ min: 1, max: 20 }) }),
  { minLength: 1, maxLength: 200 },
);

describe('the rate of a source', () => {
  it('lets no more through within any time than its burst and what comes up in that time', () => {
    fc.assert(
      fc.property(rates, story, (rate, steps) => {
        let bucket: Bucket | undefined;
        let nowMs = 0;
        let latestMs = 0;
        const passed: { atMs: number; count: number }[] = [];
        for (const { afterMs, count } of steps) {
          nowMs += afterMs;
          latestMs = Math.max(latestMs, nowMs);
          const taken = take(bucket, count, rate, nowMs);
          bucket = taken.bucket;
          if (taken.waitMs === 0) passed.push({ atMs: latestMs, count });
        }
        for (const [first, { atMs }] of passed.entries()) {
          let sum = 0;
          for (const one of passed.slice(first)) {
            sum += one.count;
            const most = rate.burst + (rate.ratePerSecond * (one.atMs - atMs)) / 1_000;
            expect(sum).toBeLessThanOrEqual(most + 0.001);
          }
        }
      }),
    );
  });

  it('lets through whoever waits as long as he was told, whatever came before', () => {
    fc.assert(
      fc.property(rates, story, fc.integer({ min: 1, max: 20 }), (rate, steps, wanted) => {
        let bucket: Bucket | undefined;
        let nowMs = 0;
        for (const { afterMs, count } of steps) {
          nowMs += Math.max(0, afterMs);
          bucket = take(bucket, count, rate, nowMs).bucket;
        }
        const count = Math.min(wanted, rate.burst);
        const { bucket: left, waitMs } = take(bucket, count, rate, nowMs);
        if (waitMs === 0) return;
        expect(waitMs).toBeLessThanOrEqual(Math.ceil((count * 1_000) / rate.ratePerSecond));
        expect(take(left, count, rate, nowMs + waitMs).waitMs).toBe(0);
      }),
    );
  });

  it('is reached by one who comes all the time, and not only approached', () => {
    const rate = { ratePerSecond: 7, burst: 7 };
    let bucket: Bucket | undefined;
    let passed = 0;
    for (let ms = 0; ms <= 100_000; ms += 10) {
      const taken = take(bucket, 1, rate, ms);
      bucket = taken.bucket;
      if (taken.waitMs === 0) passed += 1;
    }
    expect(passed).toBe(7 * 100 + 7);
  });

  it('takes so many at once or none, and never more than the burst', () => {
    const rate = { ratePerSecond: 10, burst: 20 };
    const one = take(undefined, 15, rate, 0);
    expect(one).toEqual({ bucket: { tokens: 5, atMs: 0 }, waitMs: 0 });
    expect(take(one.bucket, 6, rate, 0)).toEqual({ bucket: { tokens: 5, atMs: 0 }, waitMs: 100 });
    expect(take(undefined, 21, rate, 0).waitMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('follows an edit: what was saved up for a higher burst is gone', () => {
    const { bucket } = take(undefined, 1, { ratePerSecond: 100, burst: 1_000 }, 0);
    expect(take(bucket, 6, { ratePerSecond: 5, burst: 5 }, 1_000).bucket.tokens).toBe(5);
  });

  it('is none where the source names none, and saves up ten seconds of itself unless it says otherwise', () => {
    const source = (limits: { ratePerSecond?: number; burst?: number }) => ({
      spec: { format: 'Alertmanager' as const, limits },
    });
    expect(rateOf({ spec: { format: 'Alertmanager' } })).toBeUndefined();
    expect(rateOf(source({}))).toBeUndefined();
    expect(rateOf(source({ ratePerSecond: 3 }))).toEqual({ ratePerSecond: 3, burst: 3 * DEFAULT_BURST_SECONDS });
    expect(rateOf(source({ ratePerSecond: 3, burst: 4 }))).toEqual({ ratePerSecond: 3, burst: 4 });
    expect(overRateText('demo/prom', { ratePerSecond: 1, burst: 4 })).toBe(
      'source demo/prom is over limits.ratePerSecond (1 alert a second, burst 4)',
    );
  });
});

import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { addTo, type Buckets, bucketOf, prune, summarize, TAKEN } from './counts.ts';

const at = (time: string) => Temporal.Instant.from(`2026-03-01T${time}Z`);
const one = { bodies: 1, alerts: 6, stored: 6 };

describe('the traffic of a source', () => {
  it('is a rate that fades over five minutes, and a count that stays for a day', () => {
    const buckets: Buckets = new Map();
    for (let i = 0; i < 10; i += 1) addTo(buckets, bucketOf(at('10:01:00')), TAKEN, one);
    const rate = (time: string) => summarize([buckets], at(time)).alertsPerMinute;
    expect(rate('10:02:00')).toBe(12);
    expect(rate('10:07:30')).toBe(6);
    expect(rate('10:10:00')).toBe(0);
    expect(summarize([buckets], at('23:00:00'))).toMatchObject({ bodies: 10, alerts: 60, stored: 60, rejected: {} });
    prune(buckets, at('10:10:00').add({ hours: 24 }));
    expect(buckets.size).toBe(0);
  });

  it('tells what was refused by its code, and counts what was stored beside it', () => {
    const buckets: Buckets = new Map();
    addTo(buckets, bucketOf(at('10:00:00')), 'Invalid', { bodies: 1, alerts: 3, stored: 2 });
    addTo(buckets, bucketOf(at('10:06:00')), 'Invalid', { bodies: 1, alerts: 0, stored: 0 });
    addTo(buckets, bucketOf(at('10:06:00')), 'Unauthenticated', { bodies: 4, alerts: 0, stored: 0 });
    expect(summarize([buckets], at('10:07:00'))).toMatchObject({
      bodies: 6,
      alerts: 3,
      stored: 2,
      rejected: { Invalid: 2, Unauthenticated: 4 },
    });
  });

  it('of several replicas is the same in whatever parts it is added up, and counts no body twice', () => {
    const arrivals = fc.array(
      fc.record({ replica: fc.nat(2), minute: fc.nat(3_000), code: fc.constantFrom('', 'Invalid') }),
    );
    fc.assert(
      fc.property(arrivals, (all) => {
        const whole: Buckets = new Map();
        const parts: Buckets[] = [new Map(), new Map(), new Map()];
        const now = at('00:00:00').add({ minutes: 3_000 });
        let counted = 0;
        for (const { replica, minute, code } of all) {
          const bucket = bucketOf(at('00:00:00').add({ minutes: minute }));
          addTo(whole, bucket, code, one);
          addTo(parts[replica] ?? whole, bucket, code, one);
          if (minute >= 3_000 - 24 * 60) counted += 1;
        }
        expect(summarize(parts, now)).toEqual(summarize([whole], now));
        expect(summarize(parts.toReversed(), now).bodies).toBe(counted);
      }),
    );
  });
});

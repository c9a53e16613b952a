import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { noteOf, possibleTime, possibleTimes, type Times } from './possible-times.ts';

const NOW = Temporal.Instant.from('2026-03-01T14:00:00Z');
const nowMs = NOW.epochMilliseconds;
const latestMs = nowMs + 300_000;
const instant = (text: string) => Temporal.Instant.from(text);
const start = (text: string) => {
  const { instant: found, odd } = possibleTime('startsAt', instant(text), { nowMs, latestMs });
  return [found?.toString(), odd && noteOf(odd)];
};

describe('the time of a start', () => {
  it.each(['1971-01-01T00:00:00Z', '2026-03-01T13:00:00Z', '2026-03-01T14:05:00Z'])('may be %s', (text) => {
    expect(start(text)).toEqual([text, undefined]);
  });

  it.each([
    ['1970-01-21T12:19:33.6Z', '2026-03-01T14:00:00Z'],
    ['1970-01-01T00:29:32.3736Z', '2026-03-01T14:00:00Z'],
    ['1970-01-01T00:00:01.7723736Z', '2026-03-01T14:00:00Z'],
    ['+058134-04-05T00:00:00Z', '2026-03-01T13:46:33.6Z'],
    ['1970-06-01T00:00:00Z', undefined],
    // An hour from now.
    ['1970-01-21T12:19:37.2Z', undefined],
    ['2036-03-01T00:00:00Z', undefined],
  ])('%s is of another unit, or none', (text, meant) => {
    const [found, note] = start(text);
    expect(found?.slice(0, 16)).toBe(meant?.slice(0, 16));
    expect(note).toContain(meant === undefined ? 'left out' : `read as ${found}`);
  });

  it('is never past what it can be, whatever it is made of', () => {
    const any = fc.oneof(
      fc.bigInt({ min: -8_640_000_000_000_000_000_000n, max: 8_640_000_000_000_000_000_000n }),
      fc.bigInt({ min: 0n, max: NOW.epochNanoseconds }),
    );
    fc.assert(
      fc.property(any, any, fc.boolean(), (a, b, isOver) => {
        const sent: Times = {
          state: isOver ? 'Resolved' : 'Firing',
          startsAt: Temporal.Instant.fromEpochNanoseconds(a),
          endsAt: Temporal.Instant.fromEpochNanoseconds(b),
          occurredAt: Temporal.Instant.fromEpochNanoseconds(b),
          leaseUntil: Temporal.Instant.fromEpochNanoseconds(a),
        };
        const { times } = possibleTimes(sent, NOW);
        const { startsAt: from, endsAt: to } = times;
        expect(from === undefined || to === undefined || Temporal.Instant.compare(from, to) <= 0).toBe(true);
        for (const one of [times.startsAt, times.endsAt, times.occurredAt])
          expect(one === undefined || (one.epochMilliseconds > 0 && one.epochMilliseconds <= latestMs)).toBe(true);
      }),
    );
  });
});

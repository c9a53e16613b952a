import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { parseMoment } from './moment.ts';

describe('a point in time', () => {
  it.each([
    ['2026-01-31T12:00:00.123456789+01:00', '2026-01-31T11:00:00.123456789Z'],
    ['2026-01-31 12:00:00.000681', '2026-01-31T12:00:00.000681Z'],
    ['1769860800', '2026-01-31T12:00:00Z'],
    ['1769860800.000681', '2026-01-31T12:00:00.000681Z'],
    ['1769860800000', '2026-01-31T12:00:00Z'],
    ['1769860800000.5', '2026-01-31T12:00:00.0005Z'],
    ['1769860800000681', '2026-01-31T12:00:00.000681Z'],
    ['1769860800123456789', '2026-01-31T12:00:00.123456789Z'],
  ])('%s is read by what it looks like', (text, instant) => {
    expect(parseMoment(text)?.toString()).toBe(instant);
  });

  it.each(['', '  ', '0', '0.0', '0001-01-01T00:00:00Z'])('%j means none', (text) => {
    expect(parseMoment(text)).toBeNull();
  });

  it.each(['yesterday', '-1', '1e9', '2026-13-01T00:00:00Z', '12:00', '99999999999999999999', 'NaN'])(
    '%j is none',
    (text) => {
      expect(parseMoment(text)).toBeUndefined();
    },
  );

  it('is the same in seconds, milliseconds, microseconds and nanoseconds', () => {
    const from = 1_000_000_000_000n * 1_000_000n;
    fc.assert(
      fc.property(fc.bigInt({ min: from, max: 4_000_000_000_000n * 1_000_000n }), (ns) => {
        const ms = ns / 1_000_000n;
        const instant = Temporal.Instant.fromEpochNanoseconds(ms * 1_000_000n).toString();
        const texts = [`${ms / 1000n}.${String(ms % 1000n).padStart(3, '0')}`, `${ms}`, `${ms}000`, `${ms}000000`];
        for (const text of texts) expect(parseMoment(text)?.toString()).toBe(instant);
      }),
    );
  });
});

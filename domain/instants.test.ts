import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { compareInstants, formatMicros, isGoZero, msBetween, parseDuration, parseInstant } from './instants.ts';

describe('parseInstant', () => {
  it.each([
    ['2026-03-01T14:00:00Z', '2026-03-01T14:00:00Z'],
    ['2026-03-01t14:00:00z', '2026-03-01T14:00:00Z'],
    ['2026-03-01T16:00:00.123456789+02:00', '2026-03-01T14:00:00.123456789Z'],
    ['2026-03-01T14:00:00.1234567899Z', '2026-03-01T14:00:00.123456789Z'],
    ['2026-03-01T08:30:00-05:30', '2026-03-01T14:00:00Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ])('reads %s', (text, expected) => expect(parseInstant(text)?.toString()).toBe(expected));

  it.each([
    '',
    'now',
    '2026-03-01',
    '2026-03-01T14:00Z',
    '2026-03-01T14:00:00',
    '2026-02-30T00:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T14:00:00+0200',
    '+010000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '0000-01-01T00:00:00+01:00',
    '2026-03-01T14:00:00Z[UTC]',
    '1772373600',
  ])('refuses %j', (text) => expect(parseInstant(text)).toBeUndefined());

  it('reads what programs commonly write as Temporal does, and refuses with it', () => {
    const to = (max: number) => fc.integer({ min: 0, max });
    const texts = fc
      .tuple(to(9_999), to(13), to(32), to(25), to(60), to(59), fc.stringMatching(/^(?:\.[0-9]{0,10})?$/))
      .map(([year, month, day, hour, minute, second, fraction]) => {
        const two = (n: number) => String(n).padStart(2, '0');
        const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
        return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction}Z`;
      });
    fc.assert(
      fc.property(texts, (text) => {
        const read = () => Temporal.Instant.from(text.replace(/(\.\d{9})\d/, '$1')).toString();
        let expected: string | undefined;
        try {
          expected = text.slice(11, 13) === '24' ? undefined : read();
        } catch {}
        expect(parseInstant(text)?.toString()).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  it('knows what Go programs send for none', () => {
    expect(parseInstant('0001-01-01T00:00:00Z')?.epochMilliseconds).toBeLessThan(0);
    expect([
      ...['0001-01-01T00:00:00Z', '2026-03-01T14:00:00Z'].map((t) => isGoZero(parseInstant(t) ?? expect.fail())),
    ]).toEqual([true, false]);
  });
});

it('writes six digits, and cutting keeps the order', () => {
  const ns = fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n });
  fc.assert(
    fc.property(ns, ns, (x, y) => {
      const [a, b] = [x, y].map((n) => formatMicros(new Temporal.Instant(n)));
      expect(a).toBe(new Temporal.Instant(x).toString({ fractionalSecondDigits: 6, roundingMode: 'floor' }));
      expect(a).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(compareInstants(a, b) * Number(x - y)).toBeGreaterThanOrEqual(0);
    }),
  );
});

describe('parseDuration', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['.5s', 500],
    ['1500us', 1.5],
    ['+5m', 300_000],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBeCloseTo(ms, 6));
  it.each(['', '5', '5 m', '-5m', 'm', '5d', '1h 30m', '5m!', '99999999h', 'Infinity'])(
    'refuses %j and says what is expected',
    (text) => expect(() => parseDuration(text)).toThrow(/expected a duration such as 90s/),
  );
});

it('places what cannot be read before everything', () => {
  expect(compareInstants(undefined, '2026-03-01T14:00:00Z')).toBe(-1);
  expect(compareInstants('rubbish', undefined)).toBe(0);
  expect(msBetween('2026-03-01T14:00:00Z', '2026-03-01T14:00:01.5Z')).toBe(1500);
  expect(msBetween('2026-03-01T14:00:00Z', 'later')).toBeUndefined();
});

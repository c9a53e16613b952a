import { describe, expect, it } from 'vitest';
import { absolute, age, clockTime, duration, moment, relative } from './instant-words.ts';

const now = Date.parse('2026-11-23T14:00:00Z');
const before = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

describe('times in words', () => {
  it.each([
    [5, '5s'],
    [59, '59s'],
    [754, '12m'],
    [3 * 3600 + 1, '3h'],
    [47 * 3600, '47h'],
    [49 * 3600, '2d'],
    [-30, '0s'],
  ])('an age of %d s is %s', (seconds, words) => {
    expect(age(before(seconds), now)).toBe(words);
  });

  it.each([
    [40_000, '40s'],
    [760_000, '12m 40s'],
    [(3 * 3600 + 300) * 1000, '3h 05m'],
    [52 * 3600 * 1000, '2d 4h'],
  ])('%d ms last %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it('are absolute to the second, with the offset of that day', () => {
    expect(absolute('2026-11-23T14:00:05.123456Z', 'Europe/Oslo')).toBe('Mon 23 Nov 2026 15:00:05 UTC+01:00');
    expect(absolute('2026-07-01T14:00:05Z', 'Europe/Oslo')).toContain('16:00:05 UTC+02:00');
    expect(clockTime('2026-11-23T00:00:00Z', 'UTC')).toBe('00:00:00');
  });

  it('that stand alone have their zone, and their day once it is over', () => {
    expect(moment('2026-11-23T13:00:05Z', now, 'Europe/Oslo')).toBe('14:00:05 UTC+01:00');
    // Of the same day to one who is an hour behind.
    expect(moment('2026-11-22T23:30:00Z', now, 'Europe/Oslo')).toBe('00:30:00 UTC+01:00');
    expect(moment('2026-11-22T23:30:00Z', now, 'UTC')).toBe('Sun 22 Nov 2026 23:30:00 UTC');
  });

  it('are relative in a tooltip', () => {
    expect(relative(before(60), now)).toBe('1 minute ago');
    expect(relative(before(7200), now)).toBe('2 hours ago');
  });
});

import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anyText, lenientTime, textsOf } from './lenient.ts';

const time = (value: unknown) => {
  const notes: string[] = [];
  return [lenientTime({ at: value }, 'at', notes)?.toString(), notes.length] as const;
};

describe('a time, however its sender writes it', () => {
  it.each([
    ['2026-03-01T14:02:10.315+0000', '2026-03-01T14:02:10.315Z'],
    ['2026-03-01T23:02:10+09:00', '2026-03-01T14:02:10Z'],
    [1772373730, '2026-03-01T14:02:10Z'],
    [1772373730.677, '2026-03-01T14:02:10.677Z'],
    ['1772373730000', '2026-03-01T14:02:10Z'],
    ['1772373730000000', '2026-03-01T14:02:10Z'],
    ['1772373730123456789', '2026-03-01T14:02:10.123456789Z'],
  ])('%s', (value, instant) => expect(time(value)).toEqual([instant, 0]));

  it('that says "not yet" is none, without a note', () => {
    for (const value of [undefined, null, '', 0, '0', '0001-01-01T00:00:00Z'])
      expect(time(value)).toEqual([undefined, 0]);
  });

  it('that is not understood is none, with a note', () => {
    for (const value of ['yesterday', {}, -1, '1e12', '99999999999999999999999', true])
      expect(time(value)).toEqual([undefined, 1]);
  });

  it('is read back from an epoch in any unit', () => {
    const millis = fc.integer({ min: Date.UTC(1974, 0), max: Date.UTC(2200, 0) });
    fc.assert(
      fc.property(millis, fc.constantFrom('', '000', '000000'), (ms, zeros) => {
        expect(time(`${ms}${zeros}`)[0]).toBe(Temporal.Instant.fromEpochMilliseconds(ms).toString());
      }),
    );
  });
});

describe('texts under names that strangers chose', () => {
  it('are own properties, the first of a name stays, and what says nothing is left out', () => {
    const texts = textsOf([
      ['__proto__', 'x'],
      ['a', '1'],
      ['a', '2'],
      ['b', undefined],
      ['', 'nameless'],
    ]);
    expect(Object.entries(texts)).toEqual([
      ['__proto__', 'x'],
      ['a', '1'],
    ]);
  });

  it('hold any value, also one that is nested too deeply to be written', () => {
    expect(anyText({ code: 502 })).toBe('{"code":502}');
    expect(anyText(0.75)).toBe('0.75');
    expect(anyText(null)).toBeUndefined();
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(anyText(deep)).toMatch(/^(\[\[|a list of 1, nested too deeply)/);
  });
});

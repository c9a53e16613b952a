import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWithDigits } from './json-digits.ts';

/** A text, and the value that it should come to. */
type Pair = [text: string, value: unknown];
const written = (value: string | number): Pair => [JSON.stringify(value), value];
const digits = (value: bigint): Pair => [
  String(value),
  Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
];

describe('an integer that a number does not hold', () => {
  it.each([
    ['{"id":9007199254740993,"n":9007199254740991}', { id: '9007199254740993', n: 9_007_199_254_740_991 }],
    ['[-12345678901234567890 , 1]', ['-12345678901234567890', 1]],
    ['{"a":\n12345678901234567890\n}', { a: '12345678901234567890' }],
    [
      '{"a":"at 12345678901234567890","b":[12345678901234567890]}',
      { a: 'at 12345678901234567890', b: ['12345678901234567890'] },
    ],
    [
      '{"a\\\\":12345678901234567890,"\\"b: 12345678901234567890":7}',
      { 'a\\': '12345678901234567890', '"b: 12345678901234567890': 7 },
    ],
    [
      '{"a":1234567890123456789.5,"b":12345678901234567890e1}',
      { a: Number('1234567890123456789.5'), b: Number('12345678901234567890e1') },
    ],
    ['12345678901234567890', Number('12345678901234567890')],
  ])('comes as its digits: %s', (text, value) => {
    expect(parseWithDigits(text)).toEqual(value);
  });

  it('comes as its digits wherever it stands, and nothing else is changed', () => {
    // Names without backslashes: V8 13.6 mixes up `\\` and `\"` as names of objects that are otherwise alike.
    const name = fc.oneof(
      fc.string().map((text) => text.replaceAll('\\', '')),
      fc.constantFrom('__proto__', '"', ': 12345678901234567890', ',12345678901234567890]'),
    );
    const said = fc.oneof(name, fc.string(), fc.constantFrom('\\', '\\"', 'at 12345678901234567890'));
    const { pair } = fc.letrec<{ pair: Pair }>((tie) => ({
      pair: fc.oneof(
        { depthSize: 'small' },
        fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(digits),
        // Without those that are written as an integer of many digits.
        fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e15, min: -1e15 }).map((one) => written(one + 0)),
        said.map(written),
        fc
          .array(tie('pair'))
          .map((list): Pair => [`[${list.map(([text]) => text).join(' , ')}]`, list.map(([, value]) => value)]),
        fc.array(fc.tuple(name, tie('pair'))).map((members): Pair => {
          const texts = members.map(([key, [text]]) => `${JSON.stringify(key)}:${text}`);
          return [`{${texts.join(',')}}`, Object.fromEntries(members.map(([key, [, value]]) => [key, value]))];
        }),
      ),
    }));
    fc.assert(
      fc.property(pair, ([text, value]) => {
        expect(parseWithDigits(`[${text}]`)).toEqual([value]);
      }),
      { numRuns: 500, seed: 20_261_127 },
    );
  });

  it('makes no JSON of what is none', () => {
    for (const text of [
      '{12345678901234567890:1}',
      '[00000000000000000001]',
      '[1234567890123456789',
      '[12345678901234567890"a"]',
    ])
      expect(() => parseWithDigits(text), text).toThrow(SyntaxError);
  });

  it('costs nothing in a deep body, and little where there are millions of digits', () => {
    expect(parseWithDigits(`${'['.repeat(50_000)}12345678901234567890${']'.repeat(50_000)}`)).toHaveLength(1);
    expect(parseWithDigits(`[${'1'.repeat(4_000_000)}]`)).toEqual([Number.POSITIVE_INFINITY]);
  });
});

import { gzipSync } from 'node:zlib';
import { parseWithDigits } from '@funnelai/domain/json-digits';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSyntaxError, parseJson } from './json.ts';
import { faultOffset } from './json-place.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

describe('a body that is not JSON', () => {
  it.each([
    ['', 'found nothing at line 1, column 1'],
    ['{"a":}', 'found "}" at line 1, column 6'],
    ['[1,2', 'found its end at line 1, column 5'],
    ['{\n  "alerts": [\n    {"labels": {,}}\n]}', 'found "," at line 3, column 17'],
    ['{"a":1}x', 'found "x" at line 1, column 8'],
    ['[1,]', 'found "]" at line 1, column 4'],
    ["{'a':1}", `found "'" at line 1, column 2`],
    ['"a\nb"', 'found "\\n" at line 1, column 3'],
    ['"\\x"', 'found "x" at line 1, column 3'],
    ['nul', 'found its end at line 1, column 4'],
    ['alerts=1', 'found "a" at line 1, column 1'],
    ['01', 'found "1" at line 1, column 2'],
  ])('%j: %s', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('names the byte that is not UTF-8', () => {
    expect(() => parseJson(Buffer.concat([Buffer.from('{"a":"\n'), Buffer.from([0xff, 0x22, 0x7d])]))).toThrow(
      'a byte that is not UTF-8 at line 2, column 1',
    );
  });

  it('names field, found and expected, and knows gzip that its sender did not name', () => {
    expect(() => parse('{')).toThrow('the body: found its end at line 1, column 2, expected JSON');
    expect(() => parseJson(gzipSync('{}'))).toThrow(
      'found gzip at line 1, column 1, expected JSON, or the header content-encoding',
    );
  });

  it('skips a byte order mark', () => {
    expect(parse('\ufeff[1]')).toEqual([1]);
  });
});

describe('the place of a fault', () => {
  it('is found for exactly those texts that JSON.parse refuses', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', ']', '"', '\\', '0', ' '))
        .map(
          ([json, at, char]) => json.slice(0, at % (json.length + 1)) + char + json.slice((at % (json.length + 1)) + 1),
        ),
    );
    fc.assert(
      fc.property(texts, (text) => {
        if (text.trim() === '') return;
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) {
          expect(parse(text)).toEqual(parseWithDigits(text));
          expect(faultOffset(text)).toBe(text.length);
        } else {
          expect(() => parse(text)).toThrow(JsonSyntaxError);
          const at = faultOffset(text);
          // What stands before the place could still become JSON; with the character at it, no longer.
          expect(faultOffset(text.slice(0, at))).toBe(at);
          if (at < text.length) expect(faultOffset(text.slice(0, at + 1))).toBe(at);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('is found in depth and length without recursion', () => {
    const open = '['.repeat(500_000);
    expect(faultOffset(`${open}!`)).toBe(500_000);
  });
});

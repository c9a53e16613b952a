import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutBytes, utf8Bytes } from './bytes.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('a', '\u0000', 'ß', '界', '😀', '\ud83d', '\ude00', '\uffff'))
    .map((parts) => parts.join('')),
);

describe('the bytes of a text', () => {
  it('are as many as an encoder makes of it, whole characters and halves of them', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8Bytes(text)).toBe(Buffer.byteLength(text, 'utf8'));
      }),
    );
  });

  it('are cut to the bound, with a mark, and never within a character', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 40 }), (text, most) => {
        const cut = cutBytes(text.toWellFormed(), most);
        expect(utf8Bytes(cut)).toBeLessThanOrEqual(most);
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});

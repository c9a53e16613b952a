/** Bounds on text that strangers send, in bytes of UTF-8: never half a character, always a mark where something was cut. */

/** Stands where text was cut off. */
export const CUT_MARK = '…';
const encoder = new TextEncoder();
const MARK_BYTES = encoder.encode(CUT_MARK).length;

/** Counted and not encoded: it is asked for every label of every alert, and most are short. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // The two halves of one character are four bytes together; half of one alone is U+FFFD, three.
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1))) at += 1;
  }
  return bytes;
}
const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** Returns the text as any store takes it: lone surrogates and NUL become U+FFFD. */
export function cleanText(text: string): string {
  const whole = text.toWellFormed();
  return whole.includes('\u0000') ? whole.replaceAll('\u0000', '\uFFFD') : whole;
}

/** Returns the longest beginning that with the mark takes at most `maxBytes`; the text itself when it fits. */
export function cutBytes(text: string, maxBytes: number): string {
  // A UTF-16 unit is one byte at the least: what is far too long need not be encoded whole.
  const candidate = text.length > maxBytes ? text.slice(0, maxBytes + 1) : text;
  // Three bytes a unit at the most: what is short need not be counted.
  if (text.length * 3 <= maxBytes || (text.length <= maxBytes && utf8Bytes(text) <= maxBytes)) return text;
  if (maxBytes < MARK_BYTES) return '';
  const room = new Uint8Array(maxBytes - MARK_BYTES);
  const { read } = encoder.encodeInto(candidate, room);
  return candidate.slice(0, read) + CUT_MARK;
}

/** Returns the text cut to `maxBytes` bytes without a mark. */
export function headBytes(text: string, maxBytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}

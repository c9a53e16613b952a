/**
 * Text that is not UTF-8, as JSON has to be: UTF-16, as Windows' shells write files; bytes of Windows-1252, as its older clients send
 * them; a character that was cut in two. Promises that what is UTF-8 stays as it is, also beside what is none, and work and memory in
 * proportion to the body.
 */
import { isUtf8 } from 'node:buffer';
import type { Oddity } from '@funnelai/domain/possible-times';

/** What Windows-1252 has where Latin-1 has control characters; the others of its upper half are Latin-1's. */
const UPPER = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const TABLE = Array.from({ length: 128 }, (_, i) => Buffer.from(UPPER[i] ?? String.fromCharCode(0x80 + i), 'utf8'));

/** Returns the text in UTF-8, and what was odd about it. What is gzip stays: it is no text at all. */
export function asUtf8(body: Buffer): { body: Buffer; odd?: Oddity } {
  if (isUtf8(body) && !isUtf16(body)) return { body };
  if (body[0] === 0x1f && body[1] === 0x8b) return { body };
  const odd = { field: '', expected: 'UTF-8' };
  if (isUtf16(body)) return { body: fromUtf16(body), odd: { ...odd, found: 'UTF-16', done: 'read as UTF-16' } };
  const at = validUntil(body);
  const found = `the byte 0x${(body[at] ?? 0).toString(16)} at offset ${at} of the body`;
  return { body: fromMixed(body), odd: { ...odd, found, done: 'read as Windows-1252 where it is no UTF-8' } };
}

/** By its mark, or as RFC 4627 told it: JSON begins with two characters of ASCII. */
function isUtf16({ length, 0: first, 1: second }: Buffer): boolean {
  if (length < 2) return false;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || (first === 0) !== (second === 0);
}

function fromUtf16(body: Buffer): Buffer {
  const isBig = body[0] === 0xfe || body[0] === 0;
  // Half a character at the end is none.
  const whole = body.subarray(0, body.length - (body.length % 2));
  return Buffer.from((isBig ? Buffer.from(whole).swap16() : whole).toString('utf16le').toWellFormed(), 'utf8');
}

function fromMixed(body: Buffer): Buffer {
  let size = 0;
  for (let at = 0; at < body.length; ) {
    const length = sequenceAt(body, at);
    size += length === 0 ? tableAt(body, at).length : length;
    at += Math.max(1, length);
  }
  const text = Buffer.allocUnsafe(size);
  let to = 0;
  for (let at = 0; at < body.length; ) {
    const length = sequenceAt(body, at);
    to += length === 0 ? tableAt(body, at).copy(text, to) : body.copy(text, to, at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

const tableAt = (body: Buffer, at: number): Buffer => TABLE[(body[at] ?? 0x80) - 0x80] ?? Buffer.alloc(0);

function validUntil(body: Buffer): number {
  let at = 0;
  for (let length = 1; length > 0 && at < body.length; at += length) length = sequenceAt(body, at);
  return at;
}

/** Returns the length of the character of UTF-8 that begins there (RFC 3629, 4); 0 where none does. */
function sequenceAt(body: Buffer, at: number): number {
  const first = body[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > body.length) return 0;
  const second = body[at + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i += 1) if (((body[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

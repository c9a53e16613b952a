/** Reads and checks the signature that a sender puts beside a body: an HMAC under a key that it shares with the source. Pure. */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseDuration, parseInstant } from '@funnelai/domain/instants';
import type { Hmac } from '@funnelai/domain/source-credentials';
import { Temporal } from 'temporal-polyfill';
import { SIGNATURES_PER_REQUEST } from '../limits.ts';
import { describe } from '../receivers/problem.ts';

const TOLERANCE = '5m';
const SEPARATOR = ':';
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 } as const;

/** What the headers of a request hold; the body is still to come. */
export interface Signed {
  signatures: readonly Buffer[];
  /** What is signed before the body. */
  before: string;
}

/** Returns what the headers hold, or in words for the sender's owner what is wrong with them. */
export function readSignature(hmac: Hmac, headers: IncomingHttpHeaders, now: Temporal.Instant): Signed | string {
  const value = headerOf(headers, hmac.header);
  if (value === undefined) return `${hmac.header}: found no such header, expected ${expectedOf(hmac)}`;
  const signatures = value
    .split(',')
    .slice(0, SIGNATURES_PER_REQUEST)
    .flatMap((one) => decode(hmac, one.trim()));
  if (signatures.length === 0) return `${hmac.header}: found no signature in it, expected ${expectedOf(hmac)}`;
  if (hmac.timestampHeader === undefined) return { signatures, before: '' };
  const sent = headerOf(headers, hmac.timestampHeader);
  const at = sent === undefined ? undefined : readTime(sent);
  if (at === undefined)
    return `${hmac.timestampHeader}: found ${sent === undefined ? 'no such header' : describe(sent)}, expected the time of sending as Unix seconds, milliseconds or RFC 3339`;
  const tolerance = hmac.tolerance ?? TOLERANCE;
  if (Math.abs(at.epochMilliseconds - now.epochMilliseconds) > parseDuration(tolerance))
    return `${hmac.timestampHeader}: found ${at.toString()}, expected a time within ${tolerance} of ${now.toString({ smallestUnit: 'second' })}`;
  return { signatures, before: `${sent}${hmac.separator ?? SEPARATOR}` };
}

/** The keys of a Secret, as what can sign and cannot be printed. */
export function signingKeys(lines: readonly string[]): KeyObject[] {
  return lines.map((line) => createSecretKey(line, 'utf8'));
}

/** Compares every signature with that of every key, also after one was equal. */
export function isSigned(hmac: Hmac, { signatures, before }: Signed, body: Uint8Array, keys: readonly KeyObject[]) {
  let found = false;
  for (const key of keys) {
    const expected = createHmac(hmac.algorithm ?? 'sha256', key)
      .update(before, 'utf8')
      .update(body)
      .digest();
    for (const given of signatures) found = timingSafeEqual(given, expected) || found;
  }
  return found;
}

/** What a sender should have sent, for people. */
export function expectedOf({ algorithm, encoding, prefix, timestampHeader, separator }: Hmac): string {
  const of =
    timestampHeader === undefined
      ? 'the body'
      : `the value of ${timestampHeader}, ${JSON.stringify(separator ?? SEPARATOR)} and the body`;
  const written = `in ${(encoding ?? 'Hex').toLowerCase()}${prefix ? ` after ${JSON.stringify(prefix)}` : ''}`;
  return `the HMAC-${(algorithm ?? 'sha256').toUpperCase()} of ${of} under the key of this AlertSource, ${written}`;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Of another length it is no signature of this algorithm. */
function decode({ algorithm, encoding, prefix = '' }: Hmac, text: string): Buffer[] {
  if (!text.startsWith(prefix)) return [];
  const bytes = Buffer.from(text.slice(prefix.length), encoding === 'Base64' ? 'base64' : 'hex');
  return bytes.length === DIGEST_BYTES[algorithm ?? 'sha256'] ? [bytes] : [];
}

function readTime(text: string): Temporal.Instant | undefined {
  if (/^\d{1,11}$/.test(text)) return Temporal.Instant.fromEpochMilliseconds(Number(text) * 1000);
  if (/^\d{12,14}$/.test(text)) return Temporal.Instant.fromEpochMilliseconds(Number(text));
  return parseInstant(text);
}

/** Reads what a sender shows in the header Authorization, and compares it in a time that tells nothing. Pure. */
import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of each credential. The credentials themselves are not kept. */
export function tokenHashes(credentials: readonly string[]): Buffer[] {
  return credentials.map(hashOf);
}

/** Compares with every hash, also after one was equal. */
export function isOneOf(token: string, hashes: readonly Buffer[]): boolean {
  const given = hashOf(token);
  let found = false;
  for (const known of hashes) found = timingSafeEqual(given, known) || found;
  return found;
}

/** Returns the token of an `Authorization: Bearer …` header; undefined for any other header. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
}

/** Returns `user:password` of an `Authorization: Basic …` header (RFC 7617, UTF-8); undefined for any other header. */
export function basicPair(header: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '')?.[1];
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  return pair.includes(':') ? pair : undefined;
}

function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

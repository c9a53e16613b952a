/** Decides whether a bearer token is one of those that a Secret holds, in a time that tells nothing about them. Pure. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { TOKENS_PER_SECRET } from '../limits.ts';

/** SHA-256 of each token of a Secret's value: one a line, blank lines skipped. The tokens themselves are not kept. */
export function tokenHashes(value: Buffer): Buffer[] {
  return value
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, TOKENS_PER_SECRET)
    .map(hash);
}

/** Compares with every hash, also after one was equal. */
export function isOneOf(token: string, hashes: readonly Buffer[]): boolean {
  const given = hash(token);
  let found = false;
  for (const known of hashes) found = timingSafeEqual(given, known) || found;
  return found;
}

/** Returns the token of an `Authorization: Bearer …` header; undefined for any other header. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

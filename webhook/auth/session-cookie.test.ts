import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COOKIE_CHUNK_BYTES } from '../limits.ts';
import { clearedSession, parseCookies, sessionCookies, tokenFromCookies } from './session-cookie.ts';

/** What a browser would send after these answers. */
function browser(...answers: string[][]): string {
  const jar = new Map<string, string>();
  for (const line of answers.flat()) {
    const [pair = ''] = line.split(';');
    const [name = '', ...value] = pair.split('=');
    if (line.includes('Max-Age=0')) jar.delete(name);
    else jar.set(name, value.join('='));
  }
  return [...jar].map(([n, v]) => `${n}=${v}`).join('; ');
}
const NONE = new Map<string, string>();

describe('a session in cookies', () => {
  it('gives back any token, in chunks that a browser keeps', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 16_000, unit: 'grapheme-ascii' }), (token) => {
        const set = sessionCookies(token, NONE, false);
        for (const line of set) expect(line.length).toBeLessThanOrEqual(COOKIE_CHUNK_BYTES);
        expect(tokenFromCookies(parseCookies(browser(set)))).toBe(token);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves no part of a longer token behind when a shorter one follows', () => {
    const long = sessionCookies('x'.repeat(10_000), NONE, false);
    const short = sessionCookies('y', parseCookies(browser(long)), false);
    expect(browser(long, short)).toBe('funnelai_session=1:y');
  });

  it('is none when a part is missing, so that half a token is never sent', () => {
    const cookies = parseCookies(browser(sessionCookies('x'.repeat(10_000), NONE, false)));
    cookies.delete('funnelai_session.1');
    expect(tokenFromCookies(cookies)).toBeUndefined();
  });

  it.each([
    'funnelai_session=',
    'funnelai_session=0:a',
    'funnelai_session=99:a',
    'funnelai_session=1:%',
    'other=1:a',
    '',
  ])('is none in %j', (header) => {
    expect(tokenFromCookies(parseCookies(header))).toBeUndefined();
  });

  it('is out of reach of scripts and of other sites, and ends whole', () => {
    const set = sessionCookies('x'.repeat(5_000), NONE, true);
    for (const line of set) expect(line).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    expect(browser(set, clearedSession(parseCookies(browser(set)), true))).toBe('');
  });
});

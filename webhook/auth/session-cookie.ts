/** A person's token as cookies, in as many chunks as browsers need, and back. Pure. */
import { COOKIE_CHUNK_BYTES, TOKEN_BYTES } from '../limits.ts';

export const SESSION_COOKIE = 'funnelai_session';
/** Room for the attributes beside the value. */
const CHUNK = COOKIE_CHUNK_BYTES - 200;
const MOST_CHUNKS = Math.ceil((TOKEN_BYTES * 3) / CHUNK);

const chunkName = (i: number): string => (i === 0 ? SESSION_COOKIE : `${SESSION_COOKIE}.${i}`);

/**
 * Returns `Set-Cookie` values that hold the token and clear what an earlier, longer one left. A session cookie: it goes with the
 * browser. The first chunk says how many there are, so that a stale one is never taken for a part.
 */
export function sessionCookies(token: string, had: ReadonlyMap<string, string>, secure: boolean): string[] {
  const encoded = encodeURIComponent(token);
  const count = Math.max(1, Math.ceil(encoded.length / CHUNK));
  const set = Array.from({ length: count }, (_, i) => {
    const part = encoded.slice(i * CHUNK, (i + 1) * CHUNK);
    return `${chunkName(i)}=${i === 0 ? `${count}:${part}` : part}${attributes(secure)}`;
  });
  return [...set, ...cleared(had, secure, count)];
}

/** Returns `Set-Cookie` values that end the session. */
export function clearedSession(had: ReadonlyMap<string, string>, secure: boolean): string[] {
  const names = new Set([SESSION_COOKIE, ...had.keys()]);
  return [...names].filter(isSessionName).map((name) => `${name}=; Max-Age=0${attributes(secure)}`);
}

function cleared(had: ReadonlyMap<string, string>, secure: boolean, kept: number): string[] {
  const keep = new Set(Array.from({ length: kept }, (_, i) => chunkName(i)));
  return [...had.keys()]
    .filter((n) => isSessionName(n) && !keep.has(n))
    .map((n) => `${n}=; Max-Age=0${attributes(secure)}`);
}

/** Returns the token of a `Cookie` header; undefined when there is none or a part is missing. */
export function tokenFromCookies(cookies: ReadonlyMap<string, string>): string | undefined {
  const [, digits, first] = /^(\d{1,2}):(.*)$/.exec(cookies.get(SESSION_COOKIE) ?? '') ?? [];
  const count = Number(digits);
  if (first === undefined || count < 1 || count > MOST_CHUNKS) return undefined;
  let encoded = first;
  for (let i = 1; i < count; i += 1) {
    const part = cookies.get(chunkName(i));
    if (part === undefined) return undefined;
    encoded += part;
  }
  try {
    const token = decodeURIComponent(encoded);
    return token === '' ? undefined : token;
  } catch {
    return undefined;
  }
}

/** Returns the pairs of a `Cookie` header (RFC 6265, 4.2.1); of a name that stands twice the first counts. */
export function parseCookies(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at < 1) continue;
    const name = pair.slice(0, at).trim();
    if (!cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}

function isSessionName(name: string): boolean {
  return name === SESSION_COOKIE || name.startsWith(`${SESSION_COOKIE}.`);
}

function attributes(secure: boolean): string {
  return `; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

/** Finds the person of a request, and refuses what a strange page could make a browser send (CSRF, DNS rebinding). */
import type { FastifyRequest } from 'fastify';
import { bearerToken } from '../intake/tokens.ts';
import { HttpProblem } from '../server/problems.ts';
import type { Identities, Person } from './identity.ts';
import { parseCookies, tokenFromCookies } from './session-cookie.ts';

/** A header that a form cannot send and a foreign script may not without our leave. */
export const CSRF_HEADER = 'x-funnelai';

export interface Credential {
  token: string;
  /** From a cookie, which a browser sends by itself; not so an Authorization header. */
  ambient: boolean;
}

/** Returns what the request proves itself with; an Authorization header makes cookies not count. */
export function credentialOf(request: FastifyRequest): Credential | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = bearerToken(header);
    return token === undefined ? undefined : { token, ambient: false };
  }
  const token = tokenFromCookies(parseCookies(request.headers.cookie));
  return token === undefined ? undefined : { token, ambient: true };
}

/** Throws HttpProblem Unauthenticated or, for a write that may not be the person's own, Forbidden. */
export async function authenticate(request: FastifyRequest, identities: Identities): Promise<Person> {
  const credential = credentialOf(request);
  if (credential === undefined) {
    throw new HttpProblem(
      'Unauthenticated',
      'You are not signed in. Sign in, or send Authorization: Bearer <Kubernetes token>.',
      {
        headers: { 'www-authenticate': 'Bearer realm="funnelAI"' },
      },
    );
  }
  if (credential.ambient && request.method !== 'GET' && request.method !== 'HEAD') demandOwnPage(request);
  return identities.personOf(credential.token);
}

/** Throws unless the request was made by a script of this very site. */
export function demandOwnPage(request: FastifyRequest): void {
  if (request.headers[CSRF_HEADER] !== '1') {
    throw new HttpProblem(
      'Forbidden',
      `A write with a cookie needs the header ${CSRF_HEADER}: 1. Scripts use Authorization: Bearer instead.`,
    );
  }
  const { origin, host } = request.headers;
  if (origin === undefined || originHost(origin) !== host) {
    throw new HttpProblem(
      'Forbidden',
      'A write with a cookie must come from a page of this site: the Origin header is missing or names another.',
    );
  }
}

/** Is this page, as far as its origin tells, served over TLS? Only ever makes the cookie stricter. */
export function isSecure(request: FastifyRequest): boolean {
  return request.headers.origin?.startsWith('https://') === true || request.headers['x-forwarded-proto'] === 'https';
}

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

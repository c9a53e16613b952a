/** What holds for every answer: headers that bind the browser, and the Host check that stops DNS rebinding. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from './problems.ts';

/** Styles may be inline, for Emotion writes them at run time; scripts may not. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
};
/** What those read who have a source's token, under whatever name they know this server. */
const SENDERS_API = /^\/alerts\/[^/?]+\/[^/?]+\/api\/v2\//;
const SENDERS_METHODS = new Set(['POST', 'OPTIONS']);
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

/** Is this an address that only this machine can reach? */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Adds the headers; bound to loopback, refuses names that a stranger's DNS could point here (the intake has tokens of its own). */
export function addGuards(app: FastifyInstance, boundTo: string): void {
  // Every request comes by here: by callback it costs no promise.
  app.addHook('onRequest', (request, reply, done) => {
    try {
      guard(request, reply, boundTo);
    } catch (error) {
      return done(error as Error);
    }
    done();
  });
}

function guard(request: FastifyRequest, reply: FastifyReply, boundTo: string): void {
  reply.header('x-request-id', request.id);
  demandOneHost(request.raw);
  demandPath(request.raw.url);
  // Senders are no browsers, and come with tokens of their own.
  if (SENDERS_METHODS.has(request.method) && request.url.startsWith('/alerts/')) return;
  reply.headers(HEADERS);
  if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  if (!isLoopback(boundTo) || SENDERS_API.test(request.url)) return;
  const name = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (isLoopback(name) || name.endsWith('.localhost')) return;
  throw new HttpProblem(
    'Forbidden',
    `This server is bound to ${boundTo} and answers to localhost and 127.0.0.1 only, not to ${JSON.stringify(name.slice(0, 80))}.`,
    { status: 421 },
  );
}

/** RFC 9112, 3.2: a proxy in front might have believed the other one. */
function demandOneHost(raw: IncomingMessage): void {
  let hosts = 0;
  for (let i = 0; i < raw.rawHeaders.length; i += 2) {
    const name = raw.rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return;
  throw new HttpProblem(
    'Invalid',
    `host: found ${hosts === 0 ? 'none' : `${hosts} of them`}, expected one Host header.`,
  );
}

/** `*` is no path, and the router would take it for `/`. */
function demandPath(url = ''): void {
  if (url.startsWith('*'))
    throw new HttpProblem(
      'Invalid',
      `path: found ${JSON.stringify(url.slice(0, 80))}, expected one that begins with /.`,
    );
}

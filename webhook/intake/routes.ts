/**
 * The entrance for alerts. Order matters: path, source, token, then the body, so that nobody without a token makes us read one.
 * Answers 2xx only when every alert of the body is in etcd.
 */
import type { IncomingMessage } from 'node:http';
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { type Reading, readAlertmanager, type Shape } from '../receivers/alertmanager.ts';
import { BodyProblem, TooManyAlerts } from '../receivers/problem.ts';
import { demandNames } from '../server/names.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import { answerFor } from './answer.ts';
import { BodyAborted, BodyEncodingError, BodyTooLarge, readBody } from './body.ts';
import { createBudget, type Share } from './budget.ts';
import type { Ingest } from './ingest.ts';
import { JsonSyntaxError, parseJson } from './json.ts';
import type { SourceAuth } from './source-auth.ts';
import { bearerToken } from './tokens.ts';

export interface IntakeDeps {
  sources: Cache<AlertSource>;
  auth: SourceAuth;
  ingest: Ingest;
  clock: Clock;
  metrics: WebhookMetrics;
}

export const INTAKE_PATHS: Record<Shape, string> = {
  Webhook: '/alerts/:namespace/:source',
  ApiV2: '/alerts/:namespace/:source/api/v2/alerts',
};
const JSON_TYPE = /^application\/(json|[\w.-]+\+json)$/;

interface Params {
  namespace: string;
  source: string;
}

/** Registers the intake's routes in a scope of their own: they take the body themselves, as a stream. */
export function intakeRoutes(deps: IntakeDeps): (app: FastifyInstance) => Promise<void> {
  const enter = createBudget((limit) => busy(deps, limit));
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const shape of ['Webhook', 'ApiV2'] as const) {
      app.post<{ Params: Params }>(INTAKE_PATHS[shape], (request, reply) => take(deps, enter, shape, request, reply));
    }
  };
}

async function take(
  deps: IntakeDeps,
  enter: () => Share,
  shape: Shape,
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
): Promise<unknown> {
  const share = enter();
  try {
    const source = findSource(deps, request.params);
    await authenticate(deps, source, request.headers.authorization);
    checkContentType(request.headers['content-type']);
    share.of(`${source.metadata.namespace}/${source.metadata.name}`);
    const reading = read(deps, await bytesOf(deps, request.raw, share.hold), shape);
    const bad = new Set(reading.problems.map((p) => p.index)).size;
    for (let i = 0; i < bad; i += 1) deps.metrics.alert('unreadable');
    if (reading.truncated > 0)
      request.log.warn(
        { truncatedAlerts: reading.truncated },
        'the sender left alerts out of a body: raise max_alerts',
      );
    const result = await deps.ingest.ingest(source, reading.received);
    const answer = answerFor(reading, result, request.id);
    if (answer.status === 503)
      request.log.warn({ why: result.why, notStored: result.unavailable }, 'alerts not stored');
    reply.code(answer.status).headers(answer.headers);
    // Alertmanager's own API v2 answers 200 with nothing.
    return await (shape === 'ApiV2' && answer.status === 200 ? reply.send() : reply.send(answer.body));
  } catch (error) {
    // What is left of a body that was refused is not read: the connection cannot be used again.
    if (!request.raw.complete) reply.header('connection', 'close');
    throw error;
  } finally {
    share.end();
  }
}

function findSource(deps: IntakeDeps, params: Params): AlertSource {
  const { namespace, source: name } = params;
  demandNames({ namespace, name }, 'source');
  const source = deps.sources.get(namespace, name);
  if (source !== undefined) return source;
  if (!deps.sources.synced || !deps.sources.fresh()) {
    // Not knowing a source is no reason to tell its sender that there is none: 404 is never retried.
    throw new HttpProblem('Unavailable', 'The API server is away: it is not known whether this source exists.', {
      headers: retryAfter(limits.RETRY_AFTER_MS),
    });
  }
  throw new HttpProblem('NotFound', `There is no AlertSource ${name} in namespace ${namespace}.`);
}

async function authenticate(deps: IntakeDeps, source: AlertSource, header: string | undefined): Promise<void> {
  const challenge = (error?: string) => ({
    'www-authenticate': `Bearer realm="funnelAI alerts"${error === undefined ? '' : `, error="${error}"`}`,
  });
  const token = bearerToken(header);
  if (token === undefined) {
    throw new HttpProblem('Unauthenticated', 'Expected the header Authorization: Bearer <token of the AlertSource>.', {
      headers: challenge(),
    });
  }
  const outcome = await deps.auth.check(source, token);
  if (outcome === 'ok') return;
  if (outcome === 'wrongToken') {
    throw new HttpProblem('Unauthenticated', 'The bearer token is not the one of this AlertSource.', {
      headers: challenge('invalid_token'),
    });
  }
  const message =
    outcome === 'notConfigured'
      ? 'This AlertSource has no usable token yet. Its owner must create the Secret that it names.'
      : 'The token of this AlertSource cannot be checked now.';
  throw new HttpProblem('Unavailable', message, { headers: retryAfter(limits.RETRY_AFTER_MS) });
}

/** A missing type is taken for JSON: what is not JSON is refused by the parser, with the place. */
function checkContentType(header: string | undefined): void {
  const type = header?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || JSON_TYPE.test(type)) return;
  const hint =
    type === 'application/x-www-form-urlencoded'
      ? ' (curl -d sends that by itself: add -H "content-type: application/json")'
      : '';
  throw new HttpProblem(
    'UnsupportedMediaType',
    `content-type: found ${JSON.stringify(type.slice(0, 80))}${hint}, expected application/json.`,
  );
}

async function bytesOf(deps: IntakeDeps, raw: IncomingMessage, hold: (bytes: number) => void): Promise<Buffer> {
  try {
    return await readBody(raw, limits.INTAKE_BODY_BYTES, hold);
  } catch (error) {
    if (error instanceof BodyTooLarge) {
      deps.metrics.limitReached('INTAKE_BODY_BYTES');
      throw new HttpProblem(
        'TooLarge',
        `The body is larger than ${limits.INTAKE_BODY_BYTES} bytes (counted after gzip). Send fewer alerts at once: Alertmanager has max_alerts for that.`,
      );
    }
    if (error instanceof BodyEncodingError)
      throw new HttpProblem(error.supported ? 'Invalid' : 'UnsupportedMediaType', error.message);
    if (error instanceof BodyAborted) throw new HttpProblem('Invalid', error.message);
    throw error;
  }
}

function read(deps: IntakeDeps, bytes: Buffer, shape: Shape): Reading {
  try {
    return readAlertmanager(parseJson(bytes), shape, deps.clock.now());
  } catch (error) {
    if (error instanceof TooManyAlerts) {
      deps.metrics.limitReached('INTAKE_ALERTS');
      throw new HttpProblem('TooLarge', `${error.message} Send fewer: Alertmanager has max_alerts for that.`);
    }
    if (error instanceof JsonSyntaxError || error instanceof BodyProblem)
      throw new HttpProblem('Invalid', error.message);
    throw error;
  }
}

function busy(deps: IntakeDeps, limit: string): HttpProblem {
  deps.metrics.limitReached(limit);
  return new HttpProblem('Unavailable', 'Too many alerts are being received at once.', { headers: retryAfter(1_000) });
}

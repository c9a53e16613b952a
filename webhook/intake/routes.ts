/**
 * The entrance for alerts. Order matters: path, source, token, then the body, so that nobody without a token makes us read one.
 * Answers 2xx only when every alert of the body is in etcd. A source of Alertmanager's format can be read as one, too.
 */
import type { IncomingMessage } from 'node:http';
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Temporal } from 'temporal-polyfill';
import { BY_NAMESPACE } from '../api/context.ts';
import type { LeaseBook } from '../leases/collector.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { API_V2_READS, type ApiV2Read, answerApiV2 } from '../receivers/alertmanager-api.ts';
import { BodyProblem, TooManyAlerts } from '../receivers/problem.ts';
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import type { Receivers } from '../receivers/registry.ts';
import { demandNames } from '../server/names.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import { answerFor } from './answer.ts';
import { BodyAborted, BodyEncodingError, BodyTooLarge, readBody } from './body.ts';
import { createBudget, type Share } from './budget.ts';
import type { Ingest } from './ingest.ts';
import { JsonSyntaxError } from './json.ts';
import type { SourceAuth } from './source-auth.ts';
import { bearerToken } from './tokens.ts';

export interface IntakeDeps {
  sources: Cache<AlertSource>;
  /** By the index BY_NAMESPACE, for those who read them as from an Alertmanager. */
  alerts: Cache<Alert>;
  receivers: Receivers;
  auth: SourceAuth;
  ingest: Ingest;
  clock: Clock;
  metrics: WebhookMetrics;
  leases?: LeaseBook;
}

const INTAKE_PATH = '/alerts/:namespace/:source';

interface Params {
  namespace: string;
  source: string;
  /** What stands behind the source's own path. */
  '*'?: string;
}

/** Registers the intake's routes in a scope of their own: they take the body themselves, as a stream. */
export function intakeRoutes(deps: IntakeDeps): (app: FastifyInstance) => Promise<void> {
  const enter = createBudget((limit) => busy(deps, limit));
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const path of [INTAKE_PATH, `${INTAKE_PATH}/*`]) {
      app.post<{ Params: Params }>(path, (request, reply) => take(deps, enter, request, reply));
    }
    const startedAt = deps.clock.now();
    for (const path of API_V2_READS)
      app.get<{ Params: Params }>(`${INTAKE_PATH}${path}`, (request, reply) =>
        tell(deps, { path, startedAt }, request, reply),
      );
  };
}

async function take(
  deps: IntakeDeps,
  enter: () => Share,
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
): Promise<unknown> {
  const share = enter();
  try {
    const source = findSource(deps, request.params);
    const receiver = deps.receivers[source.spec.format];
    const path = pathUnder(source, receiver, request.params['*']);
    const { headers } = request;
    const inBody = headers.authorization === undefined && receiver.senderToken !== undefined;
    if (!inBody) await authenticate(deps, source, bearerToken(headers.authorization));
    const mediaType = mediaTypeOf(receiver, headers['content-type']);
    share.of(`${source.metadata.namespace}/${source.metadata.name}`);
    const query = new URL(request.url, 'http://localhost').searchParams;
    const body = await bytesOf(deps, request.raw, share.hold);
    const envelope: Envelope = { body, headers, mediaType, path, query, source, now: deps.clock.now() };
    if (inBody) await authenticate(deps, source, receiver.senderToken?.(envelope));
    const reading = await read(deps, receiver, envelope);
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
    const told = receiver.reply?.(answer, reading, envelope) ?? answer;
    reply.code(told.status).headers(told.headers);
    return await (told.body === undefined ? reply.send() : reply.send(told.body));
  } catch (error) {
    // What is left of a body that was refused is not read: the connection cannot be used again.
    if (!request.raw.complete) reply.header('connection', 'close');
    throw error;
  } finally {
    share.end();
  }
}

/** Lets whoever may send to the source read its alerts, as from an Alertmanager. */
async function tell(
  deps: IntakeDeps,
  { path, startedAt }: { path: ApiV2Read; startedAt: Temporal.Instant },
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
): Promise<unknown> {
  const source = findSource(deps, request.params);
  if (!deps.receivers[source.spec.format].paths.includes('/api/v2/alerts'))
    throw new HttpProblem(
      'NotFound',
      `AlertSource ${source.metadata.name} has format ${source.spec.format}, which has no API to read.`,
    );
  await authenticate(deps, source, bearerToken(request.headers.authorization));
  const { namespace = '', name } = source.metadata;
  const alerts = deps.alerts.byIndex(BY_NAMESPACE, namespace).filter(({ spec }) => spec.sourceRef.name === name);
  const { searchParams: query } = new URL(request.url, 'http://localhost');
  const answer = answerApiV2({ path, query, alerts, startedAt });
  if ('isCut' in answer) deps.metrics.limitReached('API_V2_ALERTS');
  return reply
    .code(answer.status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(answer.body));
}

function findSource(deps: IntakeDeps, params: Params): AlertSource {
  const { namespace, source: name } = params;
  demandNames({ namespace, name }, 'source');
  const source = deps.sources.get(namespace, name);
  if (source !== undefined) return source;
  if (!deps.sources.synced || !deps.sources.fresh()) {
    deps.leases?.missed();
    // Not knowing a source is no reason to tell its sender that there is none: 404 is never retried.
    throw new HttpProblem('Unavailable', 'The API server is away: it is not known whether this source exists.', {
      headers: retryAfter(limits.RETRY_AFTER_MS),
    });
  }
  throw new HttpProblem('NotFound', `There is no AlertSource ${name} in namespace ${namespace}.`);
}

async function authenticate(deps: IntakeDeps, source: AlertSource, token: string | undefined): Promise<void> {
  const challenge = (error?: string) => ({
    'www-authenticate': `Bearer realm="funnelAI alerts"${error === undefined ? '' : `, error="${error}"`}`,
  });
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

/** Returns the path behind the source's own. Throws where its format does not listen: a sender that is told 200 there would lose its alerts. */
function pathUnder(source: AlertSource, receiver: Receiver, rest: string | undefined): string {
  const path = rest === undefined || rest === '' ? '' : `/${rest.replace(/\/$/, '')}`;
  if (receiver.paths.includes(path)) return path;
  const own = `/alerts/${source.metadata.namespace}/${source.metadata.name}`;
  throw new HttpProblem(
    'NotFound',
    `AlertSource ${source.metadata.name} (${receiver.format}) does not listen at ${JSON.stringify(path.slice(0, 120))}, only at ${receiver.paths.map((p) => own + p).join(' and ')}.`,
  );
}

/** A missing type is taken for the format's own: what is not of it is refused by the receiver, with the place. */
function mediaTypeOf(receiver: Receiver, header: string | undefined): string {
  const type = header?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || receiver.takes(type)) return type;
  const hint =
    type === 'application/x-www-form-urlencoded'
      ? ' (curl -d sends that by itself: add -H "content-type: application/json")'
      : '';
  throw new HttpProblem(
    'UnsupportedMediaType',
    `content-type: found ${JSON.stringify(type.slice(0, 80))}${hint}, expected ${receiver.expects}.`,
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

async function read(deps: IntakeDeps, receiver: Receiver, envelope: Envelope): Promise<Reading> {
  try {
    return await receiver.read(envelope);
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
  deps.leases?.missed();
  return new HttpProblem('Unavailable', 'Too many alerts are being received at once.', { headers: retryAfter(1_000) });
}

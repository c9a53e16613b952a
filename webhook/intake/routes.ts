/**
 * The entrance for alerts. Order matters: path, source, token, then the body, so that nobody without a token makes us read one;
 * where only the body can vouch for itself, a place for strangers is all that it gets.
 * Answers 2xx only when every alert of the body is in etcd or in the inbox. A source of Alertmanager's format can be read as one, too.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { SecretWay } from '@funnelai/domain/source-credentials';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Temporal } from 'temporal-polyfill';
import { BY_NAMESPACE } from '../api/context.ts';
import type { LeaseBook } from '../leases/collector.ts';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { API_V2_READS, type ApiV2Read, answerApiV2 } from '../receivers/alertmanager-api.ts';
import { BodyProblem, MappingBroken, TooManyAlerts } from '../receivers/problem.ts';
import type { Envelope, Receiver } from '../receivers/receiver.ts';
import type { Receivers } from '../receivers/registry.ts';
import { demandNames } from '../server/names.ts';
import { HttpProblem, problemFrom, retryAfter } from '../server/problems.ts';
import { type Arrival, type ArrivalListener, noListener, refusalIn, refusalOf } from '../traffic/arrival.ts';
import { answerFor } from './answer.ts';
import { BodyAborted, BodyEncodingError, BodyTooLarge, readBody } from './body.ts';
import { createBudget, type Share } from './budget.ts';
import type { Ingest } from './ingest.ts';
import { JsonSyntaxError } from './json.ts';
import { previewOf } from './preview.ts';
import type { SourceAuth } from './source-auth.ts';
import { type Proof, refuted, vouchingFor } from './vouch.ts';

export interface IntakeDeps {
  sources: Cache<AlertSource>;
  /** By the index BY_NAMESPACE, for those who read them as from an Alertmanager. */
  alerts: Cache<Alert>;
  receivers: Receivers;
  auth: Pick<SourceAuth, 'check'>;
  ingest: Ingest;
  clock: Clock;
  metrics: WebhookMetrics;
  /** Hears of every request after it was answered. */
  arrivals?: ArrivalListener;
  leases?: LeaseBook;
}

/** A bound on what is received at once was reached. */
class Busy extends Error {}

const INTAKE_PATH = '/alerts/:namespace/:source';

interface Params {
  namespace: string;
  source: string;
  /** What stands behind the source's own path. */
  '*'?: string;
}

/** Behind any address of a source: what the body would become, and nothing is stored. */
const DRY_RUN = 'dry-run';

/** Registers the intake's routes in a scope of their own: they take the body themselves, as a stream. */
export function intakeRoutes(deps: IntakeDeps): (app: FastifyInstance) => Promise<void> {
  const enter = createBudget((limit) => {
    deps.metrics.limitReached(limit);
    deps.leases?.missed();
    return new Busy();
  });
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const path of [INTAKE_PATH, `${INTAKE_PATH}/*`]) {
      app.post<{ Params: Params }>(path, (request, reply) => takeAndTell(deps, enter, request, reply));
    }
    const startedAt = deps.clock.now();
    for (const path of API_V2_READS)
      app.get<{ Params: Params }>(`${INTAKE_PATH}${path}`, (request, reply) =>
        tell(deps, { path, startedAt }, request, reply),
      );
  };
}

async function takeAndTell(
  deps: IntakeDeps,
  enter: () => Share,
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
): Promise<unknown> {
  const { rest, isDryRun } = restOf(request.params['*']);
  const { headers } = request;
  const arrival: Arrival = { isKnown: false, path: rest, headers, alerts: 0, stored: 0, isDryRun };
  try {
    return await take(deps, enter, request, reply, arrival);
  } catch (error) {
    arrival.refusal = refusalOf(error);
    throw error;
  } finally {
    (deps.arrivals ?? noListener).saw(arrival);
  }
}

async function take(
  deps: IntakeDeps,
  enter: () => Share,
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
  arrival: Arrival,
): Promise<unknown> {
  const share = enter();
  let receiver: Receiver | undefined;
  try {
    const source = findSource(deps, request.params);
    arrival.source = source;
    const format = deps.receivers[source.spec.format];
    receiver = format;
    const path = pathUnder(source, format, arrival.path);
    const { headers } = request;
    const query = new URL(request.url, 'http://localhost').searchParams;
    const vouching = vouchingFor(source, format, { headers, query, now: deps.clock.now() });
    if (vouching.when === 'BeforeBody') await authenticate(deps, source, vouching.way, vouching.proof);
    // Also where nobody is asked, and the format itself knows who signed.
    const byBody = vouching.when === 'AfterBody' || (vouching.when === 'Never' && format.admit !== undefined);
    arrival.isKnown = !byBody;
    const mediaType = mediaTypeOf(format, headers['content-type']);
    const who = `${source.metadata.namespace}/${source.metadata.name}`;
    const body = byBody
      ? await bytesOfStranger(deps, request.raw, share, who)
      : await bytesOf(deps, request.raw, share.of(who));
    arrival.body = body;
    const envelope: Envelope = { body, headers, mediaType, path, query, source, now: deps.clock.now() };
    if (vouching.when === 'AfterBody') await authenticate(deps, source, vouching.way, vouching.proof(envelope));
    if (!arrival.isDryRun) await understood(deps, async () => format.admit?.(envelope));
    // Of a body that is only looked at nobody has checked who signed it.
    arrival.isKnown = vouching.when !== 'Never' || format.admit === undefined || !arrival.isDryRun;
    if (byBody) share.of(who);
    if (arrival.isDryRun) {
      const preview = await previewOf(format, envelope, deps.clock);
      return await reply.code(preview.answer.status).send(preview);
    }
    const reading = await understood(deps, () => format.read(envelope));
    const bad = new Set(reading.problems.map((p) => p.index)).size;
    for (let i = 0; i < bad; i += 1) deps.metrics.alert('unreadable');
    if (reading.truncated > 0)
      request.log.warn(
        { truncatedAlerts: reading.truncated },
        'the sender left alerts out of a body: raise max_alerts',
      );
    for (const limit of reading.reached ?? []) deps.metrics.limitReached(limit);
    const result = await deps.ingest.ingest(source, reading.received);
    const answer = answerFor(reading, result, request.id);
    arrival.alerts = reading.received.length + bad;
    arrival.stored = result.created + result.updated + result.unchanged + (result.inbox ?? 0);
    const refusal = refusalIn(answer, result.why);
    if (refusal !== undefined) arrival.refusal = refusal;
    if (answer.status === 503)
      request.log.warn({ why: result.why, notStored: result.unavailable }, 'alerts not stored');
    const told = format.reply?.(answer, reading, envelope) ?? answer;
    reply.code(told.status).headers(told.headers);
    return await (told.body === undefined ? reply.send() : reply.send(told.body));
  } catch (error) {
    // What is left of a body that was refused is not read: the connection cannot be used again.
    if (!request.raw.complete) reply.header('connection', 'close');
    const said = error instanceof Busy ? tooBusy(receiver) : error;
    const refused = receiver?.refuse === undefined ? undefined : problemFrom(said);
    if (receiver?.refuse === undefined || refused === undefined || refused.code === 'Internal') throw said;
    arrival.refusal = refusalOf(said);
    if (refused.status >= 500) request.log.warn({ why: refused.message }, 'request refused for now');
    const told = receiver.refuse(refused, request.headers);
    reply.code(refused.status).headers({ ...refused.details.headers, ...told.headers });
    return await reply.send(told.body);
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
  const { searchParams: query } = new URL(request.url, 'http://localhost');
  await admitReader(deps, source, request.headers, query, path);
  const { namespace = '', name } = source.metadata;
  const alerts = deps.alerts.byIndex(BY_NAMESPACE, namespace).filter(({ spec }) => spec.sourceRef.name === name);
  const answer = answerApiV2({ path, query, alerts, startedAt });
  if ('isCut' in answer) deps.metrics.limitReached('API_V2_ALERTS');
  return reply
    .code(answer.status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(answer.body));
}

/** Who may send may read. Where anyone may send, nobody has shown that these alerts are for him. */
async function admitReader(
  deps: IntakeDeps,
  source: AlertSource,
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
  path: string,
): Promise<void> {
  const now = deps.clock.now();
  const vouching = vouchingFor(source, deps.receivers[source.spec.format], { headers, query, now });
  if (vouching.when === 'Never')
    throw new HttpProblem(
      'Forbidden',
      `AlertSource ${source.metadata.name} asks for no credentials: it cannot be read here.`,
    );
  const empty: Envelope = { body: Buffer.alloc(0), headers, mediaType: '', path, query, source, now };
  const proof = vouching.when === 'BeforeBody' ? vouching.proof : vouching.proof(empty);
  await authenticate(deps, source, vouching.way, proof);
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

async function authenticate(deps: IntakeDeps, source: AlertSource, way: SecretWay, proof: Proof): Promise<void> {
  const outcome = await deps.auth.check(source, way, proof);
  if (outcome === 'ok') return;
  if (outcome === 'wrong') throw refuted(way);
  const message =
    outcome === 'notConfigured'
      ? 'This AlertSource has no usable credentials yet. Its owner must create the Secret that it names; its condition Ready says what is missing.'
      : 'The credentials of this AlertSource cannot be checked now.';
  throw new HttpProblem('Unavailable', message, { headers: retryAfter(limits.RETRY_AFTER_MS) });
}

/** The path behind the source's own, without the last part that asks for a dry run. */
function restOf(raw = ''): { rest: string; isDryRun: boolean } {
  const parts = raw.replace(/\/$/, '').split('/');
  const isDryRun = parts.at(-1) === DRY_RUN;
  const rest = (isDryRun ? parts.slice(0, -1) : parts).join('/');
  return { rest: rest === '' ? '' : `/${rest}`, isDryRun };
}

/** Returns the path behind the source's own. Throws where its format does not listen: a sender that is told 200 there would lose its alerts. */
export function pathUnder(source: AlertSource, receiver: Receiver, path: string): string {
  if (receiver.paths.includes(path)) return path;
  const own = `/alerts/${source.metadata.namespace}/${source.metadata.name}`;
  throw new HttpProblem(
    'NotFound',
    `AlertSource ${source.metadata.name} (${receiver.format}) does not listen at ${JSON.stringify(path.slice(0, 120))}, only at ${receiver.paths.map((p) => own + p).join(' and ')}.`,
  );
}

/** A missing type is taken for the format's own: what is not of it is refused by the receiver, with the place. */
export function mediaTypeOf(receiver: Receiver, header: string | undefined): string {
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

/** Reads the body of who has proven nothing yet, until newer ones need the place. */
async function bytesOfStranger(deps: IntakeDeps, raw: IncomingMessage, share: Share, source: string): Promise<Buffer> {
  const { promise: evicted, reject: evict } = Promise.withResolvers<never>();
  const reading = bytesOf(deps, raw, share.asStranger(source, evict));
  // Whichever ends second has no one left who listens.
  reading.catch(() => {});
  return Promise.race([reading, evicted]);
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

/** What of a body is not understood is said to its sender. */
async function understood<T>(deps: IntakeDeps, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TooManyAlerts) {
      deps.metrics.limitReached(error.limit);
      throw new HttpProblem('TooLarge', `${error.message} Send fewer: Alertmanager has max_alerts for that.`);
    }
    if (error instanceof MappingBroken) {
      // A 4xx would make the sender drop what an edit of the source lets in.
      throw new HttpProblem('Unavailable', error.message, { headers: retryAfter(limits.RETRY_AFTER_MS) });
    }
    if (error instanceof JsonSyntaxError || error instanceof BodyProblem)
      throw new HttpProblem('Invalid', error.message);
    throw error;
  }
}

function tooBusy(receiver: Receiver | undefined): HttpProblem {
  const code = receiver?.holdsAt429 ? 'TooMany' : 'Unavailable';
  return new HttpProblem(code, 'Too many alerts are being received at once.', { headers: retryAfter(1_000) });
}

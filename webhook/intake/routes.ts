/**
 * The entrance for alerts. Order matters: path, source, token, then the body, so that nobody without a token makes us read one;
 * where only the body can vouch for itself, a place for strangers is all that it gets.
 * Answers 2xx only when every alert of the body is in etcd or in the inbox.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as limits from '../limits.ts';
import { BodyProblem, MappingBroken, TooManyAlerts } from '../receivers/problem.ts';
import type { Receiver } from '../receivers/receiver.ts';
import { HttpProblem, problemFrom, retryAfter } from '../server/problems.ts';
import { type Arrival, type ArrivalListener, noListener, refusalIn, refusalOf } from '../traffic/arrival.ts';
import { answerFor } from './answer.ts';
import { addApiV2Refusals } from './api-v2-refusals.ts';
import { BodyAborted, BodyTooLarge, readBody } from './body.ts';
import { createBudget, type Share } from './budget.ts';
import { ACCEPTED_CODINGS, BrokenCoding, UnknownCoding } from './content-coding.ts';
import { authenticate, findSource, mediaTypeOf, pathUnder } from './entrance.ts';
import { inUtf8, readingOf } from './envelope.ts';
import type { Foresight } from './foresight.ts';
import type { Ingest } from './ingest.ts';
import { addOtherMethods } from './other-methods.ts';
import { previewOf } from './preview.ts';
import { addReadRoutes, type ReadDeps } from './read-routes.ts';
import type { Routing } from './routing.ts';
import { vouchingFor } from './vouch.ts';

export interface IntakeDeps extends ReadDeps {
  ingest: Ingest;
  routing: Routing;
  foresight: Foresight;
  /** Hears of every request after it was answered. */
  arrivals?: ArrivalListener;
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
    addApiV2Refusals(app);
    for (const path of [INTAKE_PATH, `${INTAKE_PATH}/*`]) {
      app.post<{ Params: Params }>(path, (request, reply) => takeAndTell(deps, enter, request, reply));
    }
    addReadRoutes(app, deps, INTAKE_PATH);
    addOtherMethods(app, deps, INTAKE_PATH);
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
    const source = await findSource(deps, request.params);
    arrival.source = source;
    const format = deps.receivers[source.spec.format];
    receiver = format;
    const path = pathUnder(source, format, arrival.path);
    const { headers } = request;
    const query = queryOf(request.url);
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
    const envelope = inUtf8(format, { body, headers, mediaType, path, query, source, now: deps.clock.now() });
    if (vouching.when === 'AfterBody') await authenticate(deps, source, vouching.way, vouching.proof(envelope));
    if (!arrival.isDryRun) await understood(deps, async () => format.admit?.(envelope));
    // Of a body that is only looked at nobody has checked who signed it.
    arrival.isKnown = vouching.when !== 'Never' || format.admit === undefined || !arrival.isDryRun;
    if (byBody) share.of(who);
    if (arrival.isDryRun) {
      const { preview, status } = await previewOf(format, envelope, deps);
      return await reply.code(status).send(preview);
    }
    const reading = await understood(deps, () => readingOf(format, envelope));
    const bad = new Set(reading.problems.map((p) => p.index)).size;
    for (let i = 0; i < bad; i += 1) deps.metrics.alert('unreadable');
    if (reading.truncated > 0)
      request.log.warn(
        { truncatedAlerts: reading.truncated },
        'the sender left alerts out of a body: raise max_alerts',
      );
    for (const limit of reading.reached ?? []) deps.metrics.limitReached(limit);
    const result = await deps.ingest.ingest(source, reading.received, { holdsAt429: format.holdsAt429 === true });
    const answer = answerFor(reading, result, request.id);
    arrival.alerts = reading.received.length + bad;
    arrival.stored = result.created + result.updated + result.unchanged + (result.inbox ?? 0);
    arrival.overRate = result.overRate ?? 0;
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

/** Most addresses have none, and are not taken apart for it. */
const queryOf = (address: string): URLSearchParams =>
  address.includes('?') ? new URL(address, 'http://localhost').searchParams : new URLSearchParams();

/** The path behind the source's own, without the last part that asks for a dry run. */
function restOf(raw = ''): { rest: string; isDryRun: boolean } {
  const parts = raw.replace(/\/$/, '').split('/');
  const isDryRun = parts.at(-1) === DRY_RUN;
  const rest = (isDryRun ? parts.slice(0, -1) : parts).join('/');
  return { rest: rest === '' ? '' : `/${rest}`, isDryRun };
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
        `the body: found more than ${limits.INTAKE_BODY_BYTES} bytes (as sent, or decompressed), expected at most so many. Send fewer alerts at once.`,
      );
    }
    if (error instanceof BrokenCoding) throw new HttpProblem('Invalid', error.message);
    if (error instanceof UnknownCoding) {
      if (error.limit !== undefined) deps.metrics.limitReached(error.limit);
      // RFC 9110, 12.5.3.
      const headers = { 'accept-encoding': ACCEPTED_CODINGS };
      throw new HttpProblem('UnsupportedMediaType', error.message, { headers });
    }
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
      throw new HttpProblem('TooLarge', error.message);
    }
    if (error instanceof MappingBroken) {
      // A 4xx would make the sender drop what an edit of the source lets in.
      throw new HttpProblem('Unavailable', error.message, { headers: retryAfter(limits.RETRY_AFTER_MS) });
    }
    if (error instanceof BodyProblem) throw new HttpProblem('Invalid', error.message);
    throw error;
  }
}

function tooBusy(receiver: Receiver | undefined): HttpProblem {
  const code = receiver?.holdsAt429 ? 'TooMany' : 'Unavailable';
  return new HttpProblem(code, 'Too many alerts are being received at once.', { headers: retryAfter(1_000) });
}

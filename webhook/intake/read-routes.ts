/** A source of Alertmanager's format read as an Alertmanager: `amtool alert query`, and Grafana's data source. Writes nothing. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Temporal } from 'temporal-polyfill';
import { BY_NAMESPACE } from '../api/context.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { API_V2_READS, type ApiV2Read, answerApiV2 } from '../receivers/alertmanager-api.ts';
import type { Envelope } from '../receivers/receiver.ts';
import type { Receivers } from '../receivers/registry.ts';
import { HttpProblem } from '../server/problems.ts';
import { authenticate, type EntranceDeps, findSource } from './entrance.ts';
import { vouchingFor } from './vouch.ts';

export interface ReadDeps extends EntranceDeps {
  /** By the index BY_NAMESPACE. */
  alerts: Cache<Alert>;
  receivers: Receivers;
  clock: Clock;
  metrics: WebhookMetrics;
}
interface Params {
  namespace: string;
  source: string;
}

/** Adds its routes below the path of a source. */
export function addReadRoutes(app: FastifyInstance, deps: ReadDeps, sourcePath: string): void {
  const startedAt = deps.clock.now();
  for (const path of API_V2_READS)
    app.get<{ Params: Params }>(`${sourcePath}${path}`, (request, reply) =>
      tell(deps, { path, startedAt }, request, reply),
    );
}

/** Lets whoever may send to the source read its alerts, as from an Alertmanager. */
async function tell(
  deps: ReadDeps,
  { path, startedAt }: { path: ApiV2Read; startedAt: Temporal.Instant },
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
): Promise<unknown> {
  const source = await findSource(deps, request.params);
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
  deps: ReadDeps,
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

/** The routes under /api/sources: what comes in where, what a body would become, and a test of the whole way. */
import { alertName, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import type { TestAnswer } from '@funnelai/domain/wire-sources';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Person } from '../auth/identity.ts';
import { authenticate } from '../auth/request.ts';
import { TEST_KEY, testAlert } from '../intake/test-alert.ts';
import { PREVIEW_BODY_BYTES } from '../limits.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import { type ApiContext, objectsIn } from './context.ts';
import { sourceItem } from './items.ts';
import { personAt } from './person-at.ts';
import { namespaceOf, type RawQuery } from './query.ts';
import { body, yaml } from './routes.ts';
import { type Key, sourceAs, sourceDetail, testAlertOf, testRefusalOf } from './source-detail.ts';
import { parseSourceQuery, sourcePage } from './source-list.ts';
import { preview, previewSchema } from './source-preview.ts';

type OfSource = { Params: Key };

const testSchema = z.strictObject({
  state: z.enum(['Firing', 'Resolved']),
  severity: z.string().max(64).optional(),
});

export function sourceRoutes(api: ApiContext): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: RawQuery }>('/api/sources', async (request) => {
      const who = await authenticate(request, api.identities);
      const namespace = namespaceOf(request.query);
      const query = parseSourceQuery(request.query);
      await api.access.demand(who, { verb: 'list', resource: 'alertsources', namespace });
      const sources = objectsIn(api.sources, namespace);
      const [traffic, inbox] = await Promise.all([api.traffic.view(), api.inbox.view()]);
      const rows = sources.map((source) => sourceItem(source, traffic, inbox));
      return sourcePage(rows, query, {
        counted: traffic.counted,
        inbox: inbox.state,
        gone: inbox.gone((at, name) => api.sources.get(at, name) !== undefined, namespace),
        asOf: api.clock.now().toString({ fractionalSecondDigits: 3 }),
      });
    });

    app.get<OfSource>('/api/sources/:namespace/:name', async (request) =>
      sourceDetail(api, await personAt(request, api.identities), request.params),
    );

    app.get<OfSource>('/api/sources/:namespace/:name/yaml', async (request, reply) =>
      yaml(reply, await sourceAs(api, await personAt(request, api.identities), request.params)),
    );

    const roomy = { bodyLimit: PREVIEW_BODY_BYTES };
    app.post<OfSource>('/api/sources/:namespace/:name/preview', roomy, async (request) => {
      const who = await personAt(request, api.identities);
      const asked = body(previewSchema, request.body);
      return preview(api, who, await sourceAs(api, who, request.params), asked);
    });

    app.post<OfSource>('/api/sources/:namespace/:name/test', async (request) => {
      const who = await personAt(request, api.identities);
      return sendTest(api, who, request.params, body(testSchema, request.body));
    });
  };
}

async function sendTest(
  api: ApiContext,
  who: Person,
  key: Key,
  { state, severity }: z.infer<typeof testSchema>,
): Promise<TestAnswer> {
  const source = await sourceAs(api, who, key);
  const refusal = await testRefusalOf(api, who, key);
  if (refusal !== undefined) throw refusal;
  const fires = testAlertOf(api, key);
  if (state === 'Resolved' && fires?.spec.state !== 'Firing')
    throw new HttpProblem('NotFound', 'There is no test alert of this source that fires: nothing is left to resolve.');
  const title = state === 'Resolved' ? (fires?.spec.title ?? '') : `Test alert sent by ${who.user}`;
  const input = testAlert({ title, state, severity }, api.clock.now());
  const result = await api.ingest.ingest(source, [{ index: 0, input }], { isOurs: true });
  const outcome = (['created', 'updated', 'unchanged', 'inbox'] as const).find((one) => (result[one] ?? 0) > 0);
  if (outcome !== undefined) return { alert: alertName(key.name, fingerprintOfKey(TEST_KEY)), outcome };
  if (result.gone !== undefined) throw new HttpProblem('NotFound', result.gone);
  const refused = result.refused[0];
  if (refused !== undefined)
    throw new HttpProblem('Invalid', refused.expected, { status: 422, field: `spec.${refused.field}` });
  throw new HttpProblem('Unavailable', `The test alert is not stored: ${result.why ?? 'the API server is away'}.`, {
    headers: retryAfter(result.retryAfterMs ?? 1_000),
  });
}

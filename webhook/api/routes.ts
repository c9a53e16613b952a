/** The routes under /api that read and write objects. Each asks who it is, then whether they may, then answers. */
import type { Alert, AlertSource, CorrelationRule, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { authenticate } from '../auth/request.ts';
import { HttpProblem } from '../server/problems.ts';
import { alertDetail } from './alert-detail.ts';
import { alertPage, parseAlertQuery } from './alert-list.ts';
import { getAs } from './as-person.ts';
import { type ApiContext, objectsIn } from './context.ts';
import { incidentEditSchema } from './edit.ts';
import { foldedBehind } from './folded.ts';
import { describeIncident, incidentDetail } from './incident-detail.ts';
import { incidentPage, parseIncidentQuery } from './incident-list.ts';
import { alertItem, incidentItem } from './items.ts';
import { personAt } from './person-at.ts';
import { namespaceOf, type RawQuery } from './query.ts';
import { declarationSchema, declareIncident, editIncident } from './write.ts';
import { kubectlYaml } from './yaml.ts';

type OfObject = { Params: { namespace: string; name: string } };

export function objectRoutes(api: ApiContext): (app: FastifyInstance) => Promise<void> {
  const person = (request: FastifyRequest) => authenticate(request, api.identities);
  const state = (cache: { resourceVersion: string }) => ({
    resourceVersion: cache.resourceVersion,
    asOf: api.clock.now().toString({ fractionalSecondDigits: 3 }),
  });

  return async (app) => {
    app.get<{ Querystring: RawQuery }>('/api/incidents', async (request) => {
      const who = await person(request);
      const namespace = namespaceOf(request.query);
      const query = parseIncidentQuery(request.query);
      await api.access.demand(who, { verb: 'list', resource: 'incidents', namespace });
      const rows = objectsIn(api.incidents, namespace).map(incidentItem);
      return incidentPage(rows, query, who.user, state(api.incidents));
    });

    app.get<OfObject>('/api/incidents/:namespace/:name', async (request) =>
      incidentDetail(api, await personAt(request, api.identities), request.params),
    );

    app.get<OfObject>('/api/incidents/:namespace/:name/yaml', async (request, reply) =>
      yaml(
        reply,
        await getAs<Incident>(api.access, await personAt(request, api.identities), INCIDENTS, request.params),
      ),
    );

    app.patch<OfObject>('/api/incidents/:namespace/:name', async (request) => {
      const who = await personAt(request, api.identities);
      const edit = body(incidentEditSchema, request.body);
      const { reason, edits } = edit;
      const incident = await editIncident(api, who, request.params, {
        edits: edits as Parameters<typeof editIncident>[3]['edits'],
        ...(reason === undefined ? {} : { reason }),
      });
      return describeIncident(api, who, incident);
    });

    app.post<{ Params: { namespace: string } }>('/api/incidents/:namespace', async (request, reply) => {
      const who = await personAt(request, api.identities);
      const declaration = body(declarationSchema, request.body);
      const incident = await declareIncident(api, who, request.params.namespace, declaration);
      const { namespace = '', name } = incident.metadata;
      reply.code(201).header('location', `/api/incidents/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`);
      return incidentItem(incident);
    });

    app.get<{ Querystring: RawQuery }>('/api/alerts', async (request) => {
      const who = await person(request);
      const namespace = namespaceOf(request.query);
      const query = parseAlertQuery(request.query);
      await api.access.demand(who, { verb: 'list', resource: 'alerts', namespace });
      const alerts = objectsIn(api.alerts, namespace);
      const asOfCache = state(api.alerts);
      const { incident, words, facets } = query;
      const behind = alerts.filter(({ status }) => incident === undefined || status?.incidentRef?.name === incident);
      const { items, folded } = await foldedBehind(api, behind, {
        words,
        states: [...facets.state],
        severities: [...facets.severity],
        sources: [...facets.source],
        alertnames: [...facets.alertname],
      });
      return alertPage([...alerts.map(alertItem), ...items], query, { ...asOfCache, ...(folded && { folded }) });
    });

    app.get<OfObject>('/api/alerts/:namespace/:name', async (request) =>
      alertDetail(api, await personAt(request, api.identities), request.params),
    );

    app.get<OfObject>('/api/alerts/:namespace/:name/yaml', async (request, reply) =>
      yaml(reply, await getAs<Alert>(api.access, await personAt(request, api.identities), ALERTS, request.params)),
    );
  };
}

export function yaml(reply: FastifyReply, object: Alert | AlertSource | CorrelationRule | Incident): string {
  reply.type('text/plain; charset=utf-8');
  return kubectlYaml(object);
}

/** Returns the body as its schema has it. Throws HttpProblem Invalid that names the first fault. */
export function body<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new HttpProblem(
    'Invalid',
    `${field === '' ? 'the body' : field}: ${issue?.message ?? 'not as expected'}`,
    field === '' ? {} : { field },
  );
}

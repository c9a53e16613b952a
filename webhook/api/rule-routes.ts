/** The routes under /api/rules: which rules there are, in what order they are tried, and what went by each. They are written with kubectl or Git. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import { CORRELATION_RULES } from '@funnelai/crds/meta';
import type { RuleDetail } from '@funnelai/domain/wire-rules';
import type { FastifyInstance } from 'fastify';
import type { Person } from '../auth/identity.ts';
import { authenticate } from '../auth/request.ts';
import { RULE_ALERTS } from '../limits.ts';
import { compareAlerts } from './alert-list.ts';
import { getAs } from './as-person.ts';
import { type ApiContext, objectsIn } from './context.ts';
import { alertItem, withoutManagedFields } from './items.ts';
import { personAt } from './person-at.ts';
import { namespaceOf, type RawQuery } from './query.ts';
import { yaml } from './routes.ts';
import { parseRuleQuery, ruleItem, rulePage } from './rule-list.ts';
import { type TakesByRule, takesByRule } from './rule-takes.ts';

type Key = { namespace: string; name: string };
type OfRule = { Params: Key };

export function ruleRoutes(api: ApiContext): (app: FastifyInstance) => Promise<void> {
  const ruleAs = (who: Person, key: Key) => getAs<CorrelationRule>(api.access, who, CORRELATION_RULES, key);
  return async (app) => {
    app.get<{ Querystring: RawQuery }>('/api/rules', async (request) => {
      const who = await authenticate(request, api.identities);
      const namespace = namespaceOf(request.query);
      const query = parseRuleQuery(request.query);
      await api.access.demand(who, { verb: 'list', resource: 'correlationrules', namespace });
      const rules = objectsIn(api.rules, namespace);
      const takes = await takesFor(api, who, namespace);
      const rows = rules.map((rule) => ruleItem(rule, takes?.of(rule.metadata.namespace ?? '', rule.metadata.name)));
      return rulePage(rows, query, {
        ...(takes && { builtIn: takes.builtIn }),
        asOf: api.clock.now().toString({ fractionalSecondDigits: 3 }),
      });
    });

    app.get<OfRule>('/api/rules/:namespace/:name', async (request) => {
      const who = await personAt(request, api.identities);
      return describeRule(api, who, await ruleAs(who, request.params), request.params);
    });

    app.get<OfRule>('/api/rules/:namespace/:name/yaml', async (request, reply) =>
      yaml(reply, await ruleAs(await personAt(request, api.identities), request.params)),
    );
  };
}

async function describeRule(api: ApiContext, who: Person, rule: CorrelationRule, key: Key): Promise<RuleDetail> {
  const { namespace, name } = key;
  const takes = await takesFor(api, who, namespace);
  const seesAlerts = await api.access.may(who, { verb: 'list', resource: 'alerts', namespace });
  const taken = () =>
    objectsIn(api.alerts, namespace)
      .filter(({ status }) => status?.ruleRef?.name === name)
      .map(alertItem)
      .sort(compareAlerts)
      .slice(0, RULE_ALERTS);
  return {
    item: ruleItem(rule, takes?.of(namespace, name)),
    rule: withoutManagedFields(rule),
    ...(seesAlerts && { alerts: taken() }),
  };
}

/** Undefined for who may not see what is counted. */
async function takesFor(api: ApiContext, who: Person, namespace: string | undefined): Promise<TakesByRule | undefined> {
  const mayList = (resource: 'alerts' | 'incidents') => api.access.may(who, { verb: 'list', resource, namespace });
  const [seesAlerts, seesIncidents] = await Promise.all([mayList('alerts'), mayList('incidents')]);
  if (!seesAlerts || !seesIncidents) return undefined;
  return takesByRule(objectsIn(api.alerts, namespace), objectsIn(api.incidents, namespace));
}

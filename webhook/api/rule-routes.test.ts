/** Who may read rules but not what they took is told the rules, and nothing of alerts and incidents. */
import type { Alert, CorrelationRule } from '@funnelai/crds/generated/types';
import { aRule } from '@funnelai/domain/testing/builders';
import { FakeClock } from '@funnelai/kube/test-clock';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import type { ApiContext } from './context.ts';
import { ruleRoutes } from './rule-routes.ts';

const rule: CorrelationRule = aRule('pods', { match: ['alertname="Kube"'] });
const namespace = rule.metadata.namespace ?? '';
const took: Alert = {
  ...anAlert({ name: 'prom-1', status: { explanation: 'rule "pods"', ruleRef: { name: 'pods' } } as never }),
};
took.metadata.namespace = namespace;
const holding = <T>(...objects: T[]) => ({ synced: true, list: () => objects, byIndex: () => objects });

async function asked(path: string, may: readonly string[]) {
  const api = {
    rules: holding(rule),
    alerts: holding(took),
    incidents: holding(),
    identities: { personOf: async () => ({ user: 'ana', groups: [], id: 'ana', client: { get: async () => rule } }) },
    access: {
      may: async (_who: unknown, { resource }: { resource: string }) => may.includes(resource),
      demand: async () => {},
    },
    clock: { now: () => new FakeClock().now() },
  } as unknown as ApiContext;
  const server = fastify();
  await server.register(ruleRoutes(api));
  const answer = await server.inject({ url: path, headers: { authorization: 'Bearer t' } });
  await server.close();
  return answer.json();
}

describe('rules', () => {
  it('come with what they took for who may list that', async () => {
    const may = ['alerts', 'incidents'];
    const page = await asked(`/api/rules?namespace=${namespace}`, may);
    expect(page.items[0]).toMatchObject({ name: 'pods', takes: { alerts: 1, firing: 1, openIncidents: 0 } });
    expect(page.builtIn).toEqual({ alerts: 0, firing: 0, openIncidents: 0 });
    const detail = await asked(`/api/rules/${namespace}/pods`, may);
    expect(detail.alerts.map(({ name }: { name: string }) => name)).toEqual(['prom-1']);
  });

  it.each([[[]], [['incidents']]])('come without it for who may list but %j', async (may) => {
    const page = await asked(`/api/rules?namespace=${namespace}`, may);
    expect(page.items[0].name).toBe('pods');
    expect(page.items[0].takes).toBeUndefined();
    expect(page.builtIn).toBeUndefined();
    const detail = await asked(`/api/rules/${namespace}/pods`, may);
    expect(detail.rule.metadata.name).toBe('pods');
    expect(detail.item.takes).toBeUndefined();
    expect(detail.alerts).toBeUndefined();
  });
});

import { join } from 'node:path';
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { type Environment, startEnvironment } from '@funnelai/test/harness/environment';
import { createKubectl, type Kubectl } from '@funnelai/test/harness/kubectl';
import { type OurProcess, startOperator, startWebhook, type WebhookProcess } from '@funnelai/test/harness/processes';
import { userOf } from '@funnelai/test/harness/users';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { type Demo, playDemo } from './play.ts';
import { GROWTH_STEPS, tellStory } from './story.ts';

const PLAY_MS = 120_000;
/** Its two minutes lie behind, so that it is played as fast as people and operator can follow. */
const begunAt = Date.now() - 150_000;
const said: string[] = [];

/** Its own: an operator for all namespaces would work in those of other tests too. */
let environment: Environment;
let kubectl: Kubectl;
let operator: OurProcess;
let webhook: WebhookProcess;

function play(): Promise<Demo | undefined> {
  return playDemo({
    target: {
      program: join(environment.assets, 'kubectl'),
      kubeconfig: environment.kubeconfig,
      context: 'admin',
      cache: `${environment.kubeconfig}.cache`,
    },
    url: webhook.url,
    tokens: { ana: userOf('ana').token, bo: userOf('bo').token, demoSource: 'demo-source-token-5d20c1' },
    say: (line) => said.push(line),
    begunAt,
  });
}

async function items<T>(kind: string): Promise<T[]> {
  const list = JSON.parse(await kubectl.run(['get', `${kind}.funnelai.dev`, '-n', 'demo', '-o', 'json']));
  return (list as { items: T[] }).items;
}
const incidentOf = async (rule: string) => {
  const all = (await items<Incident>('incidents')).filter(({ spec }) => spec.origin?.ruleRef?.name === rule);
  expect(all).toHaveLength(1);
  return all[0] as Incident;
};
const moves = ({ status }: Incident) =>
  (status?.changes ?? []).filter(({ kind }) => kind === 'Phase').map(({ by, to }) => [by, to]);

beforeAll(async () => {
  environment = await startEnvironment({ say: () => undefined });
  kubectl = createKubectl(environment);
  const shared = { kubeconfig: environment.kubeconfig, databaseUrl: environment.databaseUrl };
  [operator, webhook] = await Promise.all([startOperator(shared), startWebhook(shared)]);
});
afterAll(async () => {
  await Promise.all([operator?.stop(), webhook?.stop()]);
  await environment?.stop();
});

it(
  'makes three incidents of an outage: one that nobody has taken, one mitigated, one closed by two people',
  async () => {
    const demo = await play();
    await demo?.played;
    expect(said).toEqual([]);
    const expected = new Set(
      Object.values(tellStory(begunAt))
        .flat()
        .map(({ labels }) => JSON.stringify(Object.entries(labels).sort())),
    ).size;
    const alerts = await until('every alert to be judged', PLAY_MS, async () => {
      const found = await items<Alert>('alerts');
      return found.length === expected && found.every(({ status }) => status?.explanation) && found;
    });
    expect(alerts.length).toBeGreaterThanOrEqual(40 + GROWTH_STEPS);
    const unrelated = alerts.filter(({ status }) => !status?.incidentRef);
    expect(unrelated.map(({ spec }) => spec.labels?.alertname)).toEqual(['CPUThrottlingHigh']);
    const flap = alerts.filter(({ status }) => status?.episode === 2);
    expect(flap.map(({ spec }) => [spec.labels?.alertname, spec.state])).toEqual([['KubePodNotReady', 'Firing']]);

    const workloads = await incidentOf('workloads');
    expect(workloads.spec).toMatchObject({ phase: 'Detection', severity: 'Critical' });
    expect(workloads.status?.acknowledgedAt).toBeUndefined();
    const databases = await incidentOf('databases');
    expect(moves(databases).slice(1)).toEqual([
      ['ana', 'Response'],
      ['bo', 'Mitigation'],
    ]);
    const edge = await until('the late resolve to arrive', PLAY_MS, async () => {
      const incident = await incidentOf('edge');
      return incident.status?.alerts?.firing === 0 && incident;
    });
    expect(moves(edge).slice(1)).toEqual([
      ['bo', 'Response'],
      ['ana', 'Mitigation'],
      ['bo', 'Resolution'],
      ['ana', 'Closed'],
    ]);
    for (const { metadata } of [...alerts, workloads, databases, edge])
      expect([metadata.name, metadata.labels?.['funnelai.dev/demo']]).toEqual([metadata.name, 'true']);
  },
  PLAY_MS * 2,
);

it('is not repeated by a second start, which still names source and incident', async () => {
  const state = async () =>
    [...(await items<Alert>('alerts')), ...(await items<Incident>('incidents'))].map(
      ({ metadata: { name, uid, generation } }) => [name, uid, generation],
    );
  const before = await state();
  const again = await play();
  await again?.played;
  expect(await again?.movable).toMatchObject({ name: (await incidentOf('workloads')).metadata.name });
  expect(await state()).toEqual(before);
});

it('does not come back once its namespace was deleted', async () => {
  await kubectl.run(['delete', 'namespace', 'demo', '--timeout=60s'], { timeoutMs: 90_000 });
  expect(await play()).toBeUndefined();
  expect((await kubectl.try(['get', 'namespace', 'demo'])).stderr).toContain('not found');
}, 120_000);

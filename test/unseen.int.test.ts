/**
 * Alerts that fire and resolve while nobody looks, by the true way: a body to the webhook, an Alert in etcd, an operator that finds it,
 * rows in Postgres. Each has its incident, once.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, CORRELATION_RULES, INCIDENTS } from '@funnelai/crds/meta';
import { createMirror } from '@funnelai/history/mirror';
import { createQueries } from '@funnelai/history/queries';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import { silentLog } from '@funnelai/kube/log';
import { aRule } from '@funnelai/operator/testing/builders';
import { eventually } from '@funnelai/operator/testing/eventually';
import { type Running as Operator, runOperator } from '@funnelai/operator/testing/run';
import { aTeam, type Running, send, startInProcess, type Team, untilKnown } from '@funnelai/webhook/testing/world';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { databasePerFile } from './harness/own-database.ts';

const own = databasePerFile();
const LABELS = { alertname: 'KubePodCrashLooping', namespace: 'pay', severity: 'warning' };
const TIMES = { startsAt: '2026-03-01T10:00:00Z', endsAt: '2026-03-01T10:00:30Z' };
const fires = (pod: string) => ({ status: 'firing', labels: { ...LABELS, pod }, startsAt: TIMES.startsAt });
const isOver = (pod: string) => ({ status: 'resolved', labels: { ...LABELS, pod }, ...TIMES });

let team: Team;
let webhook: Running;
let admin: KubeClient;
let forOperator: KubeClient;
let operator: Operator | undefined;

const clientOf = async (context: string) =>
  createKubeClient(await loadConnection({ kubeconfigPath: inject('kubeconfig'), context }), { userAgent: 'test/1' });

beforeAll(async () => {
  const kubeconfig = inject('kubeconfig');
  [team, admin, forOperator] = await Promise.all([
    aTeam({ assets: inject('assets'), kubeconfig }),
    clientOf('admin'),
    clientOf('operator'),
  ]);
  const resolve = { when: 'AllAlertsResolved' as const, after: '1s' };
  const groupBy = [{ label: 'pod' }];
  await admin.create(CORRELATION_RULES, aRule('pods', { groupBy, resolve }, team.namespace));
  webhook = await startInProcess(kubeconfig);
  await untilKnown(webhook.url, team);
});
afterAll(async () => {
  await operator?.stop();
  await webhook.stop();
  await Promise.all([admin.close(), forOperator.close()]);
});

async function lead(): Promise<void> {
  const { namespace } = team;
  const openMirror = () => createMirror({ pool: own.pool, clock: systemClock, log: silentLog(), namespace });
  operator = runOperator({ client: forOperator, openMirror, namespace });
  await eventually('the operator leads', () => operator?.leading() === true, 20_000);
}
async function away(): Promise<void> {
  await operator?.stop();
  operator = undefined;
}
async function post(...alerts: object[]): Promise<void> {
  expect(await send(webhook.url, team, alerts)).toMatchObject({ status: 200 });
}
const alertOf = async (pod: string): Promise<Alert | undefined> =>
  (await admin.list<Alert>(ALERTS, { namespace: team.namespace })).items.find(({ spec }) => spec.labels?.pod === pod);
const incidents = async () => (await admin.list<Incident>(INCIDENTS, { namespace: team.namespace })).items;

/** Until its incident has resolved, and history has the episode; returns what history has. */
async function told(pod: string) {
  const incident = await eventually(`the incident of ${pod} is resolved`, async () => {
    const name = (await alertOf(pod))?.status?.incidentRef?.name;
    return (await incidents()).find(({ metadata, status }) => metadata.name === name && status?.phase === 'Resolution');
  });
  const episodes = await eventually(`history has the episode of ${pod}`, async () => {
    const [record] = await createQueries({ pool: own.pool }).alertsOf(incident.metadata.uid ?? '');
    return record !== undefined && record.alert.spec.state === 'Resolved' && record.episodes;
  });
  return { incident, episodes };
}
const EPISODE = {
  episode: 1,
  state: 'Resolved',
  startsAt: expect.stringMatching(/^2026-03-01T10:00:00/),
  endsAt: expect.stringMatching(/^2026-03-01T10:00:30/),
};

it('that did both in one body, or while the operator was away, have their incident and their row, and one each', async () => {
  await lead();
  await post(fires('both'), isOver('both'));
  const both = await told('both');
  expect(both.episodes).toMatchObject([EPISODE]);
  expect(both.incident.status?.alerts).toMatchObject({ firing: 0, resolved: 1, total: 1 });
  await away();

  await post(fires('unseen'));
  await post(isOver('unseen'));
  // Its sender heard no answer, and says it again.
  await post(fires('both'), isOver('both'));
  await post(isOver('onlyOver'));
  await lead();
  const unseen = await told('unseen');
  expect(unseen.episodes).toMatchObject([EPISODE]);
  const changes = unseen.incident.status?.changes ?? [];
  expect(changes.filter(({ kind }) => kind === 'Phase').map(({ to }) => to)).toEqual(['Detection', 'Resolution']);
  await eventually('what was never said to fire is waved off', async () =>
    (await alertOf('onlyOver'))?.status?.conditions?.some(({ reason }) => reason === 'ResolvedFirst'),
  );
  // The API server keeps the field that tells one from the other.
  expect((await alertOf('unseen'))?.spec.firingStartsAt).toMatch(/^2026-03-01T10:00:00/);
  expect((await alertOf('onlyOver'))?.spec.firingStartsAt).toBeUndefined();
  expect((await incidents()).map(({ metadata }) => metadata.name).sort()).toEqual(
    [both, unseen].map(({ incident }) => incident.metadata.name).sort(),
  );
});

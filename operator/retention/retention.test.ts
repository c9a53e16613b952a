/** What leaves etcd and what stays, by an operator on an API server in memory and a clock that the test moves by days. */
import type { Alert, AlertSource, AlertSpec, Incident } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES, ALERTS, API_VERSION, INCIDENTS } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { FakeClock } from '@funnelai/kube/test-clock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anAlert, crashingPods, NAMESPACE } from '../testing/builders.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { type MemoryMirror, memoryMirror } from '../testing/memory-mirror.ts';
import { type Running, runOperator } from '../testing/run.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than whatever waits for more news before it acts. */
const MOMENT_MS = 15_000;
const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';

let clock: FakeClock;
let api: FakeApi;
let mirror: MemoryMirror;
let webhook: KubeClient;
let ana: KubeClient;
let operator: Running;

beforeEach(async () => {
  clock = new FakeClock('2026-03-01T10:00:02Z');
  api = new FakeApi(clock);
  mirror = memoryMirror();
  webhook = api.client('webhook');
  ana = api.client('ana');
  operator = await anOperator();
});
afterEach(() => operator.stop());

async function anOperator(client = api.client(OPERATOR)): Promise<Running> {
  const retention = { alertMs: DAY_MS, incidentMs: 7 * DAY_MS };
  const running = runOperator({ client, mirror, retention, clock, historyLookMs: HOUR_MS });
  await eventually('the operator leads', () => running.leading());
  return running;
}

const alerts = () => api.all<Alert>(ALERTS);
const incidents = () => api.all<Incident>(INCIDENTS);
const theIncident = (): Incident => {
  const [incident, ...others] = incidents();
  if (incident === undefined || others.length > 0)
    throw new Error(`expected one incident, found ${incidents().length}`);
  return incident;
};
const theAlert = (alert: Alert) => alerts().find(({ metadata }) => metadata.name === alert.metadata.name);
/** Moves time, in steps that let what falls due be done. */
async function pass(ms: number): Promise<void> {
  const steps = 8;
  for (let i = 0; i < steps; i += 1) await clock.advance(ms / steps);
}

async function report(alert: Alert, spec: Partial<AlertSpec>): Promise<void> {
  const { namespace = '', name } = alert.metadata;
  const stored = await webhook.get<Alert>(ALERTS, { namespace, name });
  await webhook.replace(ALERTS, { ...stored, spec: { ...stored.spec, receivedAt: clock.now().toString(), ...spec } });
}
const resolve = (alert: Alert) => report(alert, { state: 'Resolved', endsAt: clock.now().toString() });

/** Three alerts fire, ana takes the incident, and all three resolve. */
async function anOutageThatEnded(): Promise<Alert[]> {
  const pods = crashingPods(3);
  for (const pod of pods) await webhook.create(ALERTS, pod);
  await pass(MOMENT_MS);
  await move('Response');
  for (const pod of pods) await resolve(pod);
  await pass(MOMENT_MS);
  return pods;
}

async function move(phase: Incident['spec']['phase']): Promise<void> {
  const { namespace = '', name } = theIncident().metadata;
  await ana.jsonPatch(INCIDENTS, { namespace, name }, [{ op: 'replace', path: '/spec/phase', value: phase }]);
  await pass(MOMENT_MS);
}

it('alerts leave a day after they resolved, and their incident says of them what it said before', async () => {
  await anOutageThatEnded();
  await pass(23 * HOUR_MS);
  expect(alerts()).toHaveLength(3);
  const before = theIncident();
  await pass(2 * HOUR_MS);
  expect(alerts()).toEqual([]);
  const after = theIncident();
  expect(after.spec).toEqual(before.spec);
  expect(after.status?.alerts).toMatchObject({ firing: 0, resolved: 3, total: 3 });
  expect(after.status?.changeSequence).toBe(before.status?.changeSequence);
  expect(after.status?.conditions).toEqual(before.status?.conditions);
  expect(mirror.deleted.size).toBe(3);
});

it('of a source that has used half of its bound leave soon after they resolved, those from before too; others stay their day', async () => {
  const limits = { maxLiveAlerts: 20 };
  const auth = { bearer: { secretRef: { name: 'prom-token', key: 'token' } } };
  const metadata = { namespace: NAMESPACE, name: 'prom' };
  const spec: AlertSource['spec'] = { format: 'Alertmanager', auth, limits };
  const source: AlertSource = { apiVersion: API_VERSION, kind: 'AlertSource', metadata, spec };
  await webhook.create(ALERT_SOURCES, source);
  const pods = crashingPods(14);
  for (const pod of pods.slice(0, 9)) await webhook.create(ALERTS, pod);
  await pass(MOMENT_MS);
  for (const pod of pods.slice(0, 4)) await resolve(pod);
  await pass(HOUR_MS);
  expect(alerts()).toHaveLength(9);
  for (const pod of pods.slice(9)) await webhook.create(ALERTS, pod);
  await pass(MOMENT_MS);
  expect(alerts().filter(({ spec: { state } }) => state === 'Resolved')).toEqual([]);
  expect(alerts()).toHaveLength(10);
  expect(theIncident().status?.alerts).toMatchObject({ firing: 10, resolved: 4, total: 14 });
});

it('an alert that opened nothing leaves too, and one that fires stays for ever', async () => {
  const recorded = anAlert({ labels: { alertname: 'Backup' }, severity: 'Info' });
  const tombstone = anAlert({ labels: { alertname: 'Over' }, state: 'Resolved', endsAt: '2026-03-01T10:00:01Z' });
  const burning = anAlert({ labels: { alertname: 'Burning' } });
  for (const alert of [recorded, tombstone, burning]) await webhook.create(ALERTS, alert);
  await pass(MOMENT_MS);
  await resolve(recorded);
  await pass(30 * DAY_MS);
  expect(alerts().map(({ metadata }) => metadata.name)).toEqual([burning.metadata.name]);
});

it('an alert that fires again a moment before it would be deleted stays', async () => {
  const [pod] = await anOutageThatEnded();
  if (pod === undefined) throw new Error('no pod');
  await operator.stop();
  const client = api.client(OPERATOR);
  // Between the decision and the deletion, where it hurts most.
  const slow: KubeClient = {
    ...client,
    delete: async (r, key, o) => {
      if (key.name === pod.metadata.name && theAlert(pod)?.spec.state === 'Resolved') {
        await report(pod, { state: 'Firing', startsAt: clock.now().toString(), endsAt: undefined } as never);
      }
      return client.delete(r, key, o);
    },
  };
  operator = await anOperator(slow);
  await pass(3 * DAY_MS);
  expect(alerts().map(({ metadata, spec }) => [metadata.name, spec.state])).toEqual([[pod.metadata.name, 'Firing']]);
});

it('nothing leaves while history is away or refuses it, and all of it once history has it', {
  timeout: 30_000,
}, async () => {
  const [first] = await anOutageThatEnded();
  mirror.refuses.add(first?.metadata.name ?? '');
  mirror.isAway = true;
  await pass(26 * HOUR_MS);
  expect(alerts()).toHaveLength(3);
  mirror.isAway = false;
  await pass(HOUR_MS);
  expect(alerts().map(({ metadata }) => metadata.name)).toEqual([first?.metadata.name]);
  mirror.refuses.clear();
  await pass(HOUR_MS);
  expect(alerts()).toEqual([]);
});

it('nothing leaves where there is no history', async () => {
  await anOutageThatEnded();
  await operator.stop();
  const retention = { alertMs: DAY_MS, incidentMs: DAY_MS };
  operator = runOperator({ client: api.client(OPERATOR), retention, clock });
  await eventually('the operator leads', () => operator.leading());
  await pass(30 * DAY_MS);
  expect(alerts()).toHaveLength(3);
});

it('a closed incident leaves after a week with its history complete, and its group begins anew', async () => {
  const [pod] = await anOutageThatEnded();
  await move('Resolution');
  await move('Closed');
  await pass(6.9 * DAY_MS);
  const { uid = '', name } = theIncident().metadata;
  await pass(0.2 * DAY_MS);
  expect(incidents()).toEqual([]);
  expect(mirror.deleted.has(uid)).toBe(true);
  await webhook.create(ALERTS, {
    ...(pod as Alert),
    spec: { ...(pod as Alert).spec, receivedAt: clock.now().toString() },
  });
  await pass(MOMENT_MS);
  expect(theIncident().metadata.name).toBe(name);
  expect(theIncident().metadata.uid).not.toBe(uid);
});

it('a closed incident waits for the alert of it that still fires, and opens no other by leaving', async () => {
  const [pod] = crashingPods(1);
  await webhook.create(ALERTS, pod as Alert);
  await pass(MOMENT_MS);
  await move('Resolution');
  await move('Closed');
  const { uid } = theIncident().metadata;
  await pass(20 * DAY_MS);
  expect(theIncident().metadata.uid).toBe(uid);
  await resolve(pod as Alert);
  await pass(HOUR_MS);
  expect(incidents()).toEqual([]);
});

it('an operator that starts with thousands of ended alerts lets them go at a pace, and says so', async () => {
  await operator.stop();
  const many = 200;
  for (const pod of crashingPods(many)) {
    await webhook.create(ALERTS, { ...pod, spec: { ...pod.spec, state: 'Resolved', endsAt: pod.spec.receivedAt } });
  }
  await clock.advance(2 * DAY_MS);
  operator = await anOperator();
  await eventually('each is answered', () => alerts().every(({ status }) => status?.episode === 1));
  const before = alerts().length;
  await clock.advance(1_000);
  expect(before - alerts().length).toBeLessThanOrEqual(21);
  await pass(30_000);
  expect(alerts()).toEqual([]);
  const metrics = await operator.registry.metrics();
  expect(metrics).toContain(`funnelai_retention_deleted_total{kind="Alert"} ${many}`);
  expect(metrics).toMatch(/funnelai_bounds_reached_total\{bound="retention_pace"\} \d{2}/);
});

it('an incident opened after that of its group was deleted has none of its alerts, and nothing of their severity', async () => {
  const [worst, mild] = crashingPods(2);
  if (worst === undefined || mild === undefined) throw new Error('expected two pods');
  await webhook.create(ALERTS, { ...worst, spec: { ...worst.spec, severity: 'Critical' } });
  await pass(MOMENT_MS);
  await resolve(worst);
  const { namespace = '', name } = theIncident().metadata;
  await ana.delete(INCIDENTS, { namespace, name });
  await pass(MOMENT_MS);
  expect(incidents()).toEqual([]);
  await webhook.create(ALERTS, mild);
  await pass(MOMENT_MS);
  expect(theIncident().spec).toMatchObject({ severity: 'Medium', priority: 'P3' });
  expect(theIncident().status?.alerts).toMatchObject({ firing: 1, resolved: 0, total: 1 });
  expect(theAlert(mild)?.status?.incidentRef?.name).toBe(theIncident().metadata.name);
});

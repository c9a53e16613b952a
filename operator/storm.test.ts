/** A storm at the operator: four hundred alerts of one fault wait to be answered when something else happens. */
import type { Alert } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { FakeClock } from '@funnelai/kube/test-clock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anAlert, crashingPods } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type Running, runOperator } from './testing/run.ts';

const STORM = 400;
/** Answers that are under way at once. */
const WORKERS = 32;

let api: FakeApi;
let operator: Running;
/** Names of the alerts in the order in which they were answered. */
let answered: string[];
let openGate: () => void;

beforeEach(async () => {
  const clock = new FakeClock('2026-03-01T10:00:02Z');
  api = new FakeApi(clock);
  answered = [];
  const gate = Promise.withResolvers<void>();
  openGate = gate.resolve;
  const client = api.client('system:serviceaccount:funnel-system:funnelai-operator');
  const slow: KubeClient = {
    ...client,
    async replace(r, object, o) {
      if (r.plural !== ALERTS.plural) return client.replace(r, object, o);
      await gate.promise;
      answered.push(object.metadata.name);
      return client.replace(r, object, o);
    },
  };
  operator = runOperator({ client: slow, clock });
  await eventually('the operator leads', () => operator.leading());
});
afterEach(() => operator.stop());

async function queued(): Promise<number> {
  const depth = await operator.registry.getSingleMetric('workqueue_depth')?.get();
  const ours = (depth?.values ?? []).filter(({ labels }) => labels.name === 'correlation');
  return ours.reduce((sum, { value }) => sum + value, 0);
}

/** `before`: their incidents are open, as is that of the storm, when the storm comes. */
async function inTheStorm({ before = [], others }: { before?: Alert[]; others: Alert[] }): Promise<void> {
  const webhook = api.client('webhook');
  const [first, ...rest] = crashingPods(STORM);
  for (const alert of [first as Alert, ...before]) await webhook.create(ALERTS, alert);
  await eventually('their incidents', () => api.all(INCIDENTS).length === 1 + before.length);
  for (const alert of [...rest, ...others]) await webhook.create(ALERTS, alert);
  // Each worker waits for the answer in its hands; all the rest is queued.
  await eventually(
    'the storm to be queued',
    async () => (await queued()) >= STORM + before.length + others.length - WORKERS,
  );
  openGate();
  await eventually('all to be answered', () => answered.length >= STORM + before.length + others.length);
}

it('what may open an incident, and what is critical, is answered before more of an incident that is open', async () => {
  const disk = anAlert({ labels: { alertname: 'DiskFull', namespace: 'pay' } });
  const critical = anAlert({
    labels: { alertname: 'KubePodCrashLooping', namespace: 'pay', pod: 'api', severity: 'critical' },
    severity: 'Critical',
  });
  await inTheStorm({ others: [disk, critical] });
  for (const { metadata } of [disk, critical]) expect(answered.indexOf(metadata.name)).toBeLessThan(WORKERS + 8);
});

it('another name, of which an incident is open as well, takes turns with it', async () => {
  const open = (alertname: string, pod: string) => anAlert({ labels: { alertname, namespace: 'pay', pod } });
  const [first, second] = [open('DiskFull', 'a'), open('DiskFull', 'b')];
  await inTheStorm({ before: [first], others: [second] });
  expect(answered.indexOf(second.metadata.name)).toBeLessThan(WORKERS + 24);
});

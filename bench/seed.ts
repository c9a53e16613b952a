/** Many alerts at once, as the API server would have stored them: by its own door tens of thousands would take minutes. */
import { randomUUID } from 'node:crypto';
import { ALERTS, API_VERSION } from '@funnelai/crds/meta';
import { load } from './load.ts';

const IN_FLIGHT = 128;
const PREFIX = `/registry/${ALERTS.group}/${ALERTS.plural}`;

/** Resolves the names. */
export async function seedAlerts(etcdUrl: string, namespace: string, count: number, bytes: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `bench-${i.toString(16).padStart(16, '0')}`);
  // One by one: what one transaction writes has one revision, and the API server counts on each object having its own.
  await load(count, IN_FLIGHT, async (i) => {
    const name = names[i] ?? '';
    const key = base64(`${PREFIX}/${namespace}/${name}`);
    const body = JSON.stringify({ key, value: base64(stored(namespace, name, i, bytes)) });
    const response = await fetch(`${etcdUrl}/v3/kv/put`, { method: 'POST', body });
    if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
    await response.body?.cancel();
  });
  return names;
}

/** Takes every alert of the namespace away again, by the same door. */
export async function clearSeeded(etcdUrl: string, namespace: string): Promise<void> {
  const start = `${PREFIX}/${namespace}/`;
  // '0' is the character after '/': the end of everything below that directory.
  const body = JSON.stringify({ key: base64(start), range_end: base64(`${start.slice(0, -1)}0`) });
  const response = await fetch(`${etcdUrl}/v3/kv/deleterange`, { method: 'POST', body });
  if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function stored(namespace: string, name: string, i: number, bytes: number): string {
  const alert = {
    apiVersion: API_VERSION,
    kind: ALERTS.kind,
    metadata: {
      name,
      namespace,
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [
        {
          manager: 'funnelai-webhook',
          operation: 'Update',
          apiVersion: API_VERSION,
          time: '2026-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { '.': {}, 'f:fingerprint': {}, 'f:labels': { '.': {}, 'f:alertname': {} } } },
        },
      ],
    },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: i.toString(16).padStart(64, '0'),
      state: 'Firing',
      severity: 'Medium',
      title: 'KubePodCrashLooping',
      labels: { alertname: 'KubePodCrashLooping', pod: `checkout-${i}`, namespace: 'checkout' },
      summary: '',
      startsAt: '2026-01-01T00:00:00Z',
      receivedAt: '2026-01-01T00:00:01.000000Z',
    },
  };
  alert.spec.summary = 'x'.repeat(Math.max(bytes - JSON.stringify(alert).length, 0));
  return JSON.stringify(alert);
}

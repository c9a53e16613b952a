/** Many alerts at once, as the API server would have stored them: by its own door tens of thousands would take minutes. */
import { randomUUID } from 'node:crypto';
import { ALERTS, API_VERSION } from '@funnelai/crds/meta';

/** etcd takes no more than 128 operations at a time. */
const BATCH = 100;

/** Resolves the names. */
export async function seedAlerts(etcdUrl: string, namespace: string, count: number, bytes: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `bench-${i.toString(16).padStart(16, '0')}`);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  for (let at = 0; at < count; at += BATCH) {
    const success = names.slice(at, at + BATCH).map((name, i) => ({
      request_put: {
        key: base64(`/registry/${API_VERSION.split('/')[0]}/${ALERTS.plural}/${namespace}/${name}`),
        value: base64(stored(namespace, name, at + i, bytes)),
      },
    }));
    const response = await fetch(`${etcdUrl}/v3/kv/txn`, { method: 'POST', body: JSON.stringify({ success }) });
    if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
  }
  return names;
}

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

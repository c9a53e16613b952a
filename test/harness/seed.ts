/** Many alerts at once, answered already, as the API server would have stored them: by its own door thousands would take minutes. */
import { randomUUID } from 'node:crypto';
import type { Alert } from '@funnelai/crds/generated/types';
import { ALERTS, API_VERSION } from '@funnelai/crds/meta';
import { PREFIX } from './etcd.ts';

const IN_FLIGHT = 64;
const STARTED = '2026-01-01T00:00:00Z';

/** They fire, and a rule has recorded them: nothing is to be done about them but to hold them. */
export async function seedRecordedAlerts(etcdUrl: string, namespace: string, count: number): Promise<void> {
  const rest = Array.from({ length: count }, (_, i) => i);
  const worker = async () => {
    for (let i = rest.shift(); i !== undefined; i = rest.shift()) await put(etcdUrl, recorded(namespace, i));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

// One by one: what one transaction writes has one revision, and the API server counts on each object having its own.
async function put(etcdUrl: string, alert: Alert): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const key = base64(`${PREFIX}/${ALERTS.plural}/${alert.metadata.namespace}/${alert.metadata.name}`);
  const body = JSON.stringify({ key, value: base64(JSON.stringify(alert)) });
  const response = await fetch(`${etcdUrl}/v3/kv/put`, { method: 'POST', body });
  if (!response.ok) throw new Error(`etcd answered ${response.status}: ${await response.text()}`);
  await response.body?.cancel();
}

function recorded(namespace: string, i: number): Alert {
  const hex = i.toString(16);
  return {
    apiVersion: API_VERSION,
    kind: 'Alert',
    metadata: {
      name: `seeded-${hex.padStart(16, '0')}`,
      namespace,
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: STARTED,
    },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: hex.padStart(64, '0'),
      state: 'Firing',
      severity: 'Low',
      title: 'DiskFillsUp',
      labels: { alertname: 'DiskFillsUp', instance: `node-${i}` },
      startsAt: STARTED,
      receivedAt: '2026-01-01T00:00:01.000000Z',
    },
    status: {
      episode: 1,
      episodeStartedAt: STARTED,
      explanation: 'recorded by the built-in rule: Low opens no incident',
      conditions: [
        { type: 'Correlated', status: 'True', reason: 'Recorded', message: 'recorded', lastTransitionTime: STARTED },
      ],
    },
  };
}

/** Objects for tests, with everything that a story does not care about filled in. */
import type { Alert, AlertSource, Incident } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { FakeClock } from '@funnelai/kube/test-clock';

let serial = 0;
function uid(): string {
  serial += 1;
  return `uid-${serial}`;
}

export function anAlertSource(
  o: { name?: string; namespace?: string; spec?: Partial<AlertSource['spec']> } = {},
): AlertSource {
  const { name = 'prom', namespace = 'demo', spec } = o;
  return {
    apiVersion: API_VERSION,
    kind: 'AlertSource',
    metadata: { namespace, name, uid: uid() },
    spec: {
      format: 'Alertmanager',
      // A source that accepts from another one asks nobody for anything.
      ...(spec?.acceptFrom === undefined ? { auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } } } : {}),
      ...spec,
    },
  };
}

export function anIncident(
  o: {
    name?: string;
    metadata?: Partial<Incident['metadata']>;
    spec?: Partial<Incident['spec']>;
    status?: Incident['status'];
  } = {},
): Incident {
  return {
    apiVersion: API_VERSION,
    kind: 'Incident',
    metadata: {
      namespace: 'demo',
      name: o.name ?? 'checkout-amber-falcon',
      uid: uid(),
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T12:00:00Z',
      ...o.metadata,
    },
    spec: { title: 'Checkout answers 5xx', severity: 'High', phase: 'Detection', ...o.spec },
    ...(o.status === undefined ? {} : { status: o.status }),
  };
}

export function anAlert(o: { name?: string; spec?: Partial<Alert['spec']>; status?: Alert['status'] } = {}): Alert {
  return {
    apiVersion: API_VERSION,
    kind: 'Alert',
    metadata: {
      namespace: 'demo',
      name: o.name ?? 'prom-3f9c2a7d51e08b64',
      uid: uid(),
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T12:00:00Z',
    },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: '3f9c2a7d51e08b64'.padEnd(64, '0'),
      state: 'Firing',
      severity: 'High',
      title: 'Pod is crash looping',
      labels: { alertname: 'KubePodCrashLooping' },
      startsAt: '2026-01-01T12:00:00.000000Z',
      receivedAt: '2026-01-01T12:00:01.000000Z',
      ...o.spec,
    },
    ...(o.status === undefined ? {} : { status: o.status }),
  };
}

/** What routing asks besides the caches, where no source folds. */
export const nothingFolded = () => ({
  live: { overflowsOf: () => 0 },
  folds: undefined,
  clock: new FakeClock(),
  metrics: { limitReached: () => {} },
});

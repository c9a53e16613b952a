/** Alerts, incidents and rules for stories: each builder gives a whole object, a test names only what it is about. */
import type {
  Alert,
  AlertSpec,
  CorrelationRule,
  CorrelationRuleSpec,
  Incident,
  IncidentSpec,
} from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { fingerprintOf } from '@funnelai/domain/fingerprint';

export const NAMESPACE = 'team';
export const START = '2026-03-01T10:00:00Z';

export function anAlert(
  o: { namespace?: string; labels?: Record<string, string>; status?: Alert['status'] } & Partial<AlertSpec> = {},
): Alert {
  const { namespace = NAMESPACE, labels = { alertname: 'KubePodCrashLooping', namespace: 'pay' }, status, ...spec } = o;
  const { fingerprint } = fingerprintOf(labels);
  return {
    apiVersion: API_VERSION,
    kind: 'Alert',
    metadata: { name: `prom-${fingerprint.slice(0, 16)}`, namespace },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint,
      state: 'Firing',
      severity: 'Medium',
      title: labels.alertname ?? 'alert',
      labels,
      startsAt: START,
      receivedAt: '2026-03-01T10:00:01.000000Z',
      ...spec,
    },
    ...(status !== undefined && { status }),
  };
}

/** Pods of one Deployment that crash, as kube-prometheus names them: no `cluster` label. */
export const crashingPods = (count: number, o: { namespace?: string; of?: string } = {}): Alert[] =>
  Array.from({ length: count }, (_, i) =>
    anAlert({
      ...(o.namespace !== undefined && { namespace: o.namespace }),
      labels: { alertname: 'KubePodCrashLooping', namespace: o.of ?? 'pay', pod: `checkout-${i}`, severity: 'warning' },
    }),
  );

export function anIncident(
  o: {
    name?: string;
    namespace?: string;
    metadata?: Partial<Incident['metadata']>;
    status?: Incident['status'];
  } & Partial<IncidentSpec> = {},
): Incident {
  const { name = 'checkout-amber-falcon', namespace = NAMESPACE, metadata, status, ...spec } = o;
  return {
    apiVersion: API_VERSION,
    kind: 'Incident',
    metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: '7', generation: 1, ...metadata },
    spec: { title: 'Checkout answers 5xx', severity: 'High', phase: 'Detection', ...spec },
    ...(status !== undefined && { status }),
  };
}

export function aRule(name: string, spec: CorrelationRuleSpec, namespace = NAMESPACE): CorrelationRule {
  return {
    apiVersion: API_VERSION,
    kind: 'CorrelationRule',
    metadata: { name, namespace, generation: 1 },
    spec,
  };
}

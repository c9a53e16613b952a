/** Objects for tests, complete enough for history; each call may name what the story is about. */
import type { Alert, Incident, IncidentChange } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';

export const BORN = '2026-03-01T10:00:00Z';
/** `n` minutes after the incident's birth. */
export const minute = (n: number): string => Temporal.Instant.from(BORN).add({ minutes: n }).toString();

export function aChange(sequence: number, o: Partial<IncidentChange> = {}): IncidentChange {
  return {
    sequence,
    kind: 'Severity',
    from: `S${sequence - 1}`,
    to: `S${sequence}`,
    at: minute(sequence),
    recordedAt: minute(sequence),
    by: 'ana',
    ...o,
  };
}
/** Changes first..last. */
export const changes = (first: number, last: number): IncidentChange[] =>
  Array.from({ length: last - first + 1 }, (_, index) => aChange(first + index));

export interface IncidentStory {
  uid?: string;
  name?: string;
  namespace?: string;
  version?: number;
  bornAt?: string;
  title?: string;
  spec?: Partial<Incident['spec']>;
  status?: Partial<NonNullable<Incident['status']>>;
  changes?: IncidentChange[];
}
export function anIncident(o: IncidentStory = {}): Incident {
  const incident: Incident = {
    apiVersion: API_VERSION,
    kind: 'Incident',
    metadata: {
      name: o.name ?? 'checkout-amber-falcon',
      namespace: o.namespace ?? 'shop',
      uid: o.uid ?? 'incident-1',
      resourceVersion: String(o.version ?? 100),
      creationTimestamp: o.bornAt ?? BORN,
      managedFields: [{ manager: 'kubectl' }],
    },
    spec: { title: o.title ?? 'Checkout answers 5xx', severity: 'High', phase: 'Detection', ...o.spec },
  };
  const list = o.changes;
  if (list !== undefined || o.status !== undefined)
    incident.status = {
      observedGeneration: 1,
      changeSequence: list?.at(-1)?.sequence ?? 0,
      ...(list === undefined ? {} : { changes: list }),
      ...o.status,
    };
  return incident;
}

export interface AlertStory {
  uid?: string;
  name?: string;
  namespace?: string;
  version?: number;
  bornAt?: string;
  incident?: string;
  episode?: number;
  spec?: Partial<Alert['spec']>;
  status?: Partial<NonNullable<Alert['status']>>;
}
export function anAlert(o: AlertStory = {}): Alert {
  const startsAt = o.spec?.startsAt ?? BORN;
  const alert: Alert = {
    apiVersion: API_VERSION,
    kind: 'Alert',
    metadata: {
      name: o.name ?? 'prom-3f9c2a7d51e08b64',
      namespace: o.namespace ?? 'shop',
      uid: o.uid ?? 'alert-1',
      resourceVersion: String(o.version ?? 200),
      creationTimestamp: o.bornAt ?? BORN,
    },
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: '3f9c2a7d51e08b64',
      state: 'Firing',
      severity: 'High',
      title: 'KubePodCrashLooping',
      labels: { alertname: 'KubePodCrashLooping' },
      startsAt,
      receivedAt: startsAt,
      ...o.spec,
    },
  };
  if (o.incident !== undefined || o.status !== undefined)
    alert.status = {
      episode: o.episode ?? 1,
      episodeStartedAt: startsAt,
      ...(o.incident === undefined ? {} : { incidentRef: { name: o.incident } }),
      ...o.status,
    };
  return alert;
}

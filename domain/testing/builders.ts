/** Objects for tests: whole and plausible, with only what the story is about said by the story. */
import type {
  Alert,
  AlertSource,
  AlertSourceSpec,
  AlertSpec,
  CorrelationRule,
  CorrelationRuleSpec,
  Incident,
  IncidentSpec,
  IncidentStatus,
} from '@funnelai/crds/generated/types';
import { API_VERSION, CHANGES_ANNOTATION, type ObjectMeta } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { encodeChangesAnnotation, type LogEntry } from '../admission-log.ts';
import type { AlertInput } from '../alert-input.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { formatMicros } from '../instants.ts';

export const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
/** When stories begin. */
export const START = '2026-03-01T14:00:00Z';

/** Returns an instant so many seconds after the beginning. */
export function at(seconds: number): Temporal.Instant {
  return Temporal.Instant.from(START).add({ milliseconds: Math.round(seconds * 1000) });
}
/** The same as the text that stands in objects. */
export function time(seconds: number): string {
  return formatMicros(at(seconds));
}
/** As the admission log writes it: whole seconds. */
export function logTime(seconds: number): string {
  return at(Math.floor(seconds)).toString();
}

export function anAlertSpec(spec: Partial<AlertSpec> = {}): AlertSpec {
  const labels = spec.labels ?? { alertname: 'KubePodCrashLooping', namespace: 'pay', severity: 'warning' };
  return {
    sourceRef: { name: 'prom' },
    fingerprint: fingerprintOf(labels).fingerprint,
    state: 'Firing',
    severity: 'Medium',
    title: 'Pod is crash looping.',
    labels,
    startsAt: time(0),
    receivedAt: time(1),
    ...spec,
  };
}

export function anAlert(o: { name?: string; spec?: Partial<AlertSpec>; incident?: string } = {}): Alert {
  const spec = anAlertSpec(o.spec);
  return {
    apiVersion: API_VERSION,
    kind: 'Alert',
    metadata: {
      name: o.name ?? `prom-${spec.fingerprint.slice(0, 16)}`,
      namespace: 'pay',
      creationTimestamp: logTime(1),
    },
    spec,
    ...(o.incident === undefined ? {} : { status: { incidentRef: { name: o.incident } } }),
  };
}

export function anInput(input: Partial<AlertInput> = {}): AlertInput {
  return {
    labels: { alertname: 'KubePodCrashLooping', namespace: 'pay', severity: 'warning' },
    annotations: {},
    state: 'Firing',
    startsAt: at(0),
    links: [],
    ...input,
  };
}

export function aSource(spec: Partial<AlertSourceSpec> = {}): AlertSource {
  return {
    apiVersion: API_VERSION,
    kind: 'AlertSource',
    metadata: { name: 'prom', namespace: 'pay' },
    spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } }, ...spec },
  };
}

export function aRule(name: string, spec: CorrelationRuleSpec = {}): CorrelationRule {
  return { apiVersion: API_VERSION, kind: 'CorrelationRule', metadata: { name, namespace: 'pay' }, spec };
}

export interface IncidentParts {
  name?: string;
  spec?: Partial<IncidentSpec>;
  status?: IncidentStatus;
  metadata?: Partial<ObjectMeta>;
  /** The admission log; its counter is the last entry's number unless `counter` says otherwise. */
  log?: LogEntry[];
  counter?: number;
}
export function anIncident({
  name = 'pods-amber-falcon',
  spec,
  status,
  metadata,
  log,
  counter,
}: IncidentParts = {}): Incident {
  const annotations =
    log === undefined
      ? {}
      : {
          [CHANGES_ANNOTATION]: encodeChangesAnnotation({
            counter: counter ?? log.at(-1)?.number ?? 0,
            entries: log.slice(-16),
          }),
        };
  return {
    apiVersion: API_VERSION,
    kind: 'Incident',
    metadata: {
      name,
      namespace: 'pay',
      uid: `uid-${name}`,
      generation: 1,
      creationTimestamp: logTime(0),
      annotations,
      ...metadata,
    },
    spec: { title: 'Pods crash', severity: 'Medium', priority: 'P3', phase: 'Detection', ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

/**
 * What a restored incident is made of: the object to create, and the one status that whoever restores writes before the operator takes
 * it over. Pure. What history does not know for sure is left out rather than guessed.
 */
import type { Incident, IncidentStatus } from '@funnelai/crds/generated/types';
import { API_VERSION, CHANGES_ANNOTATION, HISTORY_FINALIZER } from '@funnelai/crds/meta';
import { parseChangesAnnotation } from '@funnelai/domain/admission-log';
import { formatMicros } from '@funnelai/domain/instants';
import type { Restorable } from '@funnelai/history/restorable';
import type { Temporal } from 'temporal-polyfill';

/** Annotations of the lost object that mean nothing on another: the API server's own log, and what kubectl last applied. */
const LEFT_BEHIND: readonly string[] = [CHANGES_ANNOTATION, 'kubectl.kubernetes.io/last-applied-configuration'];

/** Returns the incident to create: name, labels and spec as they were, and where it comes from. */
export function restoredIncident({ incident, originUid, changeSequence }: Restorable): Incident {
  const { name, namespace, labels, annotations = {} } = incident.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !LEFT_BEHIND.includes(key));
  const metadata: Incident['metadata'] = { name, finalizers: [HISTORY_FINALIZER] };
  if (namespace !== undefined) metadata.namespace = namespace;
  if (labels !== undefined) metadata.labels = labels;
  if (kept.length > 0) metadata.annotations = Object.fromEntries(kept);
  return {
    apiVersion: API_VERSION,
    kind: 'Incident',
    metadata,
    spec: { ...incident.spec, restoredFrom: { uid: originUid, changeSequence } },
  };
}

/**
 * Returns the status that carries the record on; undefined when history knows of no change, so that its birth is numbered as any other.
 * What the admission log says of this birth is no change: it counts as numbered. Alerts are gone with the cluster: those that fired
 * come again and are counted then, those that had resolved or expired stay counted, and that all had resolved is not believed any more.
 * @param created as the API server answered the create.
 */
export function restoredStatus(
  { incident, changeSequence, changes }: Restorable,
  created: Incident,
  now: Temporal.Instant,
): IncidentStatus | undefined {
  const { status } = incident;
  if (changeSequence === 0 || status?.phase === undefined) return undefined;
  const resolved = status.alerts?.resolved ?? 0;
  const firing = status.alerts?.firing ?? 0;
  const expired = status.alerts?.expired ?? 0;
  return {
    ...status,
    observedGeneration: created.metadata.generation ?? -1,
    changeSequence,
    logSequence: birthEntries(incident, created),
    changes,
    alerts: {
      firing: 0,
      resolved,
      ...(expired > 0 && { expired, expiredGone: expired }),
      total: Math.max(resolved + expired, (status.alerts?.total ?? 0) - firing),
      ...(resolved > 0 && { gone: resolved }),
      asOf: formatMicros(now),
    },
    conditions: (status.conditions ?? []).filter(({ type }) => type !== 'AlertsCleared' && type !== 'DeletionHeld'),
  };
}

/**
 * How many entries the admission log got at birth, one for each value: phase, severity, the priority, which the policy fills in, and the
 * owner if there was one. Later ones are acts that nobody has numbered yet.
 */
function birthEntries({ spec }: Incident, created: Incident): number {
  const isLogged = parseChangesAnnotation(created.metadata.annotations?.[CHANGES_ANNOTATION]) !== undefined;
  return isLogged ? 3 + (spec.owner === undefined ? 0 : 1) : 0;
}

/**
 * What is the operator's own in an incident's status: whether history has it, which writes can wait, and how a wish for the
 * spec becomes a patch that never undoes a person's act. The lifecycle itself is `domain/incident-decide`.
 */
import type { Incident, IncidentSpec, IncidentStatus } from '@funnelai/crds/generated/types';
import { HISTORY_FINALIZER } from '@funnelai/crds/meta';
import type { JsonPatchOp } from '@funnelai/kube/client';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';
import type { MirrorFacts } from '../mirror/facts.ts';

/** Machine writes other than numbered changes come at most once in this time: write budget, architecture.md point 6. */
export const SLOW_WRITE_MS = 10_000;
/** History may lag so far behind before the incident says so. */
export const LAG_MS = 60_000;

const MIRRORED = 'HistoryMirrored';

/**
 * Adds the condition HistoryMirrored. It turns False only when history lags or refuses, so that no write is spent on the
 * moment between a change and its row.
 */
export function withHistory(
  status: IncidentStatus,
  incident: Incident,
  o: { enabled: boolean; facts: MirrorFacts | undefined; now: Temporal.Instant; monotonicMs: number },
): IncidentStatus {
  const verdict = historyVerdict(status, incident, o);
  if (verdict === undefined) return status;
  const observedGeneration = incident.metadata.generation ?? 0;
  const held = status.conditions?.find(({ type }) => type === MIRRORED);
  if (held !== undefined && held.status === verdict.status && held.reason === verdict.reason) return status;
  return {
    ...status,
    conditions: setCondition(status.conditions, { type: MIRRORED, observedGeneration, ...verdict }, o.now),
  };
}

function historyVerdict(
  status: IncidentStatus,
  incident: Incident,
  o: { enabled: boolean; facts: MirrorFacts | undefined; monotonicMs: number },
): { status: 'True' | 'False'; reason: string; message: string } | undefined {
  if (!o.enabled) {
    const held = incident.metadata.deletionTimestamp === undefined ? 'would be' : 'is';
    const message = `no database is configured: history is what status.changes holds, and a deletion ${held} held; whoever has the verb waive-history may remove the finalizer ${HISTORY_FINALIZER}`;
    return { status: 'False', reason: 'HistoryOff', message };
  }
  const { facts } = o;
  if (facts?.refused !== undefined) return { status: 'False', reason: 'HistoryRefused', message: facts.refused };
  const waitedMs = facts?.waitingSinceMs === undefined ? 0 : o.monotonicMs - facts.waitingSinceMs;
  if (waitedMs >= LAG_MS) {
    const message = `Postgres has ${facts?.mirroredSequence ?? 'an unknown number'} of ${status.changeSequence ?? 0} changes; it has not taken more for over ${LAG_MS / 1000} s`;
    return { status: 'False', reason: 'HistoryLagging', message };
  }
  if (facts?.mirroredSequence === undefined) return undefined;
  return { status: 'True', reason: 'Mirrored', message: 'Postgres has, or is about to take, every change' };
}

/** When to look again whether history lags; undefined when nothing waits. */
export function lagCheckAfterMs(facts: MirrorFacts | undefined, monotonicMs: number): number | undefined {
  if (facts?.waitingSinceMs === undefined) return undefined;
  const left = facts.waitingSinceMs + LAG_MS - monotonicMs;
  return left > 0 ? left : undefined;
}

/** Keeps the moment of counting while the counts are what they were: time alone is not worth a write. */
export function keepAsOf(before: IncidentStatus | undefined, after: IncidentStatus): IncidentStatus {
  const old = before?.alerts;
  const now = after.alerts;
  if (old === undefined || now === undefined) return after;
  const same = old.firing === now.firing && old.resolved === now.resolved && old.total === now.total;
  return same ? { ...after, alerts: old } : after;
}

/** Whether a status must be written now: it numbers a change. Counts and conditions can wait for SLOW_WRITE_MS. */
export function isUrgent(before: IncidentStatus | undefined, after: IncidentStatus): boolean {
  return (
    before?.phase !== after.phase ||
    before?.changeSequence !== after.changeSequence ||
    before?.logSequence !== after.logSequence
  );
}

type SpecPatch = Partial<Pick<IncidentSpec, 'phase' | 'phaseReason' | 'owner' | 'severity' | 'priority'>>;

/** JSON patch for what the operator wishes, void the moment anybody else has written in between. */
export function specOps(incident: Incident, patch: SpecPatch): JsonPatchOp[] {
  const { uid, resourceVersion } = incident.metadata;
  const ops: JsonPatchOp[] = [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'test', path: '/spec/phase', value: incident.spec.phase },
  ];
  for (const [field, value] of Object.entries(patch)) {
    if (value !== undefined) ops.push({ op: 'add', path: `/spec/${field}`, value });
  }
  return ops;
}

/** JSON patch that adds the history finalizer, where admission did not; undefined when there is nothing to add. */
export function finalizerOps({ metadata }: Incident): JsonPatchOp[] | undefined {
  if (metadata.deletionTimestamp !== undefined || metadata.finalizers?.includes(HISTORY_FINALIZER)) return undefined;
  const value = metadata.finalizers === undefined ? [HISTORY_FINALIZER] : HISTORY_FINALIZER;
  return [
    { op: 'test', path: '/metadata/uid', value: metadata.uid },
    { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    { op: 'add', path: metadata.finalizers === undefined ? '/metadata/finalizers' : '/metadata/finalizers/-', value },
  ];
}

/** The manager of the newest write to the spec: all that is known of who wrote it where admission keeps no log. */
export function newestManager({ metadata }: Incident): string | undefined {
  let newest: { manager: string; time: string } | undefined;
  for (const { manager, subresource, time } of metadata.managedFields ?? []) {
    if (manager === undefined || subresource !== undefined) continue;
    if (newest === undefined || (time ?? '') > newest.time) newest = { manager, time: time ?? '' };
  }
  return newest?.manager;
}

/**
 * What stands around the lifecycle: what is known of the mirror, said in the lifecycle's terms, and how a wish for the spec
 * becomes a patch that never undoes a person's act. The lifecycle itself is `domain/incident-decide`.
 */
import type { Incident, IncidentStatus } from '@funnelai/crds/generated/types';
import { HISTORY_FINALIZER } from '@funnelai/crds/meta';
import type { MirrorFacts } from '@funnelai/domain/incident-conditions';
import type { IncidentSpecPatch } from '@funnelai/domain/incident-decide';
import type { JsonPatchOp } from '@funnelai/kube/client';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';
import { FIELD_MANAGER } from '../identity.ts';
import type { BookEntry } from '../mirror/facts.ts';

/** History may lag so far behind before the incident says so; then is the time to look again. */
const LAG_MS = 60_000;
const DELETION_HELD = 'DeletionHeld';

/**
 * What the lifecycle needs to know of the mirror. Nothing leaves `status.changes` before Postgres has it, so where the list
 * begins is proof of what Postgres has, also while Postgres cannot be asked.
 */
export function mirrorFacts(
  { status }: Incident,
  o: { enabled: boolean; entry: BookEntry | undefined; monotonicMs: number },
): MirrorFacts {
  const { entry } = o;
  const first = status?.changes?.[0]?.sequence ?? (status?.changeSequence ?? 0) + 1;
  // More than the object ever had: it was set back since, and what is there is of changes that it does not have.
  const isOfThisObject = (entry?.mirroredSequence ?? 0) <= (status?.changeSequence ?? 0);
  return {
    mirroredSequence: Math.max(isOfThisObject ? (entry?.mirroredSequence ?? 0) : 0, first - 1),
    ...(entry?.waitingSinceMs !== undefined && { lagMs: o.monotonicMs - entry.waitingSinceMs }),
    ...(entry?.refused !== undefined && { refused: entry.refused }),
    ...(entry?.storedSequence !== undefined && { storedSequence: entry.storedSequence }),
    ...(entry?.conflict !== undefined && { conflict: entry.conflict }),
    ...(!o.enabled && { isOff: true }),
  };
}

/** When to look again whether history lags; undefined when nothing waits, or it is known to lag. */
export function lagCheckAfterMs(entry: BookEntry | undefined, monotonicMs: number): number | undefined {
  if (entry?.waitingSinceMs === undefined) return undefined;
  const left = entry.waitingSinceMs + LAG_MS - monotonicMs;
  return left > 0 ? left : undefined;
}

/** Whether its deletion waits for history. */
export const isHeld = ({ metadata }: Incident): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers?.includes(HISTORY_FINALIZER) ?? false);

const WAY_OUT = `let whoever holds the verb waive-history on incidents take off the finalizer ${HISTORY_FINALIZER}`;

/** Why history holds a deletion, once that has lasted long enough to be told. */
function holdOf(o: { enabled: boolean; entry: BookEntry | undefined; monotonicMs: number }) {
  const { waitingSinceMs, refused } = o.entry ?? {};
  if (!o.enabled) {
    const message = `its history is nowhere but here: no database is configured. Name one with --database-url-file, or ${WAY_OUT}`;
    return { reason: 'NoDatabase', message };
  }
  if (refused !== undefined) {
    const message = `Postgres refuses its history: ${refused}. Mend that, in the incident or in the database, or ${WAY_OUT}`;
    return { reason: 'HistoryRefused', message };
  }
  if (waitingSinceMs === undefined || o.monotonicMs - waitingSinceMs < LAG_MS) return undefined;
  const message = `Postgres has not taken its last state for over a minute: it goes once Postgres has. Or ${WAY_OUT}`;
  return { reason: 'HistoryBehind', message };
}

/** Whoever wonders why a deletion does not end finds it in a condition, and what to do: without a database it is held for good. */
export function withHeldDeletion(
  status: IncidentStatus,
  incident: Incident,
  o: { enabled: boolean; entry: BookEntry | undefined; monotonicMs: number; now: Temporal.Instant },
): IncidentStatus {
  const said = status.conditions?.find(({ type }) => type === DELETION_HELD);
  const hold = isHeld(incident) ? holdOf(o) : undefined;
  if (hold !== undefined) {
    if (said?.reason === hold.reason && said.message === hold.message) return status;
    const held = { type: DELETION_HELD, status: 'True' as const, ...hold };
    return { ...status, conditions: setCondition(status.conditions, held, o.now) };
  }
  if (said?.status !== 'True' || isHeld(incident)) return status;
  const message = 'history has all of it; what still holds it are finalizers of others';
  const letGo = { type: DELETION_HELD, status: 'False' as const, reason: 'LetGo', message };
  return { ...status, conditions: setCondition(status.conditions, letGo, o.now) };
}

/** JSON patch for what the operator wishes, void the moment anybody else has written in between. */
export function specOps(incident: Incident, patch: IncidentSpecPatch): JsonPatchOp[] {
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

/**
 * The manager of the newest write to the spec: all that is known of who wrote it where admission keeps no log. Their times have
 * a grain of a second: whoever wrote within the second of an own write is asked first, or a merge right after an opening would
 * pass for the operator's.
 */
export function newestManager({ metadata }: Incident): string | undefined {
  let newest: { manager: string; time: string } | undefined;
  for (const { manager, subresource, time = '' } of metadata.managedFields ?? []) {
    if (manager === undefined || subresource !== undefined) continue;
    const isNewer = newest === undefined || time > newest.time;
    if (isNewer || (time === newest?.time && newest.manager === FIELD_MANAGER)) newest = { manager, time };
  }
  return newest?.manager;
}

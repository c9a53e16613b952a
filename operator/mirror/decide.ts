/** When a deleted Incident may go, after which its history cannot be read from the cluster any more; and how both sides differ. */
import type { Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION, HISTORY_FINALIZER, type KubeObject } from '@funnelai/crds/meta';
import { parseChangesAnnotation } from '@funnelai/domain/admission-log';
import type { RowFacts } from '@funnelai/history/compare';
import type { JsonPatchOp } from '@funnelai/kube/client';
import type { BookEntry } from './facts.ts';

export type Release = { kind: 'release'; ops: JsonPatchOp[] } | { kind: 'hold'; because: string } | { kind: 'nothing' };

/**
 * @param facts what Postgres has of it. `nothing` when the object is not being deleted or our finalizer is off already.
 * The patch tests the finalizer's place and the version that was mirrored, so that an edit in between holds it again.
 */
export function decideRelease(incident: Incident, facts: BookEntry | undefined): Release {
  const { metadata, status } = incident;
  const at = metadata.finalizers?.indexOf(HISTORY_FINALIZER) ?? -1;
  if (metadata.deletionTimestamp === undefined || at < 0) return { kind: 'nothing' };
  const unnumbered = unnumberedChanges(incident);
  if (unnumbered !== undefined) return { kind: 'hold', because: unnumbered };
  const sequence = status?.changeSequence ?? 0;
  if (facts?.resourceVersion !== metadata.resourceVersion) {
    return { kind: 'hold', because: 'its last state is not in Postgres yet' };
  }
  if (facts?.mirroredSequence === undefined || facts.mirroredSequence < sequence) {
    return { kind: 'hold', because: `Postgres has ${facts?.mirroredSequence ?? 0} of its ${sequence} changes` };
  }
  return {
    kind: 'release',
    ops: [
      { op: 'test', path: '/metadata/uid', value: metadata.uid },
      { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
      { op: 'test', path: `/metadata/finalizers/${at}`, value: HISTORY_FINALIZER },
      { op: 'remove', path: `/metadata/finalizers/${at}` },
    ],
  };
}

/** Says which acts of people are not numbered yet; undefined when all are. */
function unnumberedChanges({ metadata, spec, status }: Incident): string | undefined {
  if (status?.phase === undefined) return 'the operator has not recorded its birth yet';
  const log = parseChangesAnnotation(metadata.annotations?.[CHANGES_ANNOTATION]);
  if (log !== undefined && log.counter > (status.logSequence ?? 0)) {
    return `${log.counter - (status.logSequence ?? 0)} changes in its admission log are not numbered yet`;
  }
  if (status.phase !== spec.phase) return `its move to ${spec.phase} is not numbered yet`;
  return undefined;
}

export interface Mirrored extends KubeObject {
  status?: { changeSequence?: number; episode?: number };
}
/** `behind`: history lacks its state. `ahead`: history has a version that the cluster has not. `deleted`: history takes it for gone. */
export type Difference = 'behind' | 'ahead' | 'deleted';

/** What is to be set right for an object that is in the cluster; nothing when both sides agree. */
export function differenceOf({ metadata, status }: Mirrored, row: RowFacts | undefined): Difference[] {
  if (row === undefined) return ['behind'];
  const found: Difference[] = [];
  const order = compareVersions(row.resourceVersion, metadata.resourceVersion);
  if (order > 0) found.push('ahead');
  else if (order < 0 || row.sequence < (status?.changeSequence ?? 0)) found.push('behind');
  // Marked before the finalizer went: its end is in hand.
  if (row.isDeleted && metadata.deletionTimestamp === undefined) found.push('deleted');
  return found;
}

/** Of two resourceVersions, which is later: below 0 the second, 0 neither. */
export function compareVersions(a = '', b = ''): number {
  const [x, y] = [a, b].map((text) => (/^\d+$/.test(text) ? BigInt(text) : 0n)) as [bigint, bigint];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Nobody deleted it: it stands in no list any more though our finalizer held it. The cluster was set back or emptied. */
export function isVanished({ metadata }: Incident): boolean {
  return metadata.deletionTimestamp === undefined && (metadata.finalizers?.includes(HISTORY_FINALIZER) ?? false);
}

/** When a deleted Incident may go: the one decision after which its history cannot be read from the cluster any more. */
import type { Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION, HISTORY_FINALIZER } from '@funnelai/crds/meta';
import { parseChangesAnnotation } from '@funnelai/domain/admission-log';
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

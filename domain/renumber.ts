/**
 * What becomes of an incident's changes when history has others under their numbers (etcd was set back to an older snapshot): they
 * get the numbers after the last that history has, so that nothing that a person did is swallowed and nothing is written over.
 * Finding the contradiction is the mirror's, writing the status the incident controller's.
 */
import type { IncidentChange, IncidentStatus } from '@funnelai/crds/generated/types';

export interface ChangeConflict {
  /** The first number under which history has another change. */
  sequence: number;
  /** What the object has under that number; of an object that has something else by now the contradiction is settled. */
  found: IncidentChange;
  /** The last number that history has. */
  storedSequence: number;
  /** The object's own last number when this was found: what came after it was not looked for in history yet. */
  lastSequence: number;
  /** The object's numbers whose act history has already, under the number beside it. */
  known: readonly (readonly [number, number])[];
}

export interface Renumbered {
  status: IncidentStatus;
  /** How many got new numbers, and the first and last of these; none when history had every act already. */
  count: number;
  from: number;
  to: number;
}

/**
 * Returns the status with its changes from the conflict on renumbered; undefined when it does not contradict (any more), or has
 * changes that were not yet looked for in history. What history has leaves the list, which is contiguous as ever.
 */
export function renumbered(status: IncidentStatus, conflict: ChangeConflict): Renumbered | undefined {
  const changes = status.changes ?? [];
  if ((status.changeSequence ?? 0) !== conflict.lastSequence) return undefined;
  const contradicting = changes.find(({ sequence }) => sequence === conflict.sequence);
  if (contradicting === undefined || !isSameAct(contradicting, conflict.found)) return undefined;
  const known = new Map(conflict.known);
  const kept = changes.filter(({ sequence }) => sequence < conflict.sequence);
  const after = changes.filter(({ sequence }) => sequence >= conflict.sequence);
  const there = after
    .flatMap((change) => {
      const sequence = known.get(change.sequence);
      return sequence === undefined ? [] : [{ ...change, sequence }];
    })
    .sort((a, b) => a.sequence - b.sequence);
  const fresh = after
    .filter(({ sequence }) => !known.has(sequence))
    .map((change, index) => ({ ...change, sequence: conflict.storedSequence + 1 + index }));
  const to = conflict.storedSequence + fresh.length;
  return {
    status: { ...status, changes: contiguousUpTo(to, [...kept, ...there, ...fresh]), changeSequence: to },
    count: fresh.length,
    from: conflict.storedSequence + 1,
    to,
  };
}

/** The end of the list that has no hole. */
function contiguousUpTo(last: number, changes: readonly IncidentChange[]): IncidentChange[] {
  const list: IncidentChange[] = [];
  for (const change of changes.toReversed()) if (change.sequence === last - list.length) list.unshift(change);
  return list;
}

/**
 * Returns the status with its count going on from history's last number; undefined when that is no higher than its own, or when
 * history does not have all of its changes.
 */
export function continued(
  status: IncidentStatus,
  o: { storedSequence: number; mirroredSequence: number },
): Renumbered | undefined {
  const { storedSequence } = o;
  const own = status.changeSequence ?? 0;
  if (storedSequence <= own || o.mirroredSequence < own) return undefined;
  return {
    status: { ...status, changes: [], changeSequence: storedSequence },
    count: 0,
    from: storedSequence + 1,
    to: storedSequence,
  };
}

/** Who did what, when and why: the same act, whenever it was numbered. Empty and absent are the same. */
function isSameAct(a: IncidentChange, b: IncidentChange): boolean {
  return (['kind', 'from', 'to', 'at', 'by', 'reason'] as const).every((name) => (a[name] ?? '') === (b[name] ?? ''));
}

/** Decides which changes of an incident history still lacks, and says where object and history disagree. Pure. */
import type { IncidentChange } from '@funnelai/crds/generated/types';
import { HistoryRefused } from './errors.ts';
import { type ChangeRow, changeOf, changeRow } from './rows.ts';

/** History has another content under a number: an alarm, and nothing of this incident is recorded from there on. */
export interface Conflict {
  sequence: number;
  stored: IncidentChange;
  found: IncidentChange;
  /** Highest number that history has for this incident; renumbering starts after it. */
  storedSequence: number;
}
/** Numbers that the object no longer has and history never had: `expected` came next, `found` is what there is. */
export interface Gap {
  expected: number;
  found: number;
}
export interface ChangePlan {
  insert: ChangeRow[];
  /** Every change of this object up to this number will be in history, as it stands in the object. */
  mirroredSequence: number;
  conflict?: Conflict;
  gap?: Gap;
  refused?: HistoryRefused;
}

/**
 * @param stored rows of this incident from the object's first change on
 * @param storedSequence highest number that history has, 0 for none
 * @param changeSequence the object's own count of its changes
 */
export function planChanges(
  uid: string,
  changes: readonly IncidentChange[],
  changeSequence: number,
  stored: ReadonlyMap<number, ChangeRow>,
  storedSequence: number,
): ChangePlan {
  const known = new Map(stored);
  const insert: ChangeRow[] = [];
  let newest = storedSequence;
  const upTo = (sequence: number) => Math.min(newest, sequence);
  for (const change of [...changes].sort((a, b) => a.sequence - b.sequence)) {
    let found: ChangeRow;
    try {
      found = changeRow(uid, change);
      if (found.sequence < 1) throw new HistoryRefused('sequence', 'changes are numbered from 1');
    } catch (error) {
      if (!(error instanceof HistoryRefused)) throw error;
      return { insert, mirroredSequence: upTo(Math.max(0, Number(change.sequence) - 1) || 0), refused: error };
    }
    const there = known.get(found.sequence);
    if (there !== undefined) {
      if (sameChange(there, found)) continue;
      return {
        insert,
        mirroredSequence: upTo(found.sequence - 1),
        conflict: { sequence: found.sequence, stored: changeOf(there), found: changeOf(found), storedSequence: newest },
      };
    }
    if (found.sequence !== newest + 1)
      return { insert, mirroredSequence: newest, gap: { expected: newest + 1, found: found.sequence } };
    insert.push(found);
    known.set(found.sequence, found);
    newest = found.sequence;
  }
  const own = Math.max(changeSequence, ...changes.map((change) => change.sequence));
  if (newest < own) return { insert, mirroredSequence: newest, gap: { expected: newest + 1, found: own } };
  return { insert, mirroredSequence: upTo(own) };
}

const sameChange = (a: ChangeRow, b: ChangeRow): boolean =>
  a.kind === b.kind &&
  a.from_value === b.from_value &&
  a.to_value === b.to_value &&
  a.at === b.at &&
  a.recorded_at === b.recorded_at &&
  a.by === b.by &&
  a.reason === b.reason &&
  a.verified === b.verified;

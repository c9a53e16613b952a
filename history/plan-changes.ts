/** Decides which changes of an incident history still lacks, and says where object and history disagree. Pure. */
import type { IncidentChange } from '@funnelai/crds/generated/types';
import { HistoryRefused } from './errors.ts';
import { type ChangeRow, changeOf, changeRow, LOST, type StoredChange } from './rows.ts';

/** Numbers that one object may lack before it is believed: no status of ours is so far ahead. */
export const MAX_LOST = 10_000;

/** History has another content under a number: an alarm, and nothing of this incident is recorded until it is renumbered. */
export interface Conflict {
  sequence: number;
  stored: StoredChange;
  found: IncidentChange;
  /** Highest number that history has for this incident; renumbering starts after it. */
  storedSequence: number;
  /** The object's own last number. */
  lastSequence: number;
  /** Numbers of the object whose act history has already, each beside its number there. */
  known: (readonly [number, number])[];
}
/** Numbers that the object no longer has and history never had: `expected` came next, `found` is what there is. */
export interface Gap {
  expected: number;
  found: number;
}
/** Numbers of which nothing is known any more, first and last: rows of kind Lost hold their places. */
export interface Lost {
  from: number;
  to: number;
}
export interface ChangePlan {
  insert: ChangeRow[];
  /** Every change of this object up to this number will be in history, as it stands in the object. */
  mirroredSequence: number;
  /** The last number that history has with these; above the object's own count, the cluster was set back. */
  storedSequence: number;
  conflict?: Conflict;
  /** Too wide to be filled: a person has to look. */
  gap?: Gap;
  lost?: Lost[];
  refused?: HistoryRefused;
}

/** What is known of an incident before it is planned. */
export interface Known {
  /** Under which its changes are stored: its own uid, or the first one of an incident that was restored. */
  originUid: string;
  /** Rows of this incident from the object's first change on. */
  stored: ReadonlyMap<number, ChangeRow>;
  /** Highest number that history has, 0 for none. */
  storedSequence: number;
  /** When this is planned, RFC 3339: what is lost was lost before. */
  now: string;
}

/** @param changeSequence the object's own count of its changes */
export function planChanges(
  { originUid, stored, storedSequence, now }: Known,
  changes: readonly IncidentChange[],
  changeSequence: number,
): ChangePlan {
  const rows = new Map(stored);
  const insert: ChangeRow[] = [];
  const lost: Lost[] = [];
  let newest = storedSequence;
  const add = (row: ChangeRow): void => {
    insert.push(row);
    rows.set(row.sequence, row);
    newest = row.sequence;
  };
  /** Holds the places up to `last`; false when there are too many. */
  const fill = (last: number, at: string): boolean => {
    if (last - newest > MAX_LOST) return false;
    if (last > newest) lost.push({ from: newest + 1, to: last });
    while (newest < last) add(lostRow(originUid, newest + 1, at, now));
    return true;
  };
  const plan = (rest: Omit<ChangePlan, 'insert' | 'lost' | 'storedSequence'>): ChangePlan => ({
    insert,
    storedSequence: newest,
    ...(lost.length > 0 && { lost }),
    ...rest,
  });
  const upTo = (sequence: number) => Math.min(newest, sequence);
  const own = Math.max(changeSequence, ...changes.map((change) => change.sequence));
  const sorted = [...changes].sort((a, b) => a.sequence - b.sequence);
  for (const [index, change] of sorted.entries()) {
    let found: ChangeRow;
    try {
      found = changeRow(originUid, change);
      if (found.sequence < 1) throw new HistoryRefused('sequence', 'changes are numbered from 1');
    } catch (error) {
      if (!(error instanceof HistoryRefused)) throw error;
      return plan({ mirroredSequence: upTo(Math.max(0, Number(change.sequence) - 1) || 0), refused: error });
    }
    const there = rows.get(found.sequence);
    if (there !== undefined) {
      if (actOf(there) === actOf(found)) continue;
      const known = knownActs(originUid, sorted.slice(index), rows, found.sequence);
      return plan({
        mirroredSequence: upTo(found.sequence - 1),
        conflict: {
          sequence: found.sequence,
          stored: changeOf(there),
          found: change,
          storedSequence: newest,
          lastSequence: own,
          known,
        },
      });
    }
    if (!fill(found.sequence - 1, String(found.at)))
      return plan({ mirroredSequence: newest, gap: { expected: newest + 1, found: found.sequence } });
    add(found);
  }
  if (!fill(own, now)) return plan({ mirroredSequence: newest, gap: { expected: newest + 1, found: own } });
  return plan({ mirroredSequence: upTo(own) });
}

/** Of `changes`, those whose act stands in `rows` from `first` on: each row stands for one of them. */
function knownActs(
  uid: string,
  changes: readonly IncidentChange[],
  rows: ReadonlyMap<number, ChangeRow>,
  first: number,
): (readonly [number, number])[] {
  const places = new Map<string, number[]>();
  for (const row of [...rows.values()].sort((a, b) => a.sequence - b.sequence))
    if (row.sequence >= first) places.set(actOf(row), [...(places.get(actOf(row)) ?? []), row.sequence]);
  return changes.flatMap((change) => {
    const place = rowOrNothing(uid, change, (row) => places.get(actOf(row))?.shift());
    return place === undefined ? [] : [[change.sequence, place] as const];
  });
}

function rowOrNothing<T>(uid: string, change: IncidentChange, use: (row: ChangeRow) => T): T | undefined {
  try {
    return use(changeRow(uid, change));
  } catch (error) {
    if (error instanceof HistoryRefused) return undefined;
    throw error;
  }
}

/** Holds the place of a change that neither side knows any more. It happened before what follows it. */
const lostRow = (uid: string, sequence: number, at: string, now: string): ChangeRow => ({
  ...changeRow(uid, { sequence, kind: 'Phase', at, recordedAt: now, by: '' }),
  kind: LOST,
  reason: 'neither the cluster nor history had it any more',
  verified: false,
});

/** Who did what, when and why. When it was numbered is no part of it: after a restore the same act is numbered again. */
const actOf = (row: ChangeRow): string =>
  JSON.stringify([row.kind, row.from_value, row.to_value, row.at, row.by, row.reason, row.verified]);

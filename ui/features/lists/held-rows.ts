/**
 * Which rows a list shows while its data changes under a reader. Rows that are shown never change places; new ones wait while the
 * reader is busy with the list; rows that no longer belong stay, marked, until the reader looks away. Pure.
 */

/** A row as it is shown: `isGone` when the latest data has it no more. */
export interface Row<T> {
  item: T;
  isGone: boolean;
}
export interface Held<T> {
  /** What the list is of; another list starts afresh. */
  listKey: string;
  latest: readonly T[];
  isHeld: boolean;
  rows: readonly Row<T>[];
  /** New ones that wait behind the pill. */
  waiting: number;
  /** The data has another order than the screen. */
  isReordered: boolean;
}
interface Identified {
  uid: string;
}

const fresh = <T extends Identified>(listKey: string, latest: readonly T[], isHeld: boolean): Held<T> => ({
  listKey,
  latest,
  isHeld,
  rows: latest.map((item) => ({ item, isGone: false })),
  waiting: 0,
  isReordered: false,
});

/** The list as its data stands, in its own order: at first sight, and when the reader asks for it. */
export const startRows = fresh;

/** Puts rows that are new in front of the first row that follows them in the latest order. */
function insertNew<T extends Identified>(kept: readonly Row<T>[], latest: readonly T[]): Row<T>[] {
  const shown = new Set(kept.map((row) => row.item.uid));
  const before = new Map<string, T[]>();
  let run: T[] = [];
  for (const item of latest) {
    if (!shown.has(item.uid)) run.push(item);
    else if (run.length > 0) {
      before.set(item.uid, run);
      run = [];
    }
  }
  const rows: Row<T>[] = [];
  for (const row of kept) {
    for (const item of before.get(row.item.uid) ?? []) rows.push({ item, isGone: false });
    rows.push(row);
  }
  for (const item of run) rows.push({ item, isGone: false });
  return rows;
}

const sameOrder = <T extends Identified>(rows: readonly Row<T>[], latest: readonly T[]): boolean => {
  const place = new Map(latest.map((item, i) => [item.uid, i]));
  let last = -1;
  for (const row of rows) {
    const at = place.get(row.item.uid);
    if (at === undefined) continue;
    if (at < last) return false;
    last = at;
  }
  return true;
};

/** The next state of the list; the same object when nothing changed. */
export function nextRows<T extends Identified>(
  held: Held<T>,
  listKey: string,
  latest: readonly T[],
  isHeld: boolean,
): Held<T> {
  if (held.listKey !== listKey) return fresh(listKey, latest, isHeld);
  if (held.latest === latest && held.isHeld === isHeld) return held;
  const now = new Map(latest.map((item) => [item.uid, item]));
  const updated = held.rows.map((row): Row<T> => {
    const item = now.get(row.item.uid);
    if (item === undefined) return row.isGone ? row : { item: row.item, isGone: true };
    return item === row.item && !row.isGone ? row : { item, isGone: false };
  });
  const rows = isHeld
    ? updated
    : insertNew(
        updated.filter((row) => !row.isGone),
        latest,
      );
  const shown = new Set(rows.map((row) => row.item.uid));
  const waiting = latest.filter((item) => !shown.has(item.uid)).length;
  return { listKey, latest, isHeld, rows, waiting, isReordered: !sameOrder(rows, latest) };
}

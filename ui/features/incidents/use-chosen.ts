/** Which rows of the list are chosen, for acts on many: in the URL, dropped when they leave the list or another filter is shown. */
import type { IncidentItem } from '@funnelai/domain/wire';
import { useCallback, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { chosenKey, MOST_CHOSEN, parseChosen, writeChosen } from './url.ts';

export interface Chosen {
  items: IncidentItem[];
  has(item: IncidentItem): boolean;
  /** Chooses the row or lets go of it; with `isRange` all from the last one on. Stays the same function. */
  toggle(item: IncidentItem, isRange: boolean): void;
  toggleAll(): void;
  clear(): void;
}

export function useChosen(rows: readonly IncidentItem[]): Chosen {
  const [search, setSearch] = useSearchParams();
  const keys = parseChosen(search);
  const wanted = new Set(keys);
  const items = rows.filter((item) => wanted.has(chosenKey(item)));
  const anchor = useRef<string>(undefined);
  const set = (next: readonly string[]) =>
    // At once, not in a transition: a box that is ticked shows it in the same frame.
    setSearch((now) => writeChosen(now, next), { replace: true, preventScrollReset: true, flushSync: true });

  const latest = useRef({ rows, wanted, set });
  latest.current = { rows, wanted, set };
  const toggle = useCallback((item: IncidentItem, isRange: boolean) => {
    const { rows: shown, wanted: held, set: write } = latest.current;
    const key = chosenKey(item);
    const next = new Set(held);
    const from = shown.findIndex((row) => chosenKey(row) === anchor.current);
    const to = shown.findIndex((row) => row.uid === item.uid);
    if (isRange && from >= 0 && to >= 0)
      for (const row of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(chosenKey(row));
    else if (!next.delete(key)) next.add(key);
    anchor.current = key;
    write([...next]);
  }, []);
  return {
    items,
    has: (item) => wanted.has(chosenKey(item)),
    toggle,
    toggleAll: () => set(items.length > 0 ? [] : rows.slice(0, MOST_CHOSEN).map(chosenKey)),
    clear: () => set([]),
  };
}

/** `j` and `k` through the rows of a list by moving the focus from link to link; the browser does the rest (Enter, visible focus, scrolling). */
import { useRef } from 'react';
import { type Act, useActs } from '../../app/acts.ts';

const links = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-row]')];

/** Where the list was left, so that coming back continues there. */
const remembered = new Map<string, string>();

/** The link of the row in which the focus is, wherever in it. */
const focusedLink = (): HTMLElement | null | undefined =>
  document.activeElement?.closest('tr')?.querySelector<HTMLElement>('[data-row]');

/** The uid of the focused row, if one is. */
export const focusedRow = (): string | undefined => focusedLink()?.dataset.row;

export function useRowKeys(list: string, more: readonly Act[] = []): void {
  const last = useRef(0);
  const step = (by: number) => {
    const rows = links();
    if (rows.length === 0) return;
    const link = focusedLink();
    const focused = link ? rows.indexOf(link) : -1;
    const known = rows.findIndex((row) => row.dataset.row === remembered.get(list));
    const next = focused >= 0 ? focused + by : known >= 0 ? known : Math.min(last.current, rows.length - 1);
    const row = rows[Math.max(0, Math.min(next, rows.length - 1))];
    if (row === undefined) return;
    last.current = rows.indexOf(row);
    remembered.set(list, row.dataset.row ?? '');
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'center', behavior: 'instant' });
  };
  useActs([
    { id: 'row-next', title: 'Next row', section: 'This page', keys: 'j', isKeyOnly: true, run: () => step(1) },
    {
      id: 'row-previous',
      title: 'Previous row',
      section: 'This page',
      keys: 'k',
      isKeyOnly: true,
      run: () => step(-1),
    },
    ...more,
  ]);
}

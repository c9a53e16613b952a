/** Holds a list still while its reader is busy with it: scrolled down, the pointer or the focus in it, or a dialog open. */
import { type RefObject, useEffect, useState } from 'react';
import { useIsDialogOpen } from '../../components/AppDialog.tsx';
import { type Held, nextRows, startRows } from './held-rows.ts';

/** From here on the reader counts as scrolled: the first row is no longer where it was. */
const SCROLLED_PX = 24;

/** Is the reader busy with what `ref` holds? */
export function useIsBusyWith(ref: RefObject<HTMLElement | null>): boolean {
  const [isScrolled, setScrolled] = useState(false);
  const [isInside, setInside] = useState(false);
  const isDialogOpen = useIsDialogOpen();
  useEffect(() => {
    const onScroll = () => setScrolled(window.scrollY > SCROLLED_PX);
    const onMove = () => {
      const box = ref.current;
      setInside(box?.matches(':hover') === true || box?.contains(document.activeElement) === true);
    };
    const events = ['pointermove', 'pointerout', 'focusin', 'focusout', 'keyup'] as const;
    addEventListener('scroll', onScroll, { passive: true });
    for (const name of events) document.addEventListener(name, onMove, { passive: true });
    return () => {
      removeEventListener('scroll', onScroll);
      for (const name of events) document.removeEventListener(name, onMove);
    };
  }, [ref]);
  return isScrolled || isInside || isDialogOpen;
}

/** The rows to show, and `release` to show the data as it now stands. */
export function useHeldRows<T extends { uid: string }>(
  listKey: string,
  latest: readonly T[],
  isHeld: boolean,
): Held<T> & { release: () => void } {
  const [held, setHeld] = useState(() => startRows(listKey, latest, isHeld));
  const next = nextRows(held, listKey, latest, isHeld);
  if (next !== held) setHeld(next);
  return { ...next, release: () => setHeld(startRows(listKey, latest, isHeld)) };
}

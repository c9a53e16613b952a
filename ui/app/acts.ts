/**
 * The one registry of what can be done from where the person is: pages register their acts while they are shown; the palette
 * lists them and the keyboard runs them, so a menu, the palette and a key can never disagree.
 */
import { useEffect, useRef } from 'react';
import { isDialogOpen } from '../components/AppDialog.tsx';

export interface Act {
  id: string;
  title: string;
  section: 'Act' | 'Go to' | 'This page' | 'Look' | 'Help';
  /** As in `KeyboardEvent.key`; two keys in a row are written with a space: `g i`. */
  keys?: string;
  /** Why it cannot be done now; absent when it can. */
  disabled?: string;
  /** For the keyboard only, because the palette has no use for it (`j`, `k`). */
  isKeyOnly?: boolean;
  run: () => void;
}

const registry = new Map<symbol, () => readonly Act[]>();

/** All acts of the moment; of two with one id the later page wins. */
export function currentActs(): Act[] {
  const acts = new Map<string, Act>();
  for (const list of registry.values()) for (const act of list()) acts.set(act.id, act);
  return [...acts.values()];
}

/** Offers these acts while the component is mounted. */
export function useActs(acts: readonly Act[]): void {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const id = Symbol('acts');
    registry.set(id, () => latest.current);
    return () => void registry.delete(id);
  }, []);
}

/** How long the second key of a pair may take. */
const PAIR_MS = 1_000;

const isTyping = (target: EventTarget | null): boolean => {
  if (!(target instanceof HTMLElement)) return false;
  // Nothing is typed into a box that is ticked.
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
};

/** Runs acts by their keys, except while someone types or a dialog or menu is open. Returns how to stop. */
export function listenForKeys(): () => void {
  let first: { key: string; at: number } | undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
    if (isTyping(event.target) || isDialogOpen() || document.querySelector('.MuiModal-root') !== null) return;
    const pair = first !== undefined && event.timeStamp - first.at < PAIR_MS ? `${first.key} ${event.key}` : undefined;
    const acts = currentActs();
    const act = acts.find(
      (candidate) => candidate.keys !== undefined && (candidate.keys === pair || candidate.keys === event.key),
    );
    first =
      act === undefined && acts.some((candidate) => candidate.keys?.startsWith(`${event.key} `))
        ? { key: event.key, at: event.timeStamp }
        : undefined;
    if (act === undefined || act.disabled !== undefined) return;
    event.preventDefault();
    act.run();
  };
  document.addEventListener('keydown', onKeyDown);
  return () => document.removeEventListener('keydown', onKeyDown);
}

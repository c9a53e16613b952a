/** Which acts the palette offers for what was typed. Pure. */
import type { Act } from '../../app/acts.ts';

/** Acts whose title holds every word typed, by section, those that are possible first. */
export function findActs(acts: readonly Act[], text: string): Act[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const order: Act['section'][] = ['Act', 'This page', 'Go to', 'Look', 'Help'];
  return acts
    .filter((act) => !act.isKeyOnly && words.every((word) => act.title.toLowerCase().includes(word)))
    .sort(
      (a, b) =>
        order.indexOf(a.section) - order.indexOf(b.section) ||
        Number(a.disabled !== undefined) - Number(b.disabled !== undefined),
    );
}

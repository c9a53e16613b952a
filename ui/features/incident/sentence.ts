/** One line of the timeline as a sentence. Pure. */
import type { TimelineEntry } from '@funnelai/domain/wire';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';

/** Who did it, as people say it: the operator is funnelAI, other service accounts keep their short name. */
export function shownActor(by: string | undefined): string | undefined {
  if (by === undefined || by === '') return undefined;
  if (by === OPERATOR) return 'funnelAI';
  return by.replace(/^system:serviceaccount:/, 'service account ');
}

/** "ana moved from Triggered to Responding"; an act without an actor begins with what happened. */
export function sentenceOf(entry: Pick<TimelineEntry, 'text' | 'by' | 'kind'>): string {
  const actor = shownActor(entry.by);
  if (actor === undefined || entry.kind === 'AlertJoined' || entry.kind === 'AlertResolved')
    return entry.text.charAt(0).toUpperCase() + entry.text.slice(1);
  if (entry.kind === 'Opened')
    return (
      entry.text.charAt(0).toUpperCase() +
      entry.text.slice(1) +
      (actor === 'funnelAI' || entry.text.includes(`by ${entry.by}`) ? '' : `, by ${actor}`)
    );
  return `${actor} ${entry.text}`;
}

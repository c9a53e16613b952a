/** One line of the timeline as a sentence. Pure. */
import type { TimelineEntry } from '@funnelai/domain/wire';
import { FUNNEL_AI, shownActor } from '../../components/actor.ts';
import { isAboutAlert } from './alert-entry.ts';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "ana acknowledged: moved from Triggered to Responding", "Severity changed from High to Low, by ana", "Opened by rule pods". */
export function sentenceOf(entry: Pick<TimelineEntry, 'text' | 'by' | 'kind' | 'from' | 'to'>): string {
  const actor = shownActor(entry.by);
  if (actor === undefined || isAboutAlert(entry)) return capital(entry.text);
  if (entry.kind === 'Phase') {
    // funnelAI acknowledges nothing: it answers for those who did upstream, and the reason of the entry names them.
    const acknowledged = actor !== FUNNEL_AI && entry.from === 'Detection' && entry.to === 'Response';
    return `${actor} ${acknowledged ? 'acknowledged: ' : ''}${entry.text}`;
  }
  const isSaid = entry.kind === 'Opened' && (actor === FUNNEL_AI || entry.text.includes(`by ${entry.by}`));
  return `${capital(entry.text)}${isSaid ? '' : `, by ${actor}`}`;
}

/** How long an incident has been in each phase, over all of its rounds. Pure. */
import type { Phase } from '@funnelai/crds/generated/types';
import { isPhase } from '@funnelai/domain/lifecycle';
import type { IncidentItem, TimelineEntry } from '@funnelai/domain/wire';

export type Spans = Partial<Record<Phase, number>>;

/** Milliseconds by phase; the phase it is in runs until `now`, a closed one has no running end. */
export function phaseSpans(
  timeline: readonly TimelineEntry[],
  item: Pick<IncidentItem, 'createdAt' | 'phase' | 'phaseSince'>,
  now: number,
): Spans {
  const moves = timeline
    .filter((entry) => entry.kind === 'Phase' || (entry.kind === 'Opened' && isPhase(entry.to)))
    .filter((entry) => isPhase(entry.to))
    .map((entry) => ({
      to: entry.to as Phase,
      from: isPhase(entry.from) ? entry.from : undefined,
      at: Date.parse(entry.at),
    }))
    .sort((a, b) => a.at - b.at);
  const spans: Spans = {};
  const add = (phase: Phase, ms: number) => {
    spans[phase] = (spans[phase] ?? 0) + Math.max(0, ms);
  };
  let since = Date.parse(item.createdAt);
  let phase: Phase | undefined = moves[0]?.from;
  for (const move of moves) {
    if (phase !== undefined) add(phase, move.at - since);
    phase = move.to;
    since = move.at;
  }
  // History away and nothing left in status: the item still knows the phase it is in.
  if (phase !== item.phase) since = Date.parse(item.phaseSince);
  if (item.phase !== 'Closed') add(item.phase, now - since);
  // How long it had been closed before would read like how long ago it was closed.
  else delete spans.Closed;
  return spans;
}

/** When it ended, for the clock that then stands still. */
export function endOf(item: Pick<IncidentItem, 'phase' | 'phaseSince'>): number | undefined {
  return item.phase === 'Resolution' || item.phase === 'Postmortem' || item.phase === 'Closed'
    ? Date.parse(item.phaseSince)
    : undefined;
}

/** What is told of an incident as Kubernetes Events: one for each numbered change, and warnings about its history. */
import type { IncidentChange, IncidentStatus } from '@funnelai/crds/generated/types';
import { conditionOf } from './conditions.ts';
import { renumberedText } from './incident-conditions.ts';
import { beginsRound, isPhase, shownAs } from './lifecycle.ts';
import type { Renumbered } from './renumber.ts';

export interface IncidentEvent {
  type: 'Normal' | 'Warning';
  /** CamelCase, for programs. */
  reason: string;
  note: string;
}

export interface EventFacts {
  held: IncidentStatus;
  status: IncidentStatus;
  isPaused: boolean;
  isFull: boolean;
  renumbered?: Renumbered | undefined;
}

/** Returns the events that this step is worth, in order. */
export function eventsOf(
  added: readonly IncidentChange[],
  { held, status, isPaused, isFull, renumbered }: EventFacts,
): IncidentEvent[] {
  // At birth the values that it is born with are in the object itself; one event is enough.
  const told = held.phase === undefined ? added.filter(({ kind }) => kind === 'Phase' || kind === 'Owner') : added;
  const events = told.map(eventOf);
  const cleared = (s: IncidentStatus) => conditionOf(s.conditions, 'AlertsCleared')?.status === 'True';
  if (cleared(status) && !cleared(held)) {
    events.push({ type: 'Normal', reason: 'AlertsCleared', note: 'all alerts of it have resolved' });
  }
  const history = conditionOf(status.conditions, 'HistoryMirrored');
  const isNewlyBad =
    history?.status === 'False' && conditionOf(held.conditions, 'HistoryMirrored')?.reason !== history.reason;
  if (renumbered !== undefined) {
    events.push({ type: 'Warning', reason: 'HistoryRenumbered', note: renumberedText(renumbered) });
  } else if (history && isNewlyBad) {
    events.push({
      type: 'Warning',
      reason: isFull ? 'HistoryFull' : isPaused ? 'HistoryPaused' : 'HistoryBehind',
      note: history.message,
    });
  }
  return events;
}

function eventOf(change: IncidentChange): IncidentEvent {
  const { kind, from, to, by, reason } = change;
  const why = reason === undefined ? '' : `: ${reason}`;
  const note =
    kind === 'Phase'
      ? `${isPhase(from) ? `${shownAs(from)} → ` : ''}${isPhase(to) ? shownAs(to) : (to ?? '')} by ${by}${why}`
      : `${kind} ${from ?? 'none'} → ${to ?? 'none'} by ${by}${why}`;
  return { type: 'Normal', reason: reasonOf(change), note };
}

function reasonOf({ kind, from, to }: IncidentChange): string {
  if (kind === 'Merge') return to === undefined ? 'Unmerged' : 'Merged';
  if (kind !== 'Phase') return `${kind}Changed`;
  if (!isPhase(from) || !isPhase(to)) return 'Opened';
  if (beginsRound(from, to)) return to === 'Detection' ? 'CameBack' : 'Reopened';
  if (to === 'Detection') return 'HandedBack';
  if (to === 'Response') return from === 'Detection' ? 'Acknowledged' : 'Responding';
  return { Mitigation: 'Mitigated', Resolution: 'Resolved', Postmortem: 'PostmortemBegun', Closed: 'Closed' }[to];
}

/** What is told of an incident as Kubernetes Events: one for each numbered change, and warnings about its history. */
import type { IncidentChange, IncidentStatus } from '@funnelai/crds/generated/types';
import { conditionOf } from './conditions.ts';
import { renumberedText } from './incident-conditions.ts';
import { beginsRound, isPhase } from './lifecycle.ts';
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
  /** Its `mergedInto` leads to no incident. */
  isMergedIntoNothing?: boolean | undefined;
  renumbered?: Renumbered | undefined;
}

/** Returns the events that this step is worth, in order. */
export function eventsOf(
  added: readonly IncidentChange[],
  { held, status, isPaused, isFull, isMergedIntoNothing, renumbered }: EventFacts,
): IncidentEvent[] {
  // At birth the values that it is born with are in the object itself; one event is enough.
  const told = held.phase === undefined ? added.filter(({ kind }) => kind === 'Phase' || kind === 'Owner') : added;
  const events = told.map(eventOf);
  const cleared = (s: IncidentStatus) => conditionOf(s.conditions, 'AlertsCleared')?.status === 'True';
  if (cleared(status) && !cleared(held)) {
    events.push({ type: 'Normal', reason: 'AlertsCleared', note: 'all alerts of it have resolved' });
  }
  const merge = added.findLast(({ kind }) => kind === 'Merge');
  if (isMergedIntoNothing && merge?.to !== undefined) {
    const note = `${merge.to}, into which it was merged, is not there, is being deleted, or leads back here: alerts of it that fire open another incident. To undo the merge, move it to Response and take mergedInto away in the same write`;
    events.push({ type: 'Warning', reason: 'MergedIntoNothing', note });
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
  // In the names that kubectl takes: who reads an Event types the next move there.
  const note =
    kind === 'Phase'
      ? `${from === undefined ? '' : `${from} → `}${to ?? ''} by ${by}${why}`
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

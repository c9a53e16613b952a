/** The moves of the workflow as people are offered them: words, the usual next one, why one is not possible, what Undo would do. Pure. */
import type { Incident, Phase } from '@funnelai/crds/generated/types';
import { canMove, legalMoves, PHASES, shownAs } from '@funnelai/domain/lifecycle';
import type { FieldEdit } from '@funnelai/domain/wire';

export type Resolution = NonNullable<Incident['spec']['resolution']>;

/** The word on the button that goes from one phase to another. */
export function moveLabel(from: Phase, to: Phase): string {
  if (to === 'Response')
    return from === 'Detection' ? 'Acknowledge' : from === 'Mitigation' ? 'Back to responding' : 'Reopen';
  if (to === 'Detection') return from === 'Response' ? 'Hand back' : 'It came back';
  if (to === 'Mitigation') return 'Mark mitigated';
  if (to === 'Resolution') return 'Resolve';
  if (to === 'Postmortem') return 'Start post-mortem';
  return 'Close';
}

/** What is said once it has happened. */
export function movedLine(name: string, from: Phase, to: Phase): string {
  if (from === 'Detection' && to === 'Response') return `${name} acknowledged`;
  return `${name}: ${shownAs(from)} → ${shownAs(to)}`;
}

const USUAL: Record<Phase, Phase> = {
  Detection: 'Response',
  Response: 'Mitigation',
  Mitigation: 'Resolution',
  Resolution: 'Closed',
  Postmortem: 'Closed',
  Closed: 'Response',
};

/** The one big button: the next step forward; straight to resolved once all alerts of a running incident have resolved. */
export function usualMove(phase: Phase, alertsCleared: boolean): Phase {
  if (alertsCleared && phase === 'Response') return 'Resolution';
  return USUAL[phase];
}

export interface OfferedMove {
  to: Phase;
  label: string;
  /** Why it is not possible; absent when it is. */
  reason?: string;
}

/** All moves but the usual one: first those that are possible. The impossible ones say where one can go instead. */
export function otherMoves(phase: Phase, usual: Phase): OfferedMove[] {
  const legal = legalMoves(phase);
  const possible = legal.filter((to) => to !== usual).map((to): OfferedMove => ({ to, label: moveLabel(phase, to) }));
  const instead = legal.map(shownAs).join(' or ');
  const impossible = PHASES.filter((to) => to !== phase && !legal.includes(to)).map(
    (to): OfferedMove => ({
      to,
      label: moveLabel(phase, to),
      reason: `From ${shownAs(phase)} it can go to ${instead}`,
    }),
  );
  return [...possible, ...impossible];
}

/** What can be done after a move: take it back, with what that causes; or nothing, so that it asks first. */
export type Reversal = { isOffered: true; pagesAgain: boolean } | { isOffered: false; why: string };

/** Undo is offered when the way back is itself a legal move; coming to Detection pages again. */
export function reversalOf(from: Phase, to: Phase): Reversal {
  if (canMove(to, from)) return { isOffered: true, pagesAgain: from === 'Detection' };
  return {
    isOffered: false,
    why: `This cannot be undone: from ${shownAs(to)} it can only go to ${legalMoves(to).map(shownAs).join(' or ')}.`,
  };
}

/** The edit that says how it ended; none when what stands there already says so. '' takes the word away and leaves the cause. */
export function endingEdits(resolution: Resolution | undefined, ending: Resolution['reason'] | ''): FieldEdit[] {
  if (ending === (resolution?.reason ?? '')) return [];
  const { reason: _, ...cause } = resolution ?? {};
  const to = ending === '' ? cause : { ...cause, reason: ending };
  return [{ field: 'resolution', from: resolution ?? null, to: Object.keys(to).length === 0 ? null : to }];
}

/** Does the move itself page again? */
export const pagesAgain = (to: Phase): boolean => to === 'Detection';

/** The words of the Undo button. */
export const undoLabel = (reversal: Extract<Reversal, { isOffered: true }>, paging: boolean): string => {
  if (!reversal.pagesAgain) return 'Undo';
  return paging ? 'Undo (pages again)' : 'Undo (would page again)';
};

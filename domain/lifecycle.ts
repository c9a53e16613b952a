/** The workflow of an incident: phases, which moves are legal, and what a move does to the times. Who may move it is RBAC's. */
import type { IncidentStatus, Phase } from '@funnelai/crds/generated/types';

export const PHASES: readonly Phase[] = ['Detection', 'Response', 'Mitigation', 'Resolution', 'Postmortem', 'Closed'];

/** The same table that the API server enforces (crds/incidents.yaml): from each phase, the phases it can go to. */
export const MOVES: Readonly<Record<Phase, readonly Phase[]>> = {
  Detection: ['Response', 'Resolution'],
  Response: ['Mitigation', 'Resolution', 'Detection'],
  Mitigation: ['Response', 'Resolution'],
  Resolution: ['Detection', 'Response', 'Postmortem', 'Closed'],
  Postmortem: ['Response', 'Closed'],
  Closed: ['Response'],
};

/** The phases in which an incident takes alerts and counts as open. */
export const OPEN_PHASES: readonly Phase[] = ['Detection', 'Response', 'Mitigation'];

/** The phases in which it may be born: Response when a person declares it and is on it. */
export const BIRTH_PHASES: readonly Phase[] = ['Detection', 'Response'];

const SHOWN_AS: Readonly<Record<Phase, string>> = {
  Detection: 'Triggered',
  Response: 'Responding',
  Mitigation: 'Mitigated',
  Resolution: 'Resolved',
  Postmortem: 'Post-mortem',
  Closed: 'Closed',
};

/** Returns the word that people see for a phase. */
export function shownAs(phase: Phase): string {
  return SHOWN_AS[phase];
}

export function isOpen(phase: Phase): boolean {
  return OPEN_PHASES.includes(phase);
}

/** Is this text one of the phases? For what comes out of an annotation or a URL. */
export function isPhase(text: string | undefined): text is Phase {
  return (PHASES as readonly (string | undefined)[]).includes(text);
}

/** Returns the phases that an incident can go to; `merging` when the same write sets `mergedInto`, which allows Closed from anywhere. */
export function legalMoves(from: Phase, { merging = false }: { merging?: boolean } = {}): readonly Phase[] {
  const moves = MOVES[from];
  return merging && from !== 'Closed' && !moves.includes('Closed') ? [...moves, 'Closed'] : moves;
}

/** Is the move legal? Staying is no move. */
export function canMove(from: Phase, to: Phase, o: { merging?: boolean } = {}): boolean {
  return legalMoves(from, o).includes(to);
}

/** Does this move begin a new round: a return from Resolution, Postmortem or Closed to Detection or Response? A hand-back does not. */
export function beginsRound(from: Phase, to: Phase): boolean {
  return !isOpen(from) && isOpen(to);
}

/** The part of the status that phases decide. */
export type PhaseTimes = Pick<
  IncidentStatus,
  'phase' | 'phaseSince' | 'detectedAt' | 'acknowledgedAt' | 'mitigatedAt' | 'resolvedAt' | 'closedAt' | 'round'
>;

/** Returns the times of an incident born in `phase`. Born in Response by a person, it is acknowledged at birth. */
export function timesAtBirth(phase: Phase, at: string, byPerson: boolean): PhaseTimes {
  return {
    phase,
    phaseSince: at,
    detectedAt: at,
    ...(phase !== 'Detection' && byPerson ? { acknowledgedAt: at } : {}),
    ...(phase === 'Mitigation' ? { mitigatedAt: at } : {}),
    ...(phase === 'Resolution' ? { resolvedAt: at } : {}),
    ...(phase === 'Closed' ? { closedAt: at } : {}),
    round: 1,
  };
}

/** Where a phase lies on the way forward; going to a smaller one clears the times of those left. */
const rank = (phase: Phase): number => PHASES.indexOf(phase);

/**
 * Returns the times after a move made at `at` (RFC 3339): the one of the phase entered is set, those of phases gone back over
 * are cleared, and a new round begins with a return from Resolution, Postmortem or Closed.
 * `acknowledgedAt` is the first departure from Detection in each round that is an answer: by a person, here or upstream. In a new round
 * it is gone until a person acts: a return to Response by a person is that act; in Detection it is the next departure.
 * A hand-back keeps it, since the round is the same and MTTA is about the first answer. `detectedAt` is the beginning of the round.
 */
export function timesAfter(times: PhaseTimes, from: Phase, to: Phase, at: string, isAnswer: boolean): PhaseTimes {
  const { acknowledgedAt, mitigatedAt, resolvedAt, closedAt, ...kept } = times;
  const newRound = beginsRound(from, to);
  const acknowledged = newRound ? undefined : acknowledgedAt;
  const answers = isAnswer && to !== 'Detection' && (from === 'Detection' || newRound);
  const unlessLeft = (value: string | undefined, phase: Phase) => (rank(to) >= rank(phase) ? value : undefined);
  const next: PhaseTimes = { ...kept, phase: to, phaseSince: at, detectedAt: newRound ? at : (times.detectedAt ?? at) };
  const set = (key: 'acknowledgedAt' | 'mitigatedAt' | 'resolvedAt' | 'closedAt', value: string | undefined) => {
    if (value !== undefined) next[key] = value;
  };
  set('acknowledgedAt', acknowledged ?? (answers ? at : undefined));
  set('mitigatedAt', to === 'Mitigation' ? at : unlessLeft(mitigatedAt, 'Mitigation'));
  set('resolvedAt', to === 'Resolution' ? at : unlessLeft(resolvedAt, 'Resolution'));
  set('closedAt', to === 'Closed' ? at : undefined);
  next.round = (times.round ?? 1) + (newRound ? 1 : 0);
  return next;
}

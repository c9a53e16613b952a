/** To which of the chosen incidents an act applies, and why not to the others. Pure. */
import type { Phase } from '@funnelai/crds/generated/types';
import { canMove, legalMoves, shownAs } from '@funnelai/domain/lifecycle';
import type { IncidentItem } from '@funnelai/domain/wire';

/** Why the act is not for this incident; undefined when it is. */
export type Judge = (item: IncidentItem) => string | undefined;
export interface Applies {
  to: IncidentItem[];
  /** Reasons in the order of their first incident. */
  not: { reason: string; count: number }[];
}

export function appliesTo(chosen: readonly IncidentItem[], judge: Judge): Applies {
  const to: IncidentItem[] = [];
  const not = new Map<string, number>();
  for (const item of chosen) {
    const reason = judge(item);
    if (reason === undefined) to.push(item);
    else not.set(reason, (not.get(reason) ?? 0) + 1);
  }
  return { to, not: [...not].map(([reason, count]) => ({ reason, count })) };
}

/** Why an act on the chosen is not possible, where no one of them says it. */
export const NONE = 'It applies to none of them';

/** "Applies to 2 of 3. Not to 1: acknowledged already." */
export function sentenceOf({ to, not }: Applies): string {
  const total = to.length + not.reduce((sum, { count }) => sum + count, 0);
  const head = not.length === 0 ? `Applies to all ${total}.` : `Applies to ${to.length} of ${total}.`;
  return [
    total === 1 && not.length === 0 ? 'Applies to it.' : head,
    ...not.map(({ reason, count }) => `Not to ${count}: ${reason}.`),
  ].join(' ');
}

/** First what the API server says about rights, then what the incident itself says. */
export const permitted =
  (refusalIn: (namespace: string) => string | undefined, judge: Judge): Judge =>
  (item) =>
    refusalIn(item.namespace) ?? judge(item);

export const mayMove =
  (to: Phase): Judge =>
  ({ phase }) => {
    if (phase === to) return to === 'Response' ? 'acknowledged already' : `${shownAs(to)} already`;
    if (canMove(phase, to)) return undefined;
    return `from ${shownAs(phase)} it can only go to ${legalMoves(phase).map(shownAs).join(' or ')}`;
  };

/** The acknowledgement is the move out of Triggered; reopening is not one. */
export const mayAcknowledge: Judge = ({ phase }) => (phase === 'Detection' ? undefined : 'acknowledged already');

export const mayAssign =
  (owner: string): Judge =>
  (item) => {
    if ((item.owner ?? '') !== owner) return undefined;
    return owner === '' ? 'nobody owns it already' : `${owner} owns it already`;
  };

export const mayMergeInto =
  (target: IncidentItem | undefined): Judge =>
  (item) => {
    if (target !== undefined && item.uid === target.uid) return 'it takes over';
    if (item.phase === 'Closed') return 'it is closed already';
    if (target !== undefined && item.namespace !== target.namespace)
      return `it is not in namespace ${target.namespace}`;
    return undefined;
  };

/** The phases to which at least one of the chosen can go, in the fixed order of the workflow. */
export const targetsOf = (chosen: readonly IncidentItem[], phases: readonly Phase[]): Phase[] =>
  phases.filter((to) => chosen.some((item) => canMove(item.phase, to)));

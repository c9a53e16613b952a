/** How people who did something, and parts that did, are named. Pure. */

/** How the operator is called. */
export const FUNNEL_AI = 'funnelAI';
const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';

/** Who did it, as people say it: the operator is funnelAI, other service accounts keep their short name. */
export function shownActor(by: string | undefined): string | undefined {
  if (by === undefined || by === '') return undefined;
  if (by === OPERATOR) return FUNNEL_AI;
  return by.replace(/^system:serviceaccount:/, 'service account ');
}

/** How people who did something, and parts that did, are named. Pure. */

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';

/** Who did it, as people say it: the operator is funnelAI, other service accounts keep their short name. */
export function shownActor(by: string | undefined): string | undefined {
  if (by === undefined || by === '') return undefined;
  if (by === OPERATOR) return 'funnelAI';
  return by.replace(/^system:serviceaccount:/, 'service account ');
}

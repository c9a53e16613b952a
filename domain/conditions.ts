/** Lists of conditions as values: one changes, the rest stay, and the time of transition moves only with the status. */
import type { Condition } from '@funnelai/crds/meta';

export type Claim = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Returns the condition of that type. */
export function conditionOf(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((c) => c.type === type);
}

/** Returns the list with the claim in it; equal to the list when it said so already. `at` is RFC 3339. */
export function withCondition(list: readonly Condition[], claim: Claim, at: string): Condition[] {
  const held = conditionOf(list, claim.type);
  const next: Condition = {
    ...claim,
    lastTransitionTime: held?.status === claim.status ? held.lastTransitionTime : at,
  };
  return held ? list.map((c) => (c.type === claim.type ? next : c)) : [...list, next];
}

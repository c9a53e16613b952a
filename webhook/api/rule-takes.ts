/** What of the cluster went by which correlation rule. Pure. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import type { RuleTakes } from '@funnelai/domain/wire-rules';

export interface TakesByRule {
  of(namespace: string, rule: string): RuleTakes;
  /** Of all namespaces that were counted. */
  builtIn: RuleTakes;
}

const nothing = (): RuleTakes => ({ alerts: 0, firing: 0, openIncidents: 0 });

/** Counts alerts that have been answered, and incidents that a rule opened: declared ones have none. */
export function takesByRule(alerts: Iterable<Alert>, incidents: Iterable<Incident>): TakesByRule {
  const named = new Map<string, RuleTakes>();
  const builtIn = nothing();
  const at = (namespace: string | undefined, rule: string | undefined): RuleTakes => {
    // The rule without a name takes what no rule of the namespace took.
    if (rule === undefined) return builtIn;
    const key = `${namespace}/${rule}`;
    const held = named.get(key) ?? nothing();
    named.set(key, held);
    return held;
  };
  for (const { metadata, spec, status } of alerts) {
    if (status?.explanation === undefined) continue;
    const takes = at(metadata.namespace, status.ruleRef?.name);
    takes.alerts += 1;
    if (spec.state === 'Firing') takes.firing += 1;
  }
  for (const { metadata, spec } of incidents) {
    if (spec.origin === undefined || spec.phase === 'Closed') continue;
    at(metadata.namespace, spec.origin.ruleRef?.name).openIncidents += 1;
  }
  return { of: (namespace, rule) => named.get(`${namespace}/${rule}`) ?? nothing(), builtIn };
}

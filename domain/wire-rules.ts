/** The bodies about correlation rules that the webhook's API and the pages exchange. Types only. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import type { AlertItem } from './wire.ts';

/**
 * `Suspended`: a person has switched it off. `NotReady`: it does not compile, and is skipped. `Unknown`: the operator has not looked at it as
 * it now stands. `Warns`: it works, and may not do what was meant.
 */
export type RuleState = 'NotReady' | 'Warns' | 'Unknown' | 'Suspended' | 'Ready';

/** What is in the cluster by one rule. Alerts that are folded are not among them. */
export interface RuleTakes {
  alerts: number;
  firing: number;
  /** Incidents that it opened and that are not Closed. */
  openIncidents: number;
}
/** One row of the list of rules. */
export interface RuleItem {
  namespace: string;
  name: string;
  uid: string;
  /** Rules of a namespace are tried from the lowest to the highest, equal ones by name. */
  order: number;
  description?: string;
  state: RuleState;
  /** Why it is not ready, or what it warns of; for people. */
  message?: string;
  /** Matchers; none takes every alert. */
  match: string[];
  /** Labels; by none all that match belong together. */
  groupBy: string[];
  action: 'Open' | 'Record';
  /** Absent where you may not list both alerts and incidents. */
  takes?: RuleTakes;
  createdAt: string;
  demo: boolean;
}
/** GET /api/rules */
export interface RulePage {
  items: RuleItem[];
  /** How many match in all, before `limit`. */
  total: number;
  facets: Record<'state' | 'action', Record<string, number>>;
  /** What went to the built-in rule because none of these took it; absent as `RuleItem.takes` is. */
  builtIn?: RuleTakes;
  asOf: string;
}
/** GET /api/rules/:namespace/:name */
export interface RuleDetail {
  item: RuleItem;
  /** The object without managedFields. */
  rule: CorrelationRule;
  /** The most urgent of the alerts that it took, at most 20; absent where you may not list alerts. */
  alerts?: AlertItem[];
}

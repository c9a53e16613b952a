/** The rule list's state is its URL. Pure. */
import type { RuleItem } from '@funnelai/domain/wire-rules';
import { type Readiness, readyWord } from '../../components/ReadyMark.tsx';
import { createListUrl, type ListFilter } from '../lists/list-url.ts';

export const RULE_FACETS = ['state', 'action'] as const;
export type RuleFacet = (typeof RULE_FACETS)[number];
export const RULE_FACET_LABELS: Record<RuleFacet, string> = { state: 'State', action: 'Action' };
export type RuleFilter = ListFilter<RuleFacet>;

/** '' is the order in which rules are tried. */
export const RULE_SORTS = ['', 'name', 'state', 'action', 'firing', 'incidents'] as const;
export const ruleUrl = createListUrl<RuleFacet>(RULE_FACETS, RULE_SORTS);

/** What its mark shows. */
export const readinessOf = (state: string): Readiness | undefined =>
  (({ Ready: 'True', NotReady: 'False', Warns: 'Warns', Unknown: 'Unknown', Suspended: 'Suspended' }) as const)[
    state as RuleItem['state']
  ];

const ACTIONS: Record<string, string> = { Open: 'Opens incidents', Record: 'Only records' };
export const actionWord = (action: string): string => ACTIONS[action] ?? action;

/** The word people see for a facet's value. */
export const ruleFacetWord = (facet: RuleFacet, value: string): string =>
  facet === 'action' ? actionWord(value) : readyWord(readinessOf(value) ?? value);

/** "3 rules in demo, not ready, only records, matching “pods”". */
export function describeRules(filter: RuleFilter, namespace: string | undefined, total: number): string {
  const words = (facet: RuleFacet) =>
    filter.facets[facet].map((one) => ruleFacetWord(facet, one).toLowerCase()).join(' or ');
  return [
    `${total} ${total === 1 ? 'rule' : 'rules'} ${namespace === undefined ? 'in all namespaces' : `in ${namespace}`}`,
    ...RULE_FACETS.filter((facet) => filter.facets[facet].length > 0).map(words),
    ...(filter.q === '' ? [] : [`matching “${filter.q}”`]),
  ].join(', ');
}

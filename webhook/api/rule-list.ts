/** The list of correlation rules: facets, search and order over rows that the person may see; usually in the order in which they are tried. Pure. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import { byCodeUnit } from '@funnelai/domain/labels';
import { DEFAULTS } from '@funnelai/domain/rules';
import type { RuleItem, RulePage, RuleState, RuleTakes } from '@funnelai/domain/wire-rules';
import { isDemo } from './items.ts';
import {
  byText,
  type Compare,
  count,
  holdsWords,
  inOrder,
  isAmong,
  limitOf,
  type RawQuery,
  searchWords,
  several,
  sortOf,
} from './query.ts';

type Facet = keyof RulePage['facets'];
const FACETS: readonly Facet[] = ['state', 'action'];
const SORTS = ['tried', 'name', 'state', 'action', 'firing', 'incidents'] as const;
type RuleSort = (typeof SORTS)[number];

export interface RuleListQuery {
  facets: Record<Facet, ReadonlySet<string>>;
  words: string[];
  sort: RuleSort;
  descending: boolean;
  limit: number;
}

/** Throws HttpProblem for what is not understood. */
export function parseRuleQuery(query: RawQuery): RuleListQuery {
  return {
    facets: { state: several(query, 'state'), action: several(query, 'action') },
    words: searchWords(query),
    ...sortOf<RuleSort>(query, SORTS),
    limit: limitOf(query),
  };
}

/** Conditions in which the rule may do what nobody means, though it works. */
const WARNINGS: readonly string[] = ['IncidentPerFlap'];

/** Returns the row of a rule. */
export function ruleItem(rule: CorrelationRule, takes: RuleTakes | undefined): RuleItem {
  const { metadata, spec } = rule;
  const message = messageOf(rule);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    order: spec.order ?? DEFAULTS.order,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    state: stateOf(rule),
    ...(message === undefined ? {} : { message }),
    match: spec.match ?? [],
    groupBy: (spec.groupBy ?? []).map(({ label }) => label),
    action: spec.action ?? 'Open',
    ...(takes === undefined ? {} : { takes }),
    createdAt: metadata.creationTimestamp ?? '',
    demo: isDemo(rule),
  };
}

const conditionOf = ({ status }: CorrelationRule, holds: (type: string) => boolean) =>
  status?.conditions?.find(({ type }) => holds(type));
const warningOf = (rule: CorrelationRule) => {
  const found = conditionOf(rule, (type) => WARNINGS.includes(type));
  return found?.status === 'True' ? found : undefined;
};

function stateOf(rule: CorrelationRule): RuleState {
  if (rule.spec.suspend === true) return 'Suspended';
  const { metadata, status } = rule;
  const ready = conditionOf(rule, (type) => type === 'Ready');
  // What is said of an older text of the rule is not said of this one.
  if (ready === undefined || status?.observedGeneration !== metadata.generation) return 'Unknown';
  if (ready.status !== 'True') return ready.status === 'False' ? 'NotReady' : 'Unknown';
  return warningOf(rule) === undefined ? 'Ready' : 'Warns';
}

function messageOf(rule: CorrelationRule): string | undefined {
  const state = stateOf(rule);
  if (state === 'Unknown') return undefined;
  return (state === 'Warns' ? warningOf(rule) : conditionOf(rule, (type) => type === 'Ready'))?.message;
}

export function rulePage(
  rows: readonly RuleItem[],
  query: RuleListQuery,
  state: Pick<RulePage, 'builtIn' | 'asOf'>,
): RulePage {
  const matching = rows.filter(
    (row) => FACETS.every((facet) => isAmong(query.facets[facet], row[facet])) && isFound(row, query.words),
  );
  const facets = Object.fromEntries(FACETS.map((facet) => [facet, count(rows, (row) => row[facet])]));
  const asked = query.sort === 'tried' ? undefined : COMPARE[query.sort];
  return {
    items: matching.sort(inOrder(asked, query.descending, USUAL)).slice(0, query.limit),
    total: matching.length,
    facets: facets as RulePage['facets'],
    ...state,
  };
}

const isFound = ({ namespace, name, description = '', match, groupBy }: RuleItem, words: readonly string[]): boolean =>
  holdsWords([namespace, name, description, ...match, ...groupBy], words);

/** Those that someone should look at first. */
const STATES: readonly RuleState[] = ['NotReady', 'Warns', 'Unknown', 'Suspended', 'Ready'];
const most =
  (value: (takes: RuleTakes) => number): Compare<RuleItem> =>
  (a, b) =>
    (b.takes === undefined ? -1 : value(b.takes)) - (a.takes === undefined ? -1 : value(a.takes));

const COMPARE: Record<Exclude<RuleSort, 'tried'>, Compare<RuleItem>> = {
  name: (a, b) => byText(a.name, b.name),
  state: (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state),
  action: (a, b) => byText(a.action, b.action),
  firing: most(({ firing }) => firing),
  incidents: most(({ openIncidents }) => openIncidents),
};
const USUAL: readonly Compare<RuleItem>[] = [
  (a, b) => byText(a.namespace, b.namespace),
  (a, b) => a.order - b.order,
  (a, b) => byCodeUnit(a.name, b.name),
];

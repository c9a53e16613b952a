/** The list of incidents: tabs, facets, search and order over rows that the person may see. Pure. */
import { PHASES } from '@funnelai/domain/lifecycle';
import { SEVERITIES } from '@funnelai/domain/severity';
import type { IncidentItem, IncidentPage, IncidentTab } from '@funnelai/domain/wire';
import {
  byText,
  type Compare as CompareOf,
  count,
  holdsWords,
  inOrder,
  isAmong,
  limitOf,
  oneOf,
  type RawQuery,
  searchWords,
  several,
  sortOf,
} from './query.ts';

export type IncidentSort =
  | 'urgency'
  | 'severity'
  | 'priority'
  | 'phase'
  | 'since'
  | 'age'
  | 'name'
  | 'title'
  | 'owner'
  | 'rule'
  | 'alerts';
export interface IncidentListQuery {
  tab: IncidentTab;
  facets: Record<Facet, ReadonlySet<string>>;
  words: string[];
  sort: IncidentSort;
  descending: boolean;
  limit: number;
}
type Facet = keyof IncidentPage['facets'];
type Compare = CompareOf<IncidentItem>;

const SORTS: readonly [IncidentSort, ...IncidentSort[]] = [
  'urgency',
  'severity',
  'priority',
  'phase',
  'since',
  'age',
  'name',
  'title',
  'owner',
  'rule',
  'alerts',
];
const TABS: readonly [IncidentTab, ...IncidentTab[]] = [
  'open',
  'mine',
  'unacknowledged',
  'postmortem',
  'closed',
  'all',
];
const FACETS: readonly Facet[] = ['severity', 'priority', 'phase', 'owner', 'rule'];

/** Throws HttpProblem for what is not understood. `sort` may begin with `-`: the other way round. */
export function parseIncidentQuery(query: RawQuery): IncidentListQuery {
  return {
    tab: oneOf(query, 'tab', TABS),
    facets: {
      severity: several(query, 'severity'),
      priority: several(query, 'priority'),
      phase: several(query, 'phase'),
      owner: several(query, 'owner'),
      rule: several(query, 'rule'),
    },
    words: searchWords(query),
    ...sortOf(query, SORTS),
    limit: limitOf(query),
  };
}

/** Open means that there is something left to do, so Resolution and Postmortem are open: each incident is in one of open and closed. */
function isIn(tab: IncidentTab, item: IncidentItem, user: string): boolean {
  switch (tab) {
    case 'open':
      return item.phase !== 'Closed';
    case 'mine':
      return item.owner === user && item.phase !== 'Closed';
    case 'unacknowledged':
      return item.phase === 'Detection';
    case 'postmortem':
      return item.phase === 'Postmortem';
    case 'closed':
      return item.phase === 'Closed';
    case 'all':
      return true;
  }
}

/** Returns the page for `user` of these rows. */
export function incidentPage(
  rows: readonly IncidentItem[],
  query: IncidentListQuery,
  user: string,
  state: { resourceVersion: string; asOf: string },
): IncidentPage {
  const tabs = Object.fromEntries(TABS.map((tab) => [tab, rows.filter((row) => isIn(tab, row, user)).length]));
  const ofTab = rows.filter((row) => isIn(query.tab, row, user));
  const matching = ofTab.filter(
    (row) => FACETS.every((facet) => isAmong(query.facets[facet], row[facet])) && isFound(row, query.words),
  );
  const facets = Object.fromEntries(FACETS.map((facet) => [facet, count(ofTab, (row) => row[facet])]));
  return {
    items: matching.sort(comparison(query)).slice(0, query.limit),
    total: matching.length,
    tabs: tabs as IncidentPage['tabs'],
    facets: facets as IncidentPage['facets'],
    ...state,
  };
}

const isFound = (row: IncidentItem, words: readonly string[]): boolean =>
  holdsWords([row.name, row.title, row.owner ?? '', row.rule ?? '', row.namespace], words);

const newestFirst: Compare = (a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0);
const latestPhaseFirst: Compare = (a, b) => byText(b.phaseSince, a.phaseSince);
const worstFirst: Compare = (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
const unacknowledgedFirst: Compare = (a, b) => Number(b.phase === 'Detection') - Number(a.phase === 'Detection');

const COMPARE: Record<Exclude<IncidentSort, 'urgency'>, Compare> = {
  severity: worstFirst,
  priority: (a, b) => byText(a.priority, b.priority),
  phase: (a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase),
  since: latestPhaseFirst,
  age: newestFirst,
  name: (a, b) => byText(a.name, b.name),
  title: (a, b) => byText(a.title, b.title),
  owner: (a, b) => byText(a.owner, b.owner),
  rule: (a, b) => byText(a.rule, b.rule),
  alerts: (a, b) => b.alerts.firing - a.alerts.firing || b.alerts.total - a.alerts.total,
};

/** Ties fall to urgency, then to the name: the same rows always come in the same order. */
function comparison({ sort, descending, tab }: IncidentListQuery): Compare {
  const urgency: Compare[] = tab === 'closed' ? [latestPhaseFirst] : [unacknowledgedFirst, worstFirst, newestFirst];
  const usual: Compare[] = [...urgency, (a, b) => byText(a.name, b.name), (a, b) => byText(a.namespace, b.namespace)];
  return inOrder(sort === 'urgency' ? undefined : COMPARE[sort], descending, usual);
}

/** The list of alerts: facets, search and order over rows that the person may see; usually what fires first, then the worst, then the newest. Pure. */
import { compareInstants } from '@funnelai/domain/instants';
import { labelValue } from '@funnelai/domain/labels';
import { SEVERITIES } from '@funnelai/domain/severity';
import type { AlertItem, AlertPage } from '@funnelai/domain/wire';
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
  single,
  sortOf,
} from './query.ts';

export type AlertSort = 'urgency' | 'severity' | 'state' | 'title' | 'source' | 'incident' | 'since';
type Facet = keyof AlertPage['facets'];
export interface AlertListQuery {
  facets: Record<Facet, ReadonlySet<string>>;
  incident: string | undefined;
  words: string[];
  sort: AlertSort;
  descending: boolean;
  limit: number;
}
const SORTS: readonly [AlertSort, ...AlertSort[]] = [
  'urgency',
  'severity',
  'state',
  'title',
  'source',
  'incident',
  'since',
];
const FACETS: readonly Facet[] = ['state', 'severity', 'source', 'alertname'];

/** Throws HttpProblem for what is not understood. */
export function parseAlertQuery(query: RawQuery): AlertListQuery {
  return {
    facets: {
      state: several(query, 'state'),
      severity: several(query, 'severity'),
      source: several(query, 'source'),
      alertname: several(query, 'alertname'),
    },
    incident: single(query, 'incident'),
    words: searchWords(query),
    ...sortOf(query, SORTS),
    limit: limitOf(query),
  };
}

/** Returns the page of these rows. A word may be `label=value`, too. */
export function alertPage(
  rows: readonly AlertItem[],
  query: AlertListQuery,
  state: Pick<AlertPage, 'resourceVersion' | 'asOf' | 'folded'>,
): AlertPage {
  const ofIncident = query.incident === undefined ? rows : rows.filter((row) => row.incident === query.incident);
  const matching = ofIncident.filter(
    (row) => FACETS.every((facet) => isAmong(query.facets[facet], facetOf(row, facet))) && isFound(row, query.words),
  );
  // Of the folded ones only the most urgent are among the rows.
  const foldedHere = matching.reduce((sum, row) => sum + Number(row.foldedInto !== undefined), 0);
  const facets = Object.fromEntries(FACETS.map((facet) => [facet, count(ofIncident, (row) => facetOf(row, facet))]));
  return {
    items: matching.sort(comparison(query)).slice(0, query.limit),
    total: matching.length + Math.max(0, (state.folded?.total ?? 0) - foldedHere),
    facets: facets as AlertPage['facets'],
    ...state,
  };
}

function facetOf(row: AlertItem, facet: Facet): string | undefined {
  return facet === 'alertname' ? labelValue(row.labels, 'alertname') || undefined : row[facet];
}

function isFound(row: AlertItem, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const labels = Object.entries(row.labels).map(([name, value]) => `${name}=${value}`);
  return holdsWords([row.name, row.title, row.source, row.incident ?? '', row.namespace, ...labels], words);
}

/** What expired comes before what resolved: nobody said of it that it is over. */
const STATES: readonly AlertItem['state'][] = ['Firing', 'Expired', 'Resolved'];
const firingFirst: Compare<AlertItem> = (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state);
const worstFirst: Compare<AlertItem> = (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
const latestFirst: Compare<AlertItem> = (a, b) => compareInstants(b.startsAt, a.startsAt);

const COMPARE: Record<Exclude<AlertSort, 'urgency'>, Compare<AlertItem>> = {
  severity: worstFirst,
  state: firingFirst,
  title: (a, b) => byText(a.title, b.title),
  source: (a, b) => byText(a.source, b.source),
  incident: (a, b) => byText(a.incident, b.incident),
  since: latestFirst,
};
const USUAL: readonly Compare<AlertItem>[] = [
  firingFirst,
  worstFirst,
  latestFirst,
  (a, b) => byText(a.name, b.name),
  (a, b) => byText(a.namespace, b.namespace),
];
const comparison = ({ sort, descending }: AlertListQuery): Compare<AlertItem> =>
  inOrder(sort === 'urgency' ? undefined : COMPARE[sort], descending, USUAL);

/** The order in which alerts are read, where nobody asked for another. */
export const compareAlerts: Compare<AlertItem> = inOrder(undefined, false, USUAL);

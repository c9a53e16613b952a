/** The list of alerts: facets and search over rows that the person may see; what fires first, then the worst, then the newest. Pure. */
import { compareInstants } from '@funnelai/domain/instants';
import { labelValue } from '@funnelai/domain/labels';
import { SEVERITIES } from '@funnelai/domain/severity';
import type { AlertItem, AlertPage } from '@funnelai/domain/wire';
import { count, isAmong, limitOf, type RawQuery, searchWords, several, single } from './query.ts';

type Facet = keyof AlertPage['facets'];
export interface AlertListQuery {
  facets: Record<Facet, ReadonlySet<string>>;
  incident: string | undefined;
  words: string[];
  limit: number;
}
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
    limit: limitOf(query),
  };
}

/** Returns the page of these rows. A word may be `label=value`, too. */
export function alertPage(
  rows: readonly AlertItem[],
  query: AlertListQuery,
  state: { resourceVersion: string; asOf: string },
): AlertPage {
  const ofIncident = query.incident === undefined ? rows : rows.filter((row) => row.incident === query.incident);
  const matching = ofIncident.filter(
    (row) => FACETS.every((facet) => isAmong(query.facets[facet], facetOf(row, facet))) && isFound(row, query.words),
  );
  const facets = Object.fromEntries(FACETS.map((facet) => [facet, count(ofIncident, (row) => facetOf(row, facet))]));
  return {
    items: matching.sort(compareAlerts).slice(0, query.limit),
    total: matching.length,
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
  const text = [row.name, row.title, row.source, row.incident ?? '', row.namespace, ...labels].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The order in which alerts are read, everywhere. */
export function compareAlerts(a: AlertItem, b: AlertItem): number {
  return (
    Number(a.state !== 'Firing') - Number(b.state !== 'Firing') ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    compareInstants(b.startsAt, a.startsAt) ||
    a.name.localeCompare(b.name, 'en')
  );
}

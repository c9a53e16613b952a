/** The alert list's state is its URL. Pure. */
import type { AlertQuery } from '../../api/keys.ts';

export const ALERT_FACETS = ['state', 'severity', 'source', 'alertname'] as const;
export type AlertFacet = (typeof ALERT_FACETS)[number];
export const ALERT_FACET_LABELS: Record<AlertFacet, string> = {
  state: 'State',
  severity: 'Severity',
  source: 'Source',
  alertname: 'Name',
};
export const PAGE_SIZE = 200;
export const MOST_ROWS = 1_000;

export interface AlertFilter {
  facets: Record<AlertFacet, readonly string[]>;
  incident: string;
  q: string;
  limit: number;
}

export function parseAlertFilter(search: URLSearchParams): AlertFilter {
  const facet = (name: AlertFacet): string[] => [...new Set(search.getAll(name))].filter((value) => value !== '');
  const limit = Number(search.get('limit'));
  return {
    facets: {
      state: facet('state'),
      severity: facet('severity'),
      source: facet('source'),
      alertname: facet('alertname'),
    },
    incident: search.get('incident') ?? '',
    q: search.get('q') ?? '',
    limit: Number.isInteger(limit) && limit > PAGE_SIZE ? Math.min(limit, MOST_ROWS) : PAGE_SIZE,
  };
}

export function writeAlertFilter(filter: AlertFilter, namespace: string | null): URLSearchParams {
  const search = new URLSearchParams();
  if (namespace !== null) search.set('namespace', namespace);
  for (const facet of ALERT_FACETS) for (const value of filter.facets[facet]) search.append(facet, value);
  if (filter.incident !== '') search.set('incident', filter.incident);
  if (filter.q !== '') search.set('q', filter.q);
  if (filter.limit !== PAGE_SIZE) search.set('limit', String(filter.limit));
  return search;
}

export const toAlertQuery = (filter: AlertFilter, namespace: string | undefined): AlertQuery => ({
  ...(namespace === undefined ? {} : { namespace }),
  ...filter.facets,
  ...(filter.incident === '' ? {} : { incident: filter.incident }),
  q: filter.q,
  limit: filter.limit,
});

export const isAlertListNarrowed = (filter: AlertFilter): boolean =>
  filter.q !== '' || filter.incident !== '' || ALERT_FACETS.some((facet) => filter.facets[facet].length > 0);

export const widenedAlerts = (filter: AlertFilter): AlertFilter => ({
  ...filter,
  q: '',
  incident: '',
  facets: { state: [], severity: [], source: [], alertname: [] },
});

/** "12 alerts in demo with state Firing, of incident x, matching “disk”". */
export function describeAlerts(filter: AlertFilter, namespace: string | undefined, total: number): string {
  const parts = ALERT_FACETS.filter((facet) => filter.facets[facet].length > 0).map(
    (facet) => `${ALERT_FACET_LABELS[facet].toLowerCase()} ${filter.facets[facet].join(' or ')}`,
  );
  const tail = [
    ...(parts.length > 0 ? [`with ${parts.join(' and ')}`] : []),
    ...(filter.incident === '' ? [] : [`of incident ${filter.incident}`]),
    ...(filter.q === '' ? [] : [`matching “${filter.q}”`]),
  ].join(', ');
  return `${total} ${total === 1 ? 'alert' : 'alerts'} ${namespace === undefined ? 'in all namespaces' : `in ${namespace}`}${tail === '' ? '' : ` ${tail}`}`;
}

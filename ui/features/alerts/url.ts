/** The alert list's state is its URL. Pure. */
import type { AlertQuery } from '../../api/keys.ts';
import { PAGE_SIZE, parseLimit } from '../lists/limits.ts';

export const ALERT_FACETS = ['state', 'severity', 'source', 'alertname'] as const;
export type AlertFacet = (typeof ALERT_FACETS)[number];
export const ALERT_FACET_LABELS: Record<AlertFacet, string> = {
  state: 'State',
  severity: 'Severity',
  source: 'Source',
  alertname: 'Name',
};
/** The orders a person can choose; '' is what fires first, then the worst, then the newest. */
export const ALERT_SORTS = ['', 'severity', 'state', 'title', 'source', 'incident', 'since'] as const;

export interface AlertFilter {
  facets: Record<AlertFacet, readonly string[]>;
  incident: string;
  q: string;
  /** One of ALERT_SORTS, `-` in front for the other direction. */
  sort: string;
  limit: number;
}

export function parseAlertFilter(search: URLSearchParams): AlertFilter {
  const facet = (name: AlertFacet): string[] => [...new Set(search.getAll(name))];
  const sort = search.get('sort') ?? '';
  return {
    facets: {
      state: facet('state'),
      severity: facet('severity'),
      source: facet('source'),
      alertname: facet('alertname'),
    },
    incident: search.get('incident') ?? '',
    q: search.get('q') ?? '',
    sort: (ALERT_SORTS as readonly string[]).includes(sort.replace(/^-/, '')) ? sort : '',
    limit: parseLimit(search),
  };
}

export function writeAlertFilter(filter: AlertFilter, namespace: string | null): URLSearchParams {
  const search = new URLSearchParams();
  if (namespace !== null) search.set('namespace', namespace);
  for (const facet of ALERT_FACETS) for (const value of filter.facets[facet]) search.append(facet, value);
  if (filter.incident !== '') search.set('incident', filter.incident);
  if (filter.q !== '') search.set('q', filter.q);
  if (filter.sort !== '') search.set('sort', filter.sort);
  if (filter.limit !== PAGE_SIZE) search.set('limit', String(filter.limit));
  return search;
}

export const toAlertQuery = (filter: AlertFilter, namespace: string | undefined): AlertQuery => ({
  ...(namespace === undefined ? {} : { namespace }),
  ...filter.facets,
  ...(filter.incident === '' ? {} : { incident: filter.incident }),
  q: filter.q,
  sort: filter.sort,
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

/** The word people see for a facet's value. */
export const alertFacetWord = (value: string): string => (value === '' ? 'none' : value);

/** "12 alerts in demo with state Firing, of incident x, matching “disk”". */
export function describeAlerts(filter: AlertFilter, namespace: string | undefined, total: number): string {
  const parts = ALERT_FACETS.filter((facet) => filter.facets[facet].length > 0).map(
    (facet) => `${ALERT_FACET_LABELS[facet].toLowerCase()} ${filter.facets[facet].map(alertFacetWord).join(' or ')}`,
  );
  const tail = [
    ...(parts.length > 0 ? [`with ${parts.join(' and ')}`] : []),
    ...(filter.incident === '' ? [] : [`of incident ${filter.incident}`]),
    ...(filter.q === '' ? [] : [`matching “${filter.q}”`]),
  ].join(', ');
  return `${total} ${total === 1 ? 'alert' : 'alerts'} ${namespace === undefined ? 'in all namespaces' : `in ${namespace}`}${tail === '' ? '' : ` ${tail}`}`;
}

/** The source list's state is its URL. Pure. */
import type { SourceQuery } from '../../api/keys.ts';
import { readyWord } from '../../components/ReadyMark.tsx';
import { PAGE_SIZE, parseLimit } from '../lists/limits.ts';
import { trafficWord } from './words.ts';

export const SOURCE_FACETS = ['format', 'ready', 'traffic'] as const;
export type SourceFacet = (typeof SOURCE_FACETS)[number];
export const SOURCE_FACET_LABELS: Record<SourceFacet, string> = {
  format: 'Format',
  ready: 'Ready',
  traffic: 'Last day',
};
/** The orders a person can choose; '' is what is in trouble first, then by name. */
export const SOURCE_SORTS = ['', 'name', 'ready', 'inbox', 'received', 'rate', 'stored', 'rejected'] as const;

export interface SourceFilter {
  facets: Record<SourceFacet, readonly string[]>;
  q: string;
  /** One of SOURCE_SORTS, `-` in front for the other direction. */
  sort: string;
  limit: number;
}

export function parseSourceFilter(search: URLSearchParams): SourceFilter {
  const facet = (name: SourceFacet): string[] => [...new Set(search.getAll(name))];
  const sort = search.get('sort') ?? '';
  return {
    facets: { format: facet('format'), ready: facet('ready'), traffic: facet('traffic') },
    q: search.get('q') ?? '',
    sort: (SOURCE_SORTS as readonly string[]).includes(sort.replace(/^-/, '')) ? sort : '',
    limit: parseLimit(search),
  };
}

export function writeSourceFilter(filter: SourceFilter, namespace: string | null): URLSearchParams {
  const search = new URLSearchParams();
  if (namespace !== null) search.set('namespace', namespace);
  for (const facet of SOURCE_FACETS) for (const value of filter.facets[facet]) search.append(facet, value);
  if (filter.q !== '') search.set('q', filter.q);
  if (filter.sort !== '') search.set('sort', filter.sort);
  if (filter.limit !== PAGE_SIZE) search.set('limit', String(filter.limit));
  return search;
}

export const toSourceQuery = (filter: SourceFilter, namespace: string | undefined): SourceQuery => ({
  ...(namespace === undefined ? {} : { namespace }),
  ...filter.facets,
  q: filter.q,
  sort: filter.sort,
  limit: filter.limit,
});

export const isSourceListNarrowed = (filter: SourceFilter): boolean =>
  filter.q !== '' || SOURCE_FACETS.some((facet) => filter.facets[facet].length > 0);

export const widenedSources = (filter: SourceFilter): SourceFilter => ({
  ...filter,
  q: '',
  facets: { format: [], ready: [], traffic: [] },
});

/** The word people see for a facet's value. */
export function sourceFacetWord(facet: SourceFacet, value: string): string {
  if (facet === 'ready') return readyWord(value);
  return facet === 'traffic' ? trafficWord(value) : value;
}

/** "3 sources in demo, format Grafana, not ready, matching “prod”". */
export function describeSources(filter: SourceFilter, namespace: string | undefined, total: number): string {
  const words = (facet: SourceFacet) => filter.facets[facet].map((one) => sourceFacetWord(facet, one)).join(' or ');
  const parts = [
    `${total} ${total === 1 ? 'source' : 'sources'} ${namespace === undefined ? 'in all namespaces' : `in ${namespace}`}`,
    ...(filter.facets.format.length === 0 ? [] : [`format ${words('format')}`]),
    ...(filter.facets.ready.length === 0 ? [] : [words('ready').toLowerCase()]),
    ...(filter.facets.traffic.length === 0 ? [] : [`${words('traffic').toLowerCase()} in a day`]),
    ...(filter.q === '' ? [] : [`matching “${filter.q}”`]),
  ];
  return parts.join(', ');
}

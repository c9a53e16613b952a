/** The source list's state is its URL. Pure. */
import { readyWord } from '../../components/ReadyMark.tsx';
import { createListUrl, type ListFilter } from '../lists/list-url.ts';
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

export type SourceFilter = ListFilter<SourceFacet>;

export const {
  parse: parseSourceFilter,
  write: writeSourceFilter,
  toQuery: toSourceQuery,
  isNarrowed: isSourceListNarrowed,
  widened: widenedSources,
} = createListUrl<SourceFacet>(SOURCE_FACETS, SOURCE_SORTS);

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

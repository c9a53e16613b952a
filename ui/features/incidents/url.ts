/** The incident list's state is its URL: parsing, writing, and the sentence that says what is filtered. Pure. */
import { PHASES, shownAs } from '@funnelai/domain/lifecycle';
import { SEVERITIES } from '@funnelai/domain/severity';
import type { IncidentQuery } from '../../api/keys.ts';
import { PAGE_SIZE, parseLimit } from '../lists/limits.ts';

export const TABS = [
  { id: 'open', label: 'Open' },
  { id: 'mine', label: 'Mine' },
  { id: 'unacknowledged', label: 'Unacknowledged' },
  { id: 'postmortem', label: 'Post-mortem due' },
  { id: 'closed', label: 'Closed' },
] as const;
export type Tab = (typeof TABS)[number]['id'];

export const FACETS = ['severity', 'priority', 'phase', 'owner', 'rule'] as const;
export type Facet = (typeof FACETS)[number];
export const FACET_LABELS: Record<Facet, string> = {
  severity: 'Severity',
  priority: 'Priority',
  phase: 'Phase',
  owner: 'Owner',
  rule: 'Rule',
};

/** The orders a person can choose; '' is by urgency: unacknowledged, then severity, then age. */
export const SORTS = [
  '',
  'severity',
  'priority',
  'phase',
  'since',
  'owner',
  'name',
  'title',
  'alerts',
  'rule',
  'age',
] as const;
/** How many incidents can be chosen at once, for acts on many: they stand in the URL. */
export const MOST_CHOSEN = 100;

export interface IncidentFilter {
  tab: Tab;
  facets: Record<Facet, readonly string[]>;
  q: string;
  /** One of SORTS, `-` in front for the other direction. */
  sort: string;
  limit: number;
}

const KNOWN: Partial<Record<Facet, readonly string[]>> = {
  severity: SEVERITIES,
  phase: PHASES,
  priority: ['P1', 'P2', 'P3', 'P4', 'P5'],
};

/** Where the empty value stands for those without one: owned by nobody, opened by no rule. */
const MAY_LACK: ReadonlySet<Facet> = new Set(['priority', 'owner', 'rule']);

/** The state in a query string. What is not understood is left out, so an old link never shows an error. */
export function parseFilter(search: URLSearchParams): IncidentFilter {
  const facet = (name: Facet): string[] => {
    const known = KNOWN[name];
    return [...new Set(search.getAll(name))].filter((value) =>
      value === '' ? MAY_LACK.has(name) : known === undefined || known.includes(value),
    );
  };
  const sort = search.get('sort') ?? '';
  return {
    tab: TABS.find((tab) => tab.id === search.get('tab'))?.id ?? 'open',
    facets: {
      severity: facet('severity'),
      priority: facet('priority'),
      phase: facet('phase'),
      owner: facet('owner'),
      rule: facet('rule'),
    },
    q: search.get('q') ?? '',
    sort: (SORTS as readonly string[]).includes(sort.replace(/^-/, '')) ? sort : '',
    limit: parseLimit(search),
  };
}

/** The query string of a state; what is usual is left out. `namespace` is carried along from the old one. */
export function writeFilter(filter: IncidentFilter, namespace: string | null): URLSearchParams {
  const search = new URLSearchParams();
  if (namespace !== null) search.set('namespace', namespace);
  if (filter.tab !== 'open') search.set('tab', filter.tab);
  for (const facet of FACETS) for (const value of filter.facets[facet]) search.append(facet, value);
  if (filter.q !== '') search.set('q', filter.q);
  if (filter.sort !== '') search.set('sort', filter.sort);
  if (filter.limit !== PAGE_SIZE) search.set('limit', String(filter.limit));
  return search;
}

/** The same state as the API is asked. */
export function toQuery(filter: IncidentFilter, namespace: string | undefined): IncidentQuery {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    tab: filter.tab,
    ...filter.facets,
    q: filter.q,
    sort: filter.sort,
    limit: filter.limit,
  };
}

/** Does the list leave anything out beyond its tab? */
export const isNarrowed = (filter: IncidentFilter): boolean =>
  filter.q !== '' || FACETS.some((facet) => filter.facets[facet].length > 0);

/** The state without facets and search. */
export const widened = (filter: IncidentFilter): IncidentFilter => ({
  ...filter,
  q: '',
  facets: { severity: [], priority: [], phase: [], owner: [], rule: [] },
});

/** The word people see for a facet's value. */
export function facetWord(facet: string, value: string): string {
  if (facet === 'phase') return shownAs(value as never) ?? value;
  if (value !== '') return value;
  return facet === 'owner' ? 'nobody' : 'none';
}

/** Which incidents are chosen, as `namespace/name`, in the order of choosing; at most MOST_CHOSEN. Another filter begins with none. */
export const parseChosen = (search: URLSearchParams): string[] =>
  [...new Set(search.getAll('chosen'))].slice(0, MOST_CHOSEN);
export const writeChosen = (search: URLSearchParams, chosen: readonly string[]): URLSearchParams => {
  const next = new URLSearchParams(search);
  next.delete('chosen');
  for (const one of chosen.slice(0, MOST_CHOSEN)) next.append('chosen', one);
  return next;
};
export const chosenKey = (item: { namespace: string; name: string }): string => `${item.namespace}/${item.name}`;

const NOUNS: Record<Tab, [string, string]> = {
  open: ['open incident', 'open incidents'],
  mine: ['open incident of yours', 'open incidents of yours'],
  unacknowledged: ['unacknowledged incident', 'unacknowledged incidents'],
  postmortem: ['incident with a post-mortem due', 'incidents with a post-mortem due'],
  closed: ['closed incident', 'closed incidents'],
};

/** "4 open incidents in demo with severity Critical or High, matching “disk”". */
export function describe(filter: IncidentFilter, namespace: string | undefined, total: number): string {
  const noun = NOUNS[filter.tab][total === 1 ? 0 : 1];
  const where = namespace === undefined ? 'in all namespaces' : `in ${namespace}`;
  const parts = FACETS.filter((facet) => filter.facets[facet].length > 0).map(
    (facet) =>
      `${FACET_LABELS[facet].toLowerCase()} ${filter.facets[facet].map((value) => facetWord(facet, value)).join(' or ')}`,
  );
  const with_ = parts.length > 0 ? ` with ${parts.join(' and ')}` : '';
  const matching = filter.q === '' ? '' : `${with_ === '' ? '' : ','} matching “${filter.q}”`;
  return `${total} ${noun} ${where}${with_}${matching}`;
}

/** The list of sources: facets, search and order over rows that the person may see; usually those in trouble first. Pure. */

import { compareInstants } from '@funnelai/domain/instants';
import type { SourceInbox, SourceItem, SourcePage } from '@funnelai/domain/wire-sources';
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

type Facet = keyof SourcePage['facets'];
export interface SourceListQuery {
  facets: Record<Facet, ReadonlySet<string>>;
  words: string[];
  sort: SourceSort;
  descending: boolean;
  limit: number;
}
export type SourceSort =
  | 'trouble'
  | 'name'
  | 'format'
  | 'ready'
  | 'received'
  | 'rate'
  | 'stored'
  | 'rejected'
  | 'inbox';
const SORTS: readonly [SourceSort, ...SourceSort[]] = [
  'trouble',
  'name',
  'format',
  'ready',
  'received',
  'rate',
  'stored',
  'rejected',
  'inbox',
];
const FACETS: readonly Facet[] = ['format', 'ready', 'traffic'];

/** Throws HttpProblem for what is not understood. */
export function parseSourceQuery(query: RawQuery): SourceListQuery {
  return {
    facets: {
      format: several(query, 'format'),
      ready: several(query, 'ready'),
      traffic: several(query, 'traffic'),
    },
    words: searchWords(query),
    ...sortOf(query, SORTS),
    limit: limitOf(query),
  };
}

export function sourcePage(
  rows: readonly SourceItem[],
  query: SourceListQuery,
  state: Pick<SourcePage, 'counted' | 'inbox' | 'gone' | 'asOf'>,
): SourcePage {
  const matching = rows.filter(
    (row) => FACETS.every((facet) => isAmong(query.facets[facet], facetOf(row, facet))) && isFound(row, query.words),
  );
  const facets = Object.fromEntries(FACETS.map((facet) => [facet, count(rows, (row) => facetOf(row, facet))]));
  const asked = query.sort === 'trouble' ? undefined : COMPARE[query.sort];
  return {
    items: matching
      .sort(inOrder(asked, query.descending, USUAL))
      .slice(0, query.limit)
      .map(asListed),
    total: matching.length,
    facets: facets as SourcePage['facets'],
    ...state,
    gone: state.gone.map(asListed),
  };
}

/** A row has room for one reason. */
function asListed<T extends { inbox?: SourceInbox }>(row: T): T {
  return row.inbox === undefined ? row : { ...row, inbox: { ...row.inbox, reasons: row.inbox.reasons.slice(0, 1) } };
}

/** `Refused`: of what came in the last day some was; `Taken`: all of it was taken; `None`: nothing came. */
function trafficOf({ traffic }: SourceItem): string {
  if (refusedOf(traffic) > 0) return 'Refused';
  return traffic.bodies > 0 ? 'Taken' : 'None';
}

export function refusedOf({ rejected }: SourceItem['traffic']): number {
  return Object.values(rejected).reduce((sum, bodies) => sum + bodies, 0);
}

function facetOf(row: SourceItem, facet: Facet): string {
  return facet === 'traffic' ? trafficOf(row) : row[facet];
}

const isFound = ({ namespace, name, format, message = '' }: SourceItem, words: readonly string[]): boolean =>
  holdsWords([namespace, name, format, message], words);

const most =
  (value: (row: SourceItem) => number): Compare<SourceItem> =>
  (a, b) =>
    value(b) - value(a);
const notReadyFirst: Compare<SourceItem> = (a, b) => Number(a.ready === 'True') - Number(b.ready === 'True');
const refusedFirst: Compare<SourceItem> = (a, b) =>
  Number(refusedOf(a.traffic) === 0) - Number(refusedOf(b.traffic) === 0);

const setAsideFirst: Compare<SourceItem> = (a, b) =>
  Number((a.inbox?.setAside ?? 0) === 0) - Number((b.inbox?.setAside ?? 0) === 0);

const COMPARE: Record<Exclude<SourceSort, 'trouble'>, Compare<SourceItem>> = {
  name: (a, b) => byText(a.name, b.name),
  format: (a, b) => byText(a.format, b.format),
  ready: notReadyFirst,
  received: (a, b) => compareInstants(b.lastReceivedAt, a.lastReceivedAt),
  rate: most(({ traffic }) => traffic.alertsPerMinute),
  stored: most(({ traffic }) => traffic.stored),
  rejected: most(({ traffic }) => refusedOf(traffic)),
  inbox: (a, b) =>
    (b.inbox?.setAside ?? 0) - (a.inbox?.setAside ?? 0) || (b.inbox?.waiting ?? 0) - (a.inbox?.waiting ?? 0),
};
const USUAL: readonly Compare<SourceItem>[] = [
  notReadyFirst,
  setAsideFirst,
  refusedFirst,
  (a, b) => byText(a.name, b.name),
  (a, b) => byText(a.namespace, b.namespace),
];

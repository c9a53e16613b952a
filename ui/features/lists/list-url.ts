/** The state of a list that has facets, a search and an order is its URL. Pure. */
import { PAGE_SIZE, parseLimit } from './limits.ts';

export interface ListFilter<F extends string> {
  facets: Record<F, readonly string[]>;
  q: string;
  /** One of the list's orders, `-` in front for the other direction; '' is the usual one. */
  sort: string;
  limit: number;
}
/** What the API is asked; `namespace` absent is all of them. */
export type ListQuery<F extends string> = Record<F, readonly string[]> & {
  namespace?: string;
  q: string;
  sort: string;
  limit: number;
};
export interface ListUrl<F extends string> {
  /** What is not understood counts as absent: an address is passed on and typed by hand. */
  parse(search: URLSearchParams): ListFilter<F>;
  write(filter: ListFilter<F>, namespace: string | null): URLSearchParams;
  toQuery(filter: ListFilter<F>, namespace: string | undefined): ListQuery<F>;
  isNarrowed(filter: ListFilter<F>): boolean;
  /** The same list without its filters. */
  widened(filter: ListFilter<F>): ListFilter<F>;
}

export function createListUrl<F extends string>(facets: readonly F[], sorts: readonly string[]): ListUrl<F> {
  const each = (values: (facet: F) => readonly string[]) =>
    Object.fromEntries(facets.map((facet) => [facet, values(facet)])) as Record<F, readonly string[]>;
  return {
    parse(search) {
      const sort = search.get('sort') ?? '';
      return {
        facets: each((facet) => [...new Set(search.getAll(facet))]),
        q: search.get('q') ?? '',
        sort: sorts.includes(sort.replace(/^-/, '')) ? sort : '',
        limit: parseLimit(search),
      };
    },
    write(filter, namespace) {
      const search = new URLSearchParams();
      if (namespace !== null) search.set('namespace', namespace);
      for (const facet of facets) for (const value of filter.facets[facet]) search.append(facet, value);
      if (filter.q !== '') search.set('q', filter.q);
      if (filter.sort !== '') search.set('sort', filter.sort);
      if (filter.limit !== PAGE_SIZE) search.set('limit', String(filter.limit));
      return search;
    },
    toQuery: ({ facets: chosen, q, sort, limit }, namespace) => ({
      ...(namespace === undefined ? {} : { namespace }),
      ...chosen,
      q,
      sort,
      limit,
    }),
    isNarrowed: (filter) => filter.q !== '' || facets.some((facet) => filter.facets[facet].length > 0),
    widened: (filter) => ({ ...filter, q: '', facets: each(() => []) }),
  };
}

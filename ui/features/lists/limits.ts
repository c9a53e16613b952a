/** How many rows a list shows. Pure. */

/** Rows that a list shows at first and adds with each "Show more". */
export const PAGE_SIZE = 200;
/** A list is read up to here; beyond, the page asks to narrow the filter. */
export const MOST_ROWS = 1_000;

/** The `limit` of a query string, within the two bounds. */
export function parseLimit(search: URLSearchParams): number {
  const limit = Number(search.get('limit'));
  return Number.isInteger(limit) && limit > PAGE_SIZE ? Math.min(limit, MOST_ROWS) : PAGE_SIZE;
}

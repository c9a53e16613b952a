/** What of each source lies in the inbox, and what was set aside and why: counted over indexes alone, and never for long. */
import type pg from 'pg';
import { inTransaction } from './connection.ts';
import { INBOX_ROWS_COUNTED } from './inbox.ts';
import { iso } from './sql.ts';

/** Sources that one answer tells of. */
export const INBOX_SOURCES_COUNTED = 2_000;
/** Rows set aside that are counted of each. */
export const SET_ASIDE_COUNTED = 5_000;
/** Reasons that it tells of each source, and characters of each. */
export const INBOX_REASONS_TOLD = 3;
const REASON_TOLD_CHARS = 300;
/** After this the server itself ends a statement; the page does without. */
const STATEMENT_MS = 2_000;

export interface InboxCount {
  namespace: string;
  source: string;
  waiting: number;
  /** RFC 3339, when the one came that has waited longest; absent when none waits. */
  oldestAt?: string;
  setAside: number;
  /** More than that were set aside: so many are counted of one source. */
  hasMoreAside?: true;
  /** The most frequent first, at most `INBOX_REASONS_TOLD`. */
  reasons: { reason: string; count: number }[];
}
export interface InboxCounts {
  /** Of each source of which something lies there. */
  sources: InboxCount[];
  /** There are more sources than that, or more rows than are counted. */
  isCut: boolean;
}
export interface InboxCountStore {
  /** @throws {HistoryUnavailable} */
  count(): Promise<InboxCounts>;
}

// In the order of the primary key, which holds all that is asked for.
const WAITING = `
SELECT namespace, source, count(*)::float8 AS waiting, ${iso('min(received_at)', '"oldestAt"')}
FROM (SELECT namespace, source, received_at FROM inbox WHERE scope = $1 ORDER BY id LIMIT ${INBOX_ROWS_COUNTED}) AS rows
GROUP BY namespace, source
ORDER BY min(received_at), namespace, source
LIMIT ${INBOX_SOURCES_COUNTED + 1}`;
// From source to source by the index, and of each as far as the bound: one that left a million hides no other.
const SET_ASIDE = `
WITH RECURSIVE sources AS (
  (SELECT namespace, source FROM inbox_set_aside WHERE scope = $1 ORDER BY namespace, source LIMIT 1)
  UNION ALL
  SELECT next.* FROM sources AS s, LATERAL (
    SELECT namespace, source FROM inbox_set_aside
    WHERE scope = $1 AND (namespace, source) > (s.namespace, s.source)
    ORDER BY namespace, source LIMIT 1) AS next
)
SELECT s.namespace, s.source, r.reason, r.count::float8 AS count, r.total::float8 AS total
FROM (SELECT * FROM sources LIMIT ${INBOX_SOURCES_COUNTED + 1}) AS s, LATERAL (
  SELECT left(reason, ${REASON_TOLD_CHARS}) AS reason, count(*) AS count, sum(count(*)) OVER () AS total
  FROM (SELECT reason FROM inbox_set_aside WHERE scope = $1 AND namespace = s.namespace AND source = s.source
        ORDER BY reason LIMIT ${SET_ASIDE_COUNTED + 1}) AS rows
  GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${INBOX_REASONS_TOLD}) AS r
ORDER BY s.namespace, s.source, r.count DESC, r.reason`;
// Where a table has no statistics yet, or was not vacuumed, the planner would read the reports themselves.
const BOUNDED = `SELECT set_config('statement_timeout', '${STATEMENT_MS}', true), set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`;

type Waiting = Pick<InboxCount, 'namespace' | 'source' | 'waiting' | 'oldestAt'>;
type Aside = Pick<InboxCount, 'namespace' | 'source'> & { reason: string; count: number; total: number };

/** `scope` names the cluster, as for the inbox itself. */
export function createInboxCountStore({ pool, scope }: { pool: pg.Pool; scope: string }): InboxCountStore {
  return {
    count: () =>
      inTransaction(pool, async (session) => {
        await session.query(BOUNDED);
        const waiting = await session.query<Waiting>(WAITING, [scope]);
        const aside = await session.query<Aside>(SET_ASIDE, [scope]);
        return together(waiting.rows, aside.rows);
      }),
  };
}

function together(waiting: readonly Waiting[], aside: readonly Aside[]): InboxCounts {
  const counts = new Map<string, InboxCount>();
  for (const row of waiting) counts.set(`${row.namespace}/${row.source}`, { ...row, setAside: 0, reasons: [] });
  for (const { namespace, source, reason, count, total } of aside) {
    const key = `${namespace}/${source}`;
    const held = counts.get(key) ?? { namespace, source, waiting: 0, setAside: 0, reasons: [] };
    held.setAside = Math.min(total, SET_ASIDE_COUNTED);
    if (total > SET_ASIDE_COUNTED) held.hasMoreAside = true;
    held.reasons.push({ reason, count });
    counts.set(key, held);
  }
  const sources = [...counts.values()];
  return {
    sources,
    isCut:
      waiting.length > INBOX_SOURCES_COUNTED ||
      new Set(aside.map(({ namespace, source }) => `${namespace}/${source}`)).size > INBOX_SOURCES_COUNTED ||
      waiting.reduce((sum, row) => sum + row.waiting, 0) >= INBOX_ROWS_COUNTED,
  };
}

/** What of each source lies in the inbox, and what was set aside and why: counted over indexes alone, and never for long. */
import type pg from 'pg';
import { inTransaction } from './connection.ts';
import { INBOX_ROWS_COUNTED } from './inbox.ts';
import { iso } from './sql.ts';

/** Sources that one answer tells of. */
export const INBOX_SOURCES_COUNTED = 2_000;
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
const SET_ASIDE = `
SELECT namespace, source, left(reason, ${REASON_TOLD_CHARS}) AS reason, count::float8 AS count, total::float8 AS total
FROM (
  SELECT namespace, source, reason, count(*) AS count, sum(count(*)) OVER per_source AS total,
    row_number() OVER (per_source ORDER BY count(*) DESC, reason) AS place
  FROM (SELECT namespace, source, reason FROM inbox_set_aside WHERE scope = $1
        ORDER BY namespace, source, reason LIMIT ${INBOX_ROWS_COUNTED}) AS rows
  GROUP BY namespace, source, reason
  WINDOW per_source AS (PARTITION BY namespace, source)
) AS ranked
WHERE place <= ${INBOX_REASONS_TOLD}
ORDER BY namespace, source, place
LIMIT ${INBOX_SOURCES_COUNTED * INBOX_REASONS_TOLD + 1}`;

type Waiting = Pick<InboxCount, 'namespace' | 'source' | 'waiting' | 'oldestAt'>;
type Aside = Pick<InboxCount, 'namespace' | 'source'> & { reason: string; count: number; total: number };

/** `scope` names the cluster, as for the inbox itself. */
export function createInboxCountStore({ pool, scope }: { pool: pg.Pool; scope: string }): InboxCountStore {
  return {
    count: () =>
      inTransaction(pool, async (session) => {
        await session.query(`SELECT set_config('statement_timeout', '${STATEMENT_MS}', true)`);
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
    held.setAside = total;
    held.reasons.push({ reason, count });
    counts.set(key, held);
  }
  const sources = [...counts.values()];
  const rows = (of: (count: InboxCount) => number) => sources.reduce((sum, count) => sum + of(count), 0);
  return {
    sources,
    isCut:
      waiting.length > INBOX_SOURCES_COUNTED ||
      aside.length > INBOX_SOURCES_COUNTED * INBOX_REASONS_TOLD ||
      rows(({ waiting: n }) => n) >= INBOX_ROWS_COUNTED ||
      rows(({ setAside }) => setAside) >= INBOX_ROWS_COUNTED,
  };
}

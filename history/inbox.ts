/**
 * The intake's second store: reports of alerts as rows, durable once `append` resolves, in the order in which they came, until they are
 * in etcd. When to append, to drain and to set aside is the webhook's to decide; what the reports mean is not looked at here.
 */
import type pg from 'pg';
import { type Session, withSession } from './connection.ts';
import { HOLDS_LOCK, NEWS, newsOf } from './drain-lock.ts';
import { type FaultKey, faultKey } from './fault-key.ts';
import { storableText } from './rows.ts';

/** Rows of one statement at most. */
export const INBOX_ROWS_PER_WRITE = 512;
/** How long one statement of the inbox may take: a request waits for it. */
const STATEMENT_MS = 2_000;
/** It stands in an index, which takes no more than 2,704 bytes of a row. */
const REASON_BYTES = 1_024;
/** Number of the migration that brought `is_first`. */
export const FIRSTS_MIGRATION = 12;
/** Rows that are counted; beyond it there are "at least so many". */
export const INBOX_ROWS_COUNTED = 1_000_000;

/** What one body said of one fault. No value but `reports` ever holds a line break. */
export interface InboxRow {
  namespace: string;
  source: string;
  fingerprint: string;
  demo: boolean;
  /** RFC 3339, of the newest report. */
  receivedAt: string;
  /** JSON on one line, as `JSON.stringify` writes it. */
  reports: string;
  /** The first of its kind, for whoever put it there: it can be asked for by itself. */
  isFirst?: boolean;
}
/** One that says again what lies there already. */
export interface RepeatRow extends InboxRow {
  /** Id of the row that goes for it, if that still lies there. */
  instead?: string | undefined;
}
export interface StoredRow extends InboxRow {
  /** Grows with the order of receipt; a bigint in digits. */
  id: string;
}
export interface InboxDepth {
  rows: number;
  /** Of the row that has waited longest, milliseconds by the clock of Postgres; 0 of none. */
  oldestAgeMs: number;
  setAside: number;
}

export interface InboxStore {
  /** Stores all or none, at most `INBOX_ROWS_PER_WRITE`, and resolves once they are safe on disk. @throws {HistoryUnavailable} they may be there all the same. */
  append(rows: readonly InboxRow[]): Promise<void>;
  /** Likewise; what they repeat goes with the same statement. Returns under which ids they lie, in their order; undefined of one of which that cannot be told. */
  renew(rows: readonly RepeatRow[]): Promise<(string | undefined)[]>;
  /** Lets all who hear the news of this scope (drain-lock.ts) know that something lies here. */
  tell(): Promise<void>;
  /** The next rows after `after` ('0': from the first), in order: no more once their reports have so many bytes. */
  page(o: {
    after: string;
    limit: number;
    bytes?: number;
    /** None of these sources, each "namespace/name". */
    without: readonly string[];
    /** Only those that are marked so. */
    firsts?: boolean;
  }): Promise<StoredRow[]>;
  /** Takes rows away, on the strength of the drain lock that the backend `holder` has. @returns false when it has it no more; then nothing went. */
  remove(ids: readonly string[], holder: number): Promise<boolean>;
  /** Puts rows aside, each with its reason. Likewise. */
  setAside(rows: readonly { id: string; reason: string }[], holder: number): Promise<boolean>;
  depth(): Promise<InboxDepth>;
  /** Fingerprints of the rows that wait; undefined when that is more than `most` rows. */
  waiting(most: number): Promise<string[] | undefined>;
  /** Microseconds since 1970 by the clock of Postgres, which all replicas share. */
  now(): Promise<bigint>;
}

/** A server that answers before a commit is on disk is told to wait: somebody is answered 2xx on the strength of it. */
const DURABLE = `(SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) ELSE '' END) IS NOT NULL`;
/** A row that comes back after a crash is drained again, which changes nothing: no need to wait for the disk. */
const LAZY = `(SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL`;

// One text a column, a line a row: no array to build and to escape on one side, and to take apart on the other.
const APPEND = `
INSERT INTO inbox (scope, namespace, source, fingerprint, demo, received_at, reports, is_first)
SELECT $1, r.namespace, r.source, r.fingerprint, r.demo::boolean, r.received_at::timestamptz, r.reports::json, r.is_first::boolean
FROM unnest(string_to_array($2, E'\\n'), string_to_array($3, E'\\n'), string_to_array($4, E'\\n'), string_to_array($5, E'\\n'),
            string_to_array($6, E'\\n'), string_to_array($7, E'\\n'), string_to_array($8, E'\\n'))
  WITH ORDINALITY AS r(namespace, source, fingerprint, demo, received_at, reports, is_first, place)
WHERE ${DURABLE}
ORDER BY r.place`;
/** As the first migration of the inbox has it. */
const APPEND_UNMARKED = `
INSERT INTO inbox (scope, namespace, source, fingerprint, demo, received_at, reports)
SELECT $1, r.namespace, r.source, r.fingerprint, r.demo::boolean, r.received_at::timestamptz, r.reports::json
FROM unnest(string_to_array($2, E'\\n'), string_to_array($3, E'\\n'), string_to_array($4, E'\\n'), string_to_array($5, E'\\n'),
            string_to_array($6, E'\\n'), string_to_array($7, E'\\n'))
  WITH ORDINALITY AS r(namespace, source, fingerprint, demo, received_at, reports, place)
WHERE ${DURABLE}
ORDER BY r.place`;
// Behind all that came since: in the place of the older one it would be drained before that. Who puts something there never waits for who drains.
const RENEW = `
WITH r AS (
  SELECT r.namespace, r.source, r.fingerprint, r.demo::boolean AS demo, r.received_at::timestamptz AS received_at, r.reports::json AS reports,
         r.is_first::boolean AS is_first, nullif(r.instead, '')::bigint AS instead, r.place
  FROM unnest(string_to_array($2, E'\\n'), string_to_array($3, E'\\n'), string_to_array($4, E'\\n'), string_to_array($5, E'\\n'),
              string_to_array($6, E'\\n'), string_to_array($7, E'\\n'), string_to_array($8, E'\\n'), string_to_array($9, E'\\n'))
    WITH ORDINALITY AS r(namespace, source, fingerprint, demo, received_at, reports, is_first, instead, place)
  WHERE ${DURABLE}),
gone AS (
  DELETE FROM inbox WHERE scope = $1 AND id IN (
    SELECT i.id FROM inbox i JOIN r ON i.id = r.instead AND i.fingerprint = r.fingerprint WHERE i.scope = $1 FOR UPDATE OF i SKIP LOCKED)
  RETURNING id, is_first)
INSERT INTO inbox (scope, namespace, source, fingerprint, demo, received_at, reports, is_first)
SELECT $1, namespace, source, fingerprint, demo, received_at, reports, r.is_first OR coalesce(gone.is_first, false)
FROM r LEFT JOIN gone ON gone.id = r.instead
ORDER BY place
RETURNING id::text AS id, namespace, source, fingerprint`;
const pageOf = (which: string): string => `
SELECT id::text AS id, namespace, source, fingerprint, demo, reports,
       to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "receivedAt"
FROM (SELECT *, sum(octet_length(reports)) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM (SELECT id, namespace, source, fingerprint, demo, reports::text AS reports, received_at
            FROM inbox WHERE scope = $1 AND id > $2::bigint AND namespace || '/' || source <> ALL ($4::text[])${which}
            ORDER BY inbox.id LIMIT $3) AS next) AS counted
WHERE before IS NULL OR $5::bigint IS NULL OR before < $5::bigint
ORDER BY counted.id`;
const PAGE = pageOf('');
const FIRSTS = pageOf(' AND is_first');
const REMOVE = `DELETE FROM inbox WHERE scope = $1 AND id = ANY ($2::bigint[]) AND ${LAZY} AND ${HOLDS_LOCK('$1', '$3')}`;
const SET_ASIDE = `
WITH why AS (SELECT * FROM unnest($2::bigint[], $4::text[]) AS r(id, reason)),
gone AS (
  DELETE FROM inbox i USING why w WHERE i.scope = $1 AND i.id = w.id AND ${HOLDS_LOCK('$1', '$3')}
  RETURNING i.scope, i.id, i.namespace, i.source, i.fingerprint, i.demo, i.received_at, i.reports, w.reason)
INSERT INTO inbox_set_aside (scope, id, namespace, source, fingerprint, demo, received_at, reports, reason)
SELECT * FROM gone WHERE ${DURABLE}
ON CONFLICT (scope, id) DO UPDATE SET reason = excluded.reason`;
const STILL_HOLDS = `SELECT ${HOLDS_LOCK('$1', '$2')} AS held`;
const DEPTH = `
SELECT (SELECT count(*) FROM (SELECT FROM inbox WHERE scope = $1 LIMIT ${INBOX_ROWS_COUNTED}) AS rows)::float8 AS rows,
       (SELECT count(*) FROM inbox_set_aside WHERE scope = $1)::float8 AS "setAside",
       coalesce((SELECT extract(epoch FROM clock_timestamp() - received_at) * 1000 FROM inbox
                 WHERE scope = $1 ORDER BY id LIMIT 1), 0)::float8 AS "oldestAgeMs"`;
const WAITING = 'SELECT fingerprint FROM inbox WHERE scope = $1 LIMIT $2';
const NOW = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS micros`;

/**
 * `scope` names the cluster: rows of others in the same database are not seen. `hasFirsts`: whether migration `FIRSTS_MIGRATION` has run;
 * without it all goes on, but that no row is marked as the first of its kind.
 */
export function createInboxStore(o: {
  pool: pg.Pool;
  scope: string;
  hasFirsts?: () => boolean;
  /** Under which name others are told of what is put there. */
  self?: string;
}): InboxStore {
  const { pool, scope, self, hasFirsts = () => true } = o;
  const ask = <Row extends object>(text: string, values: unknown[], name?: string) =>
    withSession(pool, (session: Session) =>
      session.query<Row>(text, values, { timeoutMs: STATEMENT_MS, ...(name === undefined ? {} : { name }) }),
    );

  /** A statement that changed nothing either lost the lock, or found its rows gone already. */
  async function underLock(text: string, ids: readonly string[], holder: number, more: unknown[]): Promise<boolean> {
    if (ids.length === 0) return true;
    const { rowCount } = await ask(text, [scope, ids, holder, ...more]);
    if (rowCount > 0) return true;
    const { rows } = await ask<{ held: boolean }>(STILL_HOLDS, [scope, holder]);
    return rows[0]?.held === true;
  }

  async function append(rows: readonly InboxRow[]): Promise<void> {
    if (hasFirsts()) await ask(APPEND, [...valuesOf(scope, rows), firstsOf(rows)], 'inbox-append');
    else await ask(APPEND_UNMARKED, valuesOf(scope, rows));
  }

  return {
    append,
    async renew(rows) {
      if (!hasFirsts()) {
        await append(rows);
        return [];
      }
      const instead = rows.map((row) => row.instead ?? '').join('\n');
      const { rows: added } = await ask<FaultKey & { id: string }>(RENEW, [
        ...valuesOf(scope, rows),
        firstsOf(rows),
        instead,
      ]);
      return idsOf(rows, added);
    },
    async tell() {
      await ask('SELECT pg_notify($1, $2)', [NEWS, newsOf(scope, self)]);
    },
    page: async ({ after, limit, bytes, without, firsts }) => {
      if (firsts && !hasFirsts()) return [];
      const values = [scope, after, limit, without, bytes ?? null];
      return (await ask<StoredRow>(firsts ? FIRSTS : PAGE, values)).rows;
    },
    remove: (ids, holder) => underLock(REMOVE, ids, holder, []),
    setAside: (rows, holder) =>
      underLock(
        SET_ASIDE,
        rows.map(({ id }) => id),
        holder,
        [rows.map(({ reason }) => cut(storableText(reason), REASON_BYTES))],
      ),
    async depth() {
      const { rows } = await ask<InboxDepth>(DEPTH, [scope]);
      return rows[0] ?? { rows: 0, oldestAgeMs: 0, setAside: 0 };
    },
    async waiting(most) {
      const { rows } = await ask<{ fingerprint: string }>(WAITING, [scope, most + 1]);
      return rows.length > most ? undefined : rows.map(({ fingerprint }) => fingerprint);
    },
    async now() {
      const { rows } = await ask<{ micros: string }>(NOW, []);
      return BigInt(rows[0]?.micros ?? '0');
    },
  };
}

/** One text a column, a line a row. */
function valuesOf(scope: string, rows: readonly InboxRow[]): string[] {
  const column = (value: (row: InboxRow) => string) => rows.map(value).join('\n');
  return [
    scope,
    column((r) => r.namespace),
    column((r) => r.source),
    column((r) => r.fingerprint),
    column((r) => (r.demo ? 't' : 'f')),
    column((r) => r.receivedAt),
    column((r) => r.reports),
  ];
}
const firstsOf = (rows: readonly InboxRow[]): string => rows.map((r) => (r.isFirst ? 't' : 'f')).join('\n');

/** The one row that was added of its fault. */
function idsOf(rows: readonly RepeatRow[], added: readonly (FaultKey & { id: string })[]): (string | undefined)[] {
  const byFault = Map.groupBy(added, faultKey);
  return rows.map((row) => {
    const own = byFault.get(faultKey(row)) ?? [];
    return own.length === 1 ? own[0]?.id : undefined;
  });
}

/** As much of it as has so many bytes in UTF-8; never half a character. */
function cut(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}

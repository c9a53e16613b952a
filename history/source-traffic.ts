/** What came to each AlertSource, kept for all replicas of the webhook: counts are added to, refused bodies replaced by newer ones of the same words. */
import type pg from 'pg';
import { inTransaction, withSession } from './connection.ts';
import { storableText } from './rows.ts';
import { iso } from './sql.ts';

/** Rows of one statement at most. */
export const TRAFFIC_ROWS_PER_WRITE = 2_000;
/** Rows that one reading takes; sources beyond it are not shown. */
export const TRAFFIC_ROWS_READ = 20_000;

export interface TrafficRow {
  namespace: string;
  source: string;
  /** RFC 3339; the start of the bucket. */
  startsAt: string;
  outcome: string;
  bodies: number;
  alerts: number;
  stored: number;
}
export interface RejectionRow {
  namespace: string;
  source: string;
  reason: string;
  message: string;
  status: number;
  isKnown: boolean;
  count: number;
  firstAt: string;
  lastAt: string;
  path: string;
  contentType?: string;
  userAgent?: string;
  body?: string;
}

/** All throw HistoryUnavailable; what was to be added may then have been added all the same. */
export interface SourceTrafficStore {
  /** Each key at most once in `rows`, at most `TRAFFIC_ROWS_PER_WRITE` of them. */
  add(rows: readonly TrafficRow[]): Promise<void>;
  /** Each key at most once; of each source the newest `most.known` and `most.strangers` stay. */
  reject(rows: readonly RejectionRow[], most: { known: number; strangers: number }): Promise<void>;
  /** The sums from `since` on, as rows that start there, but for the buckets from `recent` on: these as they are. */
  read(since: string, recent: string): Promise<TrafficRow[]>;
  rejectionsOf(namespace: string, source: string): Promise<RejectionRow[]>;
  /** Deletes counts that start before the one time, and refused bodies last seen before the other. */
  prune(countsBefore: string, rejectionsBefore: string): Promise<void>;
}

// In the order of the key: two replicas that add the same rows must not wait for each other in a circle.
const ADD = `
INSERT INTO source_traffic AS t (scope, namespace, source, starts_at, outcome, bodies, alerts, stored)
SELECT $1, r.* FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[])
  AS r(namespace, source, starts_at, outcome, bodies, alerts, stored)
ORDER BY namespace, source, starts_at, outcome
ON CONFLICT (scope, namespace, source, starts_at, outcome) DO UPDATE
  SET bodies = t.bodies + excluded.bodies, alerts = t.alerts + excluded.alerts, stored = t.stored + excluded.stored`;

const REJECTION_NAMES =
  'namespace, source, reason, message, status, known, count, first_at, last_at, path, content_type, user_agent, body';
const REJECTION =
  'namespace text, source text, reason text, message text, status integer, known boolean, count bigint, first_at timestamptz, last_at timestamptz, path text, content_type text, user_agent text, body text';
const newest = (column: string): string =>
  `CASE WHEN excluded.last_at >= t.last_at THEN coalesce(excluded.${column}, t.${column}) ELSE t.${column} END`;
const REJECT = `
INSERT INTO source_rejections AS t (scope, ${REJECTION_NAMES})
SELECT $1, ${REJECTION_NAMES} FROM json_to_recordset($2::json) AS r(${REJECTION})
ORDER BY namespace, source, reason, message
ON CONFLICT (scope, namespace, source, reason, message) DO UPDATE SET
  count = t.count + excluded.count,
  first_at = least(t.first_at, excluded.first_at),
  last_at = greatest(t.last_at, excluded.last_at),
  known = t.known OR excluded.known,
  status = excluded.status,
  path = ${newest('path')},
  content_type = ${newest('content_type')},
  user_agent = ${newest('user_agent')},
  body = ${newest('body')}`;
const EVICT = `
DELETE FROM source_rejections d USING (
  SELECT namespace, source, reason, message, known,
    row_number() OVER (PARTITION BY namespace, source, known ORDER BY last_at DESC, reason, message) AS place
  FROM source_rejections
  WHERE scope = $1 AND (namespace, source) IN (SELECT DISTINCT r.namespace, r.source FROM json_to_recordset($2::json) AS r(${REJECTION}))
) o
WHERE d.scope = $1 AND (d.namespace, d.source, d.reason, d.message) = (o.namespace, o.source, o.reason, o.message)
  AND o.place > CASE WHEN o.known THEN $3::integer ELSE $4::integer END`;

const READ = `
SELECT namespace, source, outcome, sum(bodies)::float8 AS bodies, sum(alerts)::float8 AS alerts, sum(stored)::float8 AS stored,
  ${iso('starts_at', '"startsAt"')}
FROM (
  SELECT namespace, source, outcome, bodies, alerts, stored,
    CASE WHEN starts_at >= $3::timestamptz THEN starts_at ELSE $2::timestamptz END AS starts_at
  FROM source_traffic WHERE scope = $1 AND starts_at >= $2::timestamptz
) t
GROUP BY namespace, source, outcome, starts_at
ORDER BY namespace, source
LIMIT ${TRAFFIC_ROWS_READ}`;
const REJECTIONS_OF = `
SELECT namespace, source, reason, message, status, known AS "isKnown", count::float8 AS count,
  ${iso('first_at', '"firstAt"')}, ${iso('last_at', '"lastAt"')},
  path, content_type AS "contentType", user_agent AS "userAgent", body
FROM source_rejections WHERE scope = $1 AND namespace = $2 AND source = $3 ORDER BY last_at DESC LIMIT 100`;

/** `scope`: whose sources they are; empty where nothing tells this cluster from others. */
export function createSourceTrafficStore({ pool, scope }: { pool: pg.Pool; scope: string }): SourceTrafficStore {
  return {
    add: (rows) =>
      inTransaction(pool, async (session) => {
        const column = <K extends keyof TrafficRow>(name: K) => rows.map((row) => row[name]);
        await session.query(ADD, [
          scope,
          column('namespace'),
          column('source'),
          column('startsAt'),
          column('outcome'),
          column('bodies'),
          column('alerts'),
          column('stored'),
        ]);
      }),
    reject: (rows, most) =>
      inTransaction(pool, async (session) => {
        const json = JSON.stringify(rows.map(storedForm));
        await session.query(REJECT, [scope, json]);
        await session.query(EVICT, [scope, json, most.known, most.strangers]);
      }),
    read: (since, recent) =>
      withSession(pool, async (session) => (await session.query<TrafficRow>(READ, [scope, since, recent])).rows),
    rejectionsOf: (namespace, source) =>
      withSession(pool, async (session) => {
        const { rows } = await session.query<RejectionRow>(REJECTIONS_OF, [scope, namespace, source]);
        return rows.map(withoutNulls);
      }),
    prune: (countsBefore, rejectionsBefore) =>
      withSession(pool, async (session) => {
        await session.query('DELETE FROM source_traffic WHERE starts_at < $1::timestamptz', [countsBefore]);
        await session.query('DELETE FROM source_rejections WHERE last_at < $1::timestamptz', [rejectionsBefore]);
      }),
  };
}

function storedForm({ isKnown, firstAt, lastAt, contentType, userAgent, ...row }: RejectionRow): object {
  const all = {
    ...row,
    known: isKnown,
    first_at: firstAt,
    last_at: lastAt,
    content_type: contentType,
    user_agent: userAgent,
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, typeof value === 'string' ? storableText(value) : value]),
  );
}

const withoutNulls = (row: RejectionRow): RejectionRow =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as RejectionRow;

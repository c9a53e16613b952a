/**
 * History by month: makes the tables of the months to come, and drops what is older than it is to be kept. Nothing goes that is
 * still in the cluster, nor a story of which anything is; each call does a bounded piece of it.
 */
import type pg from 'pg';
import type { Temporal } from 'temporal-polyfill';
import { inTransaction, type Session } from './connection.ts';
import { HistoryRefused, HistoryUnavailable } from './errors.ts';
import type { Fence } from './fence.ts';
import type { Log } from './log.ts';
import { migrate } from './migrate.ts';
import { microsOf } from './rows.ts';

/** Months that are made ahead of the present one. */
export const MONTHS_AHEAD = 3;
/** Months that one call drops, and rows that it deletes from months that cannot be dropped whole, at most. */
export const MONTHS_PER_UPKEEP = 3;
export const ROWS_PER_UPKEEP = 20_000;
const ROWS_PER_STATEMENT = 5_000;
const NO_RIGHT = '42501';

/** Tables that lie in the same month, the one whose rows decide first; and when a row of it may go ($1: gone before). */
interface Family {
  tables: readonly [decides: string, follows: string];
  isGone: string;
  key: string;
  followKey: string;
  /** Column of the deciding row by which the rows that follow it are found. */
  reference: string;
}
const FAMILIES: readonly Family[] = [
  {
    tables: ['alerts', 'alert_episodes'],
    key: 'uid',
    reference: 'uid',
    followKey: 'alert_uid',
    isGone: `t.deleted_at < $1::timestamptz AND NOT EXISTS (
      SELECT FROM alert_episodes e JOIN incidents i ON i.uid = e.incident_uid WHERE e.alert_uid = t.uid AND i.deleted_at IS NULL)`,
  },
  {
    tables: ['incidents', 'incident_changes'],
    key: 'uid',
    reference: 'origin_uid',
    followKey: 'incident_uid',
    isGone: `t.deleted_at < $1::timestamptz AND NOT EXISTS (
      SELECT FROM incidents n WHERE n.origin_uid = t.origin_uid AND (n.deleted_at IS NULL OR n.deleted_at >= $1::timestamptz))`,
  },
];

export interface Upkeep {
  made: string[];
  dropped: string[];
  deleted: number;
}

/** @param keepMs how long what left the cluster is kept; absent: for ever. */
export async function keepMonths(
  fence: Fence,
  log: Log,
  { now, keepMs }: { now: Temporal.Instant; keepMs?: number | undefined },
): Promise<Upkeep> {
  const done: Upkeep = { made: await makeMonths(fence, log, now), dropped: [], deleted: 0 };
  if (keepMs === undefined) return done;
  const cutoff = now.subtract({ milliseconds: keepMs });
  try {
    for (const family of FAMILIES) {
      await dropMonths(fence, family, cutoff, done);
      await deleteRows(fence, family, cutoff, done);
    }
    done.deleted += await deleteEvents(fence, cutoff);
    done.deleted += await deleteFolded(fence, cutoff);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    log.warn({ why: error.message }, 'history may not forget: the role has to own the tables');
  }
  return done;
}

/** Makes the tables, and the present month's and the next ones' before anything is written into them. For one process at a time. */
export async function prepareHistory(pool: pg.Pool, log: Log, now: Temporal.Instant): Promise<void> {
  await migrate(pool, log);
  await makeMonths({ write: (work) => inTransaction(pool, (session) => work(session, 0)) }, log, now);
}

async function makeMonths(fence: Pick<Fence, 'write'>, log: Log, now: Temporal.Instant): Promise<string[]> {
  const made: string[] = [];
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead += 1) {
    const month = monthOf(now).add({ months: ahead });
    for (const table of FAMILIES.flatMap(({ tables }) => tables))
      if (await make(fence, log, table, month)) made.push(nameOf(table, month));
  }
  return made;
}

const isForbidden = (error: unknown): error is HistoryUnavailable =>
  error instanceof HistoryUnavailable && error.code === NO_RIGHT;

const monthOf = (instant: Temporal.Instant): Temporal.PlainYearMonth =>
  instant.toZonedDateTimeISO('UTC').toPlainDate().toPlainYearMonth();
const nameOf = (table: string, month: Temporal.PlainYearMonth): string =>
  `${table}_${month.toString().replace('-', '_')}`;
const startOf = (month: Temporal.PlainYearMonth): string => `${month.toString()}-01T00:00:00Z`;

/** True when it was made now. That it cannot be is said: its rows then lie with those of no month, and nothing is lost. */
async function make(
  fence: Pick<Fence, 'write'>,
  log: Log,
  table: string,
  month: Temporal.PlainYearMonth,
): Promise<boolean> {
  const name = nameOf(table, month);
  try {
    return await fence.write(async (session) => {
      if (await isThere(session, name)) return false;
      await session.query(
        `CREATE TABLE ${name} PARTITION OF ${table} FOR VALUES FROM ('${startOf(month)}') TO ('${startOf(month.add({ months: 1 }))}')`,
      );
      return true;
    });
  } catch (error) {
    if (!isForbidden(error) && !(error instanceof HistoryRefused)) throw error;
    log.warn({ table: name, why: error.message }, 'this month of history has no table of its own');
    return false;
  }
}

async function isThere(session: Session, name: string): Promise<boolean> {
  const found = await session.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [name]);
  return found.rows[0]?.there === true;
}

/** Months that ended before `cutoff` and of which everything may go are dropped whole, oldest first. */
async function dropMonths(fence: Fence, family: Family, cutoff: Temporal.Instant, done: Upkeep): Promise<void> {
  const [decides, follows] = family.tables;
  const before = nameOf(decides, monthOf(cutoff));
  const months = await fence.write(async (session) => {
    const { rows } = await session.query<{ name: string }>(
      `SELECT c.relname::text AS name FROM pg_inherits p JOIN pg_class c ON c.oid = p.inhrelid
       WHERE p.inhparent = to_regclass($1) AND c.relname ~ $2 AND c.relname < $3 ORDER BY 1`,
      [decides, `^${decides}_[0-9]{4}_[0-9]{2}$`, before],
    );
    return rows.map(({ name }) => name);
  });
  let dropped = 0;
  for (const name of months) {
    if (dropped >= MONTHS_PER_UPKEEP) return;
    const companion = name.replace(decides, follows);
    const isDropped = await fence.write(async (session) => {
      const kept = await session.query(`SELECT FROM ${name} t WHERE NOT coalesce(${family.isGone}, false) LIMIT 1`, [
        microsOf(cutoff),
      ]);
      if (kept.rowCount > 0) return false;
      await session.query(`DROP TABLE IF EXISTS ${name}, ${companion}`);
      return true;
    });
    if (!isDropped) continue;
    dropped += 1;
    done.dropped.push(name, companion);
  }
}

/** Of objects that are no longer in history at all. */
async function deleteEvents(fence: Fence, cutoff: Temporal.Instant): Promise<number> {
  return fence.write(async (session) => {
    const deleted = await session.query(
      `DELETE FROM object_events WHERE (object_uid, reason, note) IN (
         SELECT e.object_uid, e.reason, e.note FROM object_events e
         WHERE e.last_at < $1::timestamptz AND NOT EXISTS (SELECT FROM incidents i WHERE i.uid = e.object_uid)
           AND NOT EXISTS (SELECT FROM alerts a WHERE a.uid = e.object_uid)
         LIMIT ${ROWS_PER_STATEMENT})`,
      [microsOf(cutoff)],
    );
    return deleted.rowCount;
  });
}

/** Alerts that were folded in a storm, have ended or become Alerts of their own, and were last heard of before. */
async function deleteFolded(fence: Fence, cutoff: Temporal.Instant): Promise<number> {
  return fence.write(async (session) => {
    const deleted = await session.query(
      `DELETE FROM folded_alerts WHERE (scope, namespace, source, fingerprint) IN (
         SELECT f.scope, f.namespace, f.source, f.fingerprint FROM folded_alerts f
         WHERE (f.state <> 'Firing' OR f.left_at IS NOT NULL) AND f.received_at < $1::timestamptz LIMIT ${ROWS_PER_STATEMENT})`,
      [microsOf(cutoff)],
    );
    return deleted.rowCount;
  });
}

/** Of older months that something keeps, and of rows of no month, what may go is deleted row by row. */
async function deleteRows(fence: Fence, family: Family, cutoff: Temporal.Instant, done: Upkeep): Promise<void> {
  const [decides, follows] = family.tables;
  const { key, reference, followKey, isGone } = family;
  for (let rows = 0; rows < ROWS_PER_UPKEEP; rows += ROWS_PER_STATEMENT) {
    const deleted = await fence.write(async (session) => {
      const result = await session.query(
        `WITH gone AS (
           SELECT t.${key}, t.created_at, t.${reference} AS reference FROM ${decides} t
           WHERE t.created_at < $2::timestamptz AND ${isGone} LIMIT ${ROWS_PER_STATEMENT}
         ), followed AS (DELETE FROM ${follows} f USING gone WHERE f.${followKey} = gone.reference)
         DELETE FROM ${decides} d USING gone WHERE d.${key} = gone.${key} AND d.created_at = gone.created_at`,
        [microsOf(cutoff), startOf(monthOf(cutoff))],
      );
      return result.rowCount;
    });
    done.deleted += deleted;
    if (deleted < ROWS_PER_STATEMENT) return;
  }
}

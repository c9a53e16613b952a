/**
 * Brings the database to this program's schema: the numbered files of history/migrations, each once and in a transaction,
 * under an advisory lock that is held for the whole run. Going back is not offered.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import { type Session, withSession } from './connection.ts';
import { HistoryRefused, HistorySchemaError, HistoryUnavailable } from './errors.ts';
import type { Log } from './log.ts';

/** Any number will do, as long as every version of this program uses the same one. */
const LOCK_KEY = 7_142_019_001;
const LOCK_WAIT_MS = 60_000;
/** One migration may take this long; the client gives up a little later. */
const STATEMENT_TIMEOUT_MS = 300_000;
const CLIENT_GRACE_MS = 5_000;
const FOLDER = new URL('./migrations/', import.meta.url);

export interface Migration {
  version: number;
  name: string;
  sql: string;
  checksum: string;
}

/** The migrations that this program carries, in order. @throws {HistorySchemaError} when their numbers have a gap. */
export async function readMigrations(folder: URL = FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(name.slice(0, 4));
      if (version !== index + 1)
        throw new HistorySchemaError(
          `migrations are numbered from 0001 without a gap; expected ${index + 1}, found ${name}`,
        );
      const sql = await readFile(new URL(name, folder), 'utf8');
      // Git may have checked the file out with other line ends.
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
      return { version, name, sql, checksum };
    }),
  );
}

export interface MigrateOptions {
  /** How long to wait for another process that migrates. */
  lockWaitMs?: number;
  migrations?: Migration[];
}

/**
 * Applies what is missing; several processes may call it at once: one works, the others wait and find it done.
 * @throws {HistorySchemaError} when the schema is newer than this program, or was changed by hand.
 * @throws {HistoryUnavailable} when Postgres is away or the lock was not to be had in time.
 */
export async function migrate(pool: pg.Pool, log: Log, o: MigrateOptions = {}): Promise<void> {
  const migrations = o.migrations ?? (await readMigrations());
  await withSession(pool, async (session) => {
    await lock(session, o.lockWaitMs ?? LOCK_WAIT_MS);
    try {
      const applied = await appliedVersions(session);
      verify(migrations, applied);
      for (const migration of migrations) {
        if (applied.has(migration.version)) continue;
        await apply(session, migration);
        log.info({ migration: migration.name }, 'migrated the history database');
      }
    } finally {
      await unlock(session);
    }
  });
}

async function lock(session: Session, waitMs: number): Promise<void> {
  await session.query(`SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
  await session.query(`SET lock_timeout = ${Math.max(1, Math.trunc(waitMs))}`);
  try {
    await session.query('SELECT pg_advisory_lock($1)', [LOCK_KEY], { timeoutMs: waitMs + CLIENT_GRACE_MS });
  } catch (error) {
    if (error instanceof HistoryUnavailable && error.code === '55P03')
      throw new HistoryUnavailable(
        `another process has been migrating the history database for ${waitMs} ms; its connection holds advisory lock ${LOCK_KEY} (see pg_locks)`,
        error.code,
      );
    throw error;
  }
}

async function unlock(session: Session): Promise<void> {
  try {
    await session.query('SELECT pg_advisory_unlock($1)', [LOCK_KEY]);
    await session.query('RESET statement_timeout; RESET lock_timeout');
  } catch {
    // The connection is gone, and the lock with it.
  }
}

async function appliedVersions(session: Session): Promise<Map<number, { name: string; checksum: string }>> {
  // Looked up first: a role that may only read can check the schema, but not create what is there already.
  const there = await session.query<{ found: boolean }>(
    `SELECT to_regclass('funnelai_migrations') IS NOT NULL AS found`,
  );
  if (there.rows[0]?.found !== true)
    await session.query(`CREATE TABLE funnelai_migrations (
      version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const rows = await session.query<{ version: number; name: string; checksum: string }>(
    'SELECT version, name, checksum FROM funnelai_migrations ORDER BY version',
  );
  return new Map(rows.rows.map((row) => [row.version, { name: row.name, checksum: row.checksum }]));
}

function verify(migrations: Migration[], applied: Map<number, { name: string; checksum: string }>): void {
  const known = migrations.length;
  const newest = Math.max(0, ...applied.keys());
  if (newest > known)
    throw new HistorySchemaError(
      `the history database has schema ${newest}, this program knows up to ${known}: a newer funnelAI has used it. Run that version, or name another database`,
    );
  for (const migration of migrations) {
    const found = applied.get(migration.version);
    if (found === undefined && migration.version <= newest)
      throw new HistorySchemaError(
        `the history database has schema ${newest} but lacks migration ${migration.name}: table funnelai_migrations was changed by hand`,
      );
    if (found !== undefined && found.checksum !== migration.checksum)
      throw new HistorySchemaError(
        `migration ${migration.version} was applied to the history database as ${found.name} with other content than ${migration.name} of this program: a migration must not change once it was applied`,
      );
  }
}

async function apply(session: Session, migration: Migration): Promise<void> {
  const timeout = { timeoutMs: STATEMENT_TIMEOUT_MS + CLIENT_GRACE_MS };
  try {
    await session.query('BEGIN');
    await session.query(migration.sql, undefined, timeout);
    await session.query('INSERT INTO funnelai_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.checksum,
    ]);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => {});
    const why = error instanceof HistoryUnavailable ? error.code : undefined;
    // Class 42: the statement and what is in the database do not fit, most often a table of the same name.
    if (error instanceof HistoryRefused || why?.startsWith('42'))
      throw new HistorySchemaError(
        `migration ${migration.name} failed and was rolled back: ${(error as Error).message}`,
      );
    throw error;
  }
}

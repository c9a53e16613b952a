/** Which of its migrations a database has, and which this program knows: read only, for who does not migrate itself. */
import type pg from 'pg';
import { withSession } from './connection.ts';
import { HistoryUnavailable, NO_TABLE } from './errors.ts';
import { readMigrations } from './migrate.ts';

export interface Schema {
  /** Number of the newest migration that the database has; 0 when it has none. */
  found: number;
  /** Number of the newest one that this program knows. */
  known: number;
}

/** @throws {HistoryUnavailable} also where the role may not read the table of migrations. */
export async function schemaOf(pool: pg.Pool): Promise<Schema> {
  known ??= (await readMigrations()).length;
  const found = await newestIn(pool);
  return { found, known };
}

/** Does not change while the program runs, which may ask every few seconds. */
let known: number | undefined;

async function newestIn(pool: pg.Pool): Promise<number> {
  try {
    const { rows } = await withSession(pool, (session) =>
      session.query<{ found: number | null }>('SELECT max(version) AS found FROM funnelai_migrations'),
    );
    return rows[0]?.found ?? 0;
  } catch (error) {
    if (error instanceof HistoryUnavailable && error.code === NO_TABLE) return 0;
    throw error;
  }
}

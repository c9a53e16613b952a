/** A new database, without any table, for each test of a file. */
import { createPool } from '@funnelai/history/pool';
import type pg from 'pg';
import { afterEach, beforeEach, inject } from 'vitest';
import { createDatabase } from './database.ts';

export interface OwnDatabase {
  /** Of the test that runs. */
  readonly pool: pg.Pool;
  readonly url: string;
}

/** To be called once, before the hooks of the file that use it. */
export function databasePerTest(): OwnDatabase {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let pool: pg.Pool;
  beforeEach(async () => {
    database = await createDatabase(inject('databaseUrl'));
    pool = createPool(database.url);
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });
  return {
    get pool() {
      return pool;
    },
    get url() {
      return database.url;
    },
  };
}

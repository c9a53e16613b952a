/** Databases of a file of tests: one for each of its tests, or one for all of them. */
import { silentLog } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import { createDatabase } from './database.ts';

export interface OwnDatabase {
  /** Of the test, or the file, that runs. */
  readonly pool: pg.Pool;
  readonly url: string;
}

/** A new one for each test, without any table unless `migrated`. To be called once, before the hooks of the file that use it. */
export function databasePerTest(o: { migrated?: true } = {}): OwnDatabase {
  const own = createOwn();
  beforeEach(o.migrated === true ? own.openMigrated : own.open);
  afterEach(own.close);
  return own;
}

/** A new one with all tables. To be called once, before the hooks of the file that use it. */
export function databasePerFile(): OwnDatabase {
  const own = createOwn();
  beforeAll(own.openMigrated);
  afterAll(own.close);
  return own;
}

function createOwn() {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let pool: pg.Pool;
  async function open(): Promise<void> {
    database = await createDatabase(inject('databaseUrl'));
    pool = createPool(database.url);
  }
  return {
    get pool() {
      return pool;
    },
    get url() {
      return database.url;
    },
    open,
    async openMigrated(): Promise<void> {
      await open();
      await migrate(pool, silentLog);
    },
    async close(): Promise<void> {
      await pool.end();
      await database.drop();
    },
  };
}

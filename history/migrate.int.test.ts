import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { databasePerTest } from '@funnelai/test/harness/own-database';
import { describe, expect, it } from 'vitest';
import { silentLog } from './log.ts';
import { migrate, readMigrations } from './migrate.ts';
import { createPool } from './pool.ts';

const run = promisify(execFile);
const MIGRATE = `
  const { createPool } = await import(process.argv[1] + '/pool.ts');
  const { migrate } = await import(process.argv[1] + '/migrate.ts');
  const pool = createPool(process.argv[2]);
  await migrate(pool, { info: (_, message) => console.log(message), warn() {}, error() {} });
  await pool.end();`;

const own = databasePerTest();
const versions = async () =>
  (await own.pool.query<{ version: number }>('SELECT version FROM funnelai_migrations ORDER BY 1')).rows.map(
    (row) => row.version,
  );

describe('migrations', () => {
  it('run once when several processes start at the same time', async () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const args = ['--input-type=module', '-e', MIGRATE, folder, own.url];
    const outputs = await Promise.all([1, 2, 3].map(() => run(process.execPath, args)));
    const known = await readMigrations();
    expect(await versions()).toEqual(known.map((migration) => migration.version));
    const said = outputs.map((output) => output.stdout.split('\n').filter((line) => line.includes('migrated')).length);
    expect(said.sort()).toEqual([0, 0, known.length]);
  });

  it('refuse a schema that is newer than the program, and say what to do', async () => {
    await migrate(own.pool, silentLog);
    await own.pool.query(
      `INSERT INTO funnelai_migrations (version, name, checksum) VALUES (99, '0099-future.sql', '')`,
    );
    await expect(migrate(own.pool, silentLog)).rejects.toMatchObject({
      name: 'HistorySchemaError',
      message: expect.stringMatching(/has schema 99, this program knows up to \d+: a newer funnelAI has used it/),
    });
  });

  it('refuse a migration that was changed after it was applied', async () => {
    await migrate(own.pool, silentLog);
    const edited = (await readMigrations()).map((one) => (one.version === 2 ? { ...one, checksum: 'other' } : one));
    await expect(migrate(own.pool, silentLog, { migrations: edited })).rejects.toThrow(
      'must not change once it was applied',
    );
  });

  it('leave nothing of one that fails, and name what stood in the way', async () => {
    await own.pool.query('CREATE TABLE alerts (mine text)');
    await expect(migrate(own.pool, silentLog)).rejects.toThrow(
      /0002-alerts.sql failed and was rolled back: .*"alerts" already exists/,
    );
    expect(await versions()).toEqual([1]);
    await own.pool.query('DROP TABLE alerts');
    await migrate(own.pool, silentLog);
    expect(await versions()).toEqual((await readMigrations()).map(({ version }) => version));
  });

  it('wait for another process, but not for ever', async () => {
    const other = await own.pool.connect();
    try {
      await other.query('SELECT pg_advisory_lock(7142019001)');
      await expect(migrate(own.pool, silentLog, { lockWaitMs: 200 })).rejects.toMatchObject({
        name: 'HistoryUnavailable',
        message: expect.stringContaining('another process has been migrating'),
      });
    } finally {
      other.release(true);
    }
    await migrate(own.pool, silentLog);
  });

  it('need no more than reading once all is applied', async () => {
    await migrate(own.pool, silentLog);
    const role = `reader_${own.url.split('test_')[1]}`;
    await own.pool.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'reads'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    const url = new URL(own.url);
    url.username = role;
    url.password = 'reads';
    const reader = createPool(url.href);
    try {
      await migrate(reader, silentLog);
      await expect(reader.query('DELETE FROM incidents')).rejects.toThrow('permission denied');
    } finally {
      await reader.end();
      await own.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgres } from '@funnelai/dev/postgres/binaries';
import { createPostgres, makeDataDirectory, type PostgresServer, wipePostgres } from '@funnelai/dev/postgres/server';
import type { Running } from '@funnelai/dev/process/child';
import { anyFreePorts } from '@funnelai/dev/process/ports';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { anAlert, anIncident, changes } from './builders.ts';
import { HistoryUnavailable } from './errors.ts';
import { silentLog } from './log.ts';
import { migrate } from './migrate.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { createPool } from './pool.ts';
import { createQueries } from './queries.ts';

/** A Postgres of this file's own, as it is going to be killed. */
let directory: string;
let server: PostgresServer;
let running: Running;
let pool: pg.Pool;
let mirror: Mirror;
const clock = { now: () => Temporal.Instant.from('2026-03-02T00:00:00Z') };

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-history-'));
  makeDataDirectory(directory);
  const [port = 0] = await anyFreePorts(1);
  const binaries = await findPostgres(() => {});
  server = await createPostgres({ binaries, directory, logs: directory, port, fsync: true });
  running = await server.start();
  pool = createPool(server.url, { connectTimeoutMs: 2_000, log: silentLog });
  await migrate(pool, silentLog);
  mirror = createMirror({ pool, clock, log: silentLog });
});
afterAll(async () => {
  await pool.end();
  await running.stop();
  wipePostgres(directory);
  rmSync(directory, { recursive: true, force: true });
});

const restart = async () => {
  await running.kill();
  running = await server.start();
};

describe('a Postgres that dies', () => {
  it('loses nothing and doubles nothing when it is killed in the middle, again and again', async () => {
    const incidents = Array.from({ length: 2_000 }, (_, n) =>
      anIncident({ uid: `i-${n}`, name: `i-${n}`, changes: changes(1, 6) }),
    );
    const alerts = Array.from({ length: 3_000 }, (_, n) => anAlert({ uid: `a-${n}`, incident: `i-${n % 2_000}` }));
    let cut = 0;
    let done = false;
    const write = async () => {
      while (!done) {
        try {
          await mirror.putIncidents(incidents);
          await mirror.putAlerts(alerts);
          done = true;
        } catch (error) {
          expect(error).toBeInstanceOf(HistoryUnavailable);
          cut += 1;
          await until('Postgres to answer', 30_000, () => pool.query('SELECT 1').then(() => true));
        }
      }
    };
    const writing = write();
    for (const rows of [100, 1_000]) {
      await until('some rows', 30_000, async () => {
        const found = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM incidents');
        return (found.rows[0]?.n ?? 0) >= rows || done;
      });
      await restart();
    }
    await writing;
    expect(cut).toBeGreaterThan(0);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*)::int FROM incidents) AS incidents, (SELECT count(*)::int FROM incident_changes) AS changes,
              (SELECT count(*)::int FROM alerts WHERE incident_uid IS NOT NULL) AS alerts,
              (SELECT count(*)::int FROM alert_episodes) AS episodes`,
    );
    expect(rows).toEqual([{ incidents: 2_000, changes: 12_000, alerts: 3_000, episodes: 3_000 }]);
  });

  it('is HistoryUnavailable to all who ask, at once, and the password is in no message', async () => {
    await running.kill();
    const password = new URL(server.url).password;
    const asked: (() => Promise<unknown>)[] = [
      () => mirror.putIncident(anIncident()),
      () => mirror.putAlerts([anAlert()]),
      () => mirror.markDeleted('Alert', 'a-1', '2026-03-01T10:00:00Z'),
      () => createQueries({ pool }).incidents({}),
      () => migrate(pool, silentLog),
    ];
    for (const ask of asked) {
      const error: unknown = await ask().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ name: 'HistoryUnavailable', transient: true });
      expect(JSON.stringify(error) + String(error)).not.toContain(password);
    }
    running = await server.start();
    await mirror.putIncident(anIncident());
  });

  it('does not end the process when it kills connections, borrowed ones and idle ones', async () => {
    const own = createPool(server.url, { log: silentLog });
    const unhandled = vi.fn();
    process.on('uncaughtException', unhandled);
    try {
      await Promise.all([own.query('SELECT 1'), own.query('SELECT 1')]);
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`,
      );
      await until('the idle connections to be gone', 10_000, () => own.totalCount === 0);
      const busy = createMirror({ pool: own, clock, log: silentLog }).putAlerts(
        Array.from({ length: 20_000 }, (_, n) => anAlert({ uid: `b-${n}` })),
      );
      const killed = until('a busy connection to kill', 30_000, async () => {
        const found = await pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%INSERT INTO alerts%' AND pid <> pg_backend_pid()`,
        );
        return (found.rowCount ?? 0) > 0;
      });
      await expect(busy).rejects.toMatchObject({ name: 'HistoryUnavailable' });
      await killed;
      expect(unhandled).not.toHaveBeenCalled();
      await own.query('SELECT 1');
    } finally {
      process.off('uncaughtException', unhandled);
      await own.end();
    }
  });

  it('that accepts and then says nothing is given up', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const own = createPool(`postgres://ana:geheim@127.0.0.1:${port}/history`, { connectTimeoutMs: 200 });
    try {
      await expect(createQueries({ pool: own }).changesOf('u')).rejects.toMatchObject({ name: 'HistoryUnavailable' });
    } finally {
      await own.end();
      mute.close();
    }
  });

  it('that falls silent in the middle of a transaction is given up once, not once for each statement', async () => {
    const target = new URL(server.url);
    const port = Number(target.port);
    const sockets: Socket[] = [];
    const proxy = createServer((inner) => {
      const outer = connect(port, '127.0.0.1');
      sockets.push(inner, outer);
      inner.pipe(outer).pipe(inner);
      for (const socket of [inner, outer]) socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    target.port = String(typeof address === 'object' && address !== null ? address.port : 0);
    const own = createPool(target.href, { statementTimeoutMs: 1_000 });
    const holder = await pool.connect();
    try {
      await own.query('SELECT 1');
      await holder.query('BEGIN; LOCK TABLE alerts');
      const blocked = createMirror({ pool: own, clock, log: silentLog }).putAlerts([anAlert({ uid: 'silent' })]);
      await until('the write to wait for the lock', 10_000, async () => {
        const waiting = await pool.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO alerts%'`,
        );
        return waiting.rowCount === 1;
      });
      for (const socket of sockets) socket.unpipe();
      const began = performance.now();
      await expect(blocked).rejects.toMatchObject({ name: 'HistoryUnavailable' });
      expect(performance.now() - began).toBeLessThan(9_000);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
      await own.end();
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });

  it('has no room left, or may not be written to: it is away, and what was given comes in once when that is over', async () => {
    const incident = anIncident({ uid: 'full', name: 'full', changes: changes(1, 3) });
    await pool.query(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`);
    await pool.query(
      'CREATE TRIGGER full_disk BEFORE INSERT ON incident_changes FOR EACH ROW EXECUTE FUNCTION no_room()',
    );
    const full = createMirror({ pool, clock, log: silentLog });
    await expect(full.putIncident(incident)).rejects.toMatchObject({ name: 'HistoryUnavailable', code: '53100' });
    await pool.query('DROP FUNCTION no_room CASCADE');

    const own = createPool(server.url, { size: 1 });
    const other = createMirror({ pool: own, clock, log: silentLog, namespace: 'other' });
    try {
      await other.putIncident(anIncident({ uid: 'before', name: 'before' }));
      const name = new URL(server.url).pathname.slice(1);
      await pool.query(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`);
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`,
      );
      await until('the writer to be refused', 10_000, () =>
        other.putIncident(incident).then(
          () => false,
          (error: HistoryUnavailable) => error.code === '25006',
        ),
      );
      // A connection that began while nothing could be written keeps that setting: it must not be used again.
      await pool.query(
        `BEGIN; SET TRANSACTION READ WRITE; ALTER DATABASE "${name}" RESET default_transaction_read_only; COMMIT`,
      );
      await other.putIncident(incident);
    } finally {
      await own.end();
    }
    expect(await createQueries({ pool }).changesOf('full')).toHaveLength(3);
  });

  it.each(['before Postgres has it', 'after Postgres has it'])(
    'cut in the middle of a COMMIT, %s: has the effect of once',
    async (when) => {
      const target = new URL(server.url);
      const port = Number(target.port);
      const uid = `commit ${when}`;
      let isArmed = false;
      let cuts = 0;
      const sockets: Socket[] = [];
      const proxy = createServer((inner) => {
        const outer = connect(port, '127.0.0.1');
        sockets.push(inner, outer);
        for (const socket of [inner, outer]) socket.on('error', () => socket.destroy());
        inner.on('data', (data) => {
          if (!isArmed || !data.includes('COMMIT\0')) return outer.write(data);
          isArmed = false;
          cuts += 1;
          if (when === 'before Postgres has it') outer.destroy();
          // The answer is on its way when nobody is there to hear it.
          else outer.write(data, () => outer.once('data', () => outer.destroy()));
          return inner.destroy();
        });
        outer.on('data', (data) => inner.writable && inner.write(data));
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const address = proxy.address();
      target.port = String(typeof address === 'object' && address !== null ? address.port : 0);
      const own = createPool(target.href);
      const cut = createMirror({ pool: own, clock, log: silentLog, namespace: uid });
      const incident = anIncident({ uid, name: uid, changes: changes(1, 3) });
      try {
        await cut.putIncident(anIncident({ uid: `${uid} 0`, name: `${uid} 0` }));
        isArmed = true;
        await expect(cut.putIncident(incident)).rejects.toMatchObject({ name: 'HistoryUnavailable' });
        expect(cuts).toBe(1);
        await until('Postgres to have decided', 10_000, async () => {
          const stored = await createQueries({ pool }).changesOf(uid);
          return stored.length === (when === 'before Postgres has it' ? 0 : 3);
        });
        expect(await cut.putIncident(incident)).toMatchObject({ mirroredSequence: 3 });
        expect((await createQueries({ pool }).changesOf(uid)).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
      } finally {
        await own.end();
        for (const socket of sockets) socket.destroy();
        proxy.close();
      }
    },
  );

  it('ends a statement that takes too long', async () => {
    const own = createPool(server.url, { statementTimeoutMs: 300 });
    const holder = await pool.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE alerts');
      const blocked = createMirror({ pool: own, clock, log: silentLog }).putAlerts([anAlert({ uid: 'blocked' })]);
      await expect(blocked).rejects.toMatchObject({
        name: 'HistoryUnavailable',
        code: expect.stringMatching(/55P03|57014/),
      });
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
      await own.end();
    }
  });
});

describe('a database without tables', () => {
  it('says who makes them', async () => {
    const url = new URL(server.url);
    url.pathname = '/template1';
    const own = createPool(url.href);
    try {
      await expect(createQueries({ pool: own }).changesOf('u')).rejects.toMatchObject({
        name: 'HistoryUnavailable',
        message: expect.stringContaining('the operator makes them'),
      });
    } finally {
      await own.end();
    }
  });
});

describe('the environment', () => {
  it('gives nothing to a connection: neither host nor user nor password nor settings', async () => {
    const url = new URL(server.url);
    const ambient = {
      PGHOST: '192.0.2.1',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGDATABASE: 'nothing',
      PGPASSWORD: decodeURIComponent(url.password),
      PGOPTIONS: '-c search_path=nowhere',
      PGAPPNAME: 'ambient',
      PGSSLMODE: 'require',
      PGSSLNEGOTIATION: 'direct',
      PGREPLICATION: 'database',
    };
    for (const [name, value] of Object.entries(ambient)) vi.stubEnv(name, value);
    const own = createPool(server.url);
    url.password = '';
    const bare = createPool(url.href);
    try {
      const { rows } = await own.query(
        `SELECT current_user::text AS "user", current_setting('application_name') AS app, current_setting('search_path') AS path`,
      );
      expect(rows).toMatchObject([{ user: url.username, app: 'funnelai', path: expect.stringContaining('public') }]);
      await expect(createQueries({ pool: bare }).changesOf('u')).rejects.toThrow(
        'the server asks for a password, the database URL has none',
      );
    } finally {
      vi.unstubAllEnvs();
      await own.end();
      await bare.end();
    }
  });
});

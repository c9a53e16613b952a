/** A standby of Postgres that was promoted without the last that had been written, in an epoch that it knows: nothing but its rows tells. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { findPostgres } from '@funnelai/dev/postgres/binaries';
import { createPostgres, makeDataDirectory, type PostgresServer, wipePostgres } from '@funnelai/dev/postgres/server';
import type { Running } from '@funnelai/dev/process/child';
import { anyFreePorts } from '@funnelai/dev/process/ports';
import { silentLog } from '@funnelai/history/log';
import { createMirror } from '@funnelai/history/mirror';
import { prepareHistory } from '@funnelai/history/months';
import { createPool } from '@funnelai/history/pool';
import { createQueries } from '@funnelai/history/queries';
import { type Clock, sleepWith, systemClock } from '@funnelai/kube/clock';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anIncident, NAMESPACE } from '../testing/builders.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { runOperator } from '../testing/run.ts';

const SEVERITIES = ['Low', 'Medium', 'Critical'] as const;

/** In which the comparison that comes by itself never comes. */
const impatient: Clock = {
  now: () => systemClock.now(),
  monotonicMs: () => systemClock.monotonicMs(),
  after: (ms, fn) => (ms >= 10_000 ? () => {} : systemClock.after(ms, fn)),
  sleep: (ms, signal) => sleepWith(impatient, ms, signal),
};

let base: string;
let directory: string;
let server: PostgresServer;
let postgres: Running;
let pool: pg.Pool;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'funnelai-failover-'));
  directory = join(base, 'primary');
  makeDataDirectory(directory);
  const [port = 0] = await anyFreePorts(1);
  const binaries = await findPostgres(() => {});
  server = await createPostgres({ binaries, directory, logs: base, port, fsync: false });
  postgres = await server.start();
  pool = createPool(server.url, { log: silentLog });
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
  wipePostgres(directory);
  rmSync(base, { recursive: true, force: true });
});

it('gets again what it lacks, though nothing happens in the cluster', async () => {
  const api = new FakeApi(systemClock);
  const ana = api.client('ana');
  const queries = createQueries({ pool });
  const operator = runOperator({
    client: api.client('system:serviceaccount:funnel-system:funnelai-operator'),
    clock: impatient,
    historyLookMs: 300,
    openMirror: () =>
      createMirror({
        pool,
        clock: systemClock,
        log: silentLog,
        prepare: () => prepareHistory(pool, silentLog, systemClock.now()),
      }),
  });
  const declare = async (name: string) => {
    const { metadata: _, ...rest } = anIncident({ name });
    await ana.create(INCIDENTS, { ...rest, metadata: { name, namespace: NAMESPACE } });
  };
  /** Until history has each change that the object counts. */
  const mirrored = (name: string) =>
    eventually(
      `history has all of ${name}`,
      async () => {
        const { metadata, status } = await ana.get<Incident>(INCIDENTS, { namespace: NAMESPACE, name });
        const stored = await queries.changesOf(metadata.uid ?? '').catch(() => []);
        return stored.length > 0 && stored.length === status?.changeSequence && stored.map(({ to }) => to);
      },
      20_000,
    );
  try {
    await declare('outage');
    await mirrored('outage');
    await postgres.stop();
    const data = join(server.place.directory, 'data');
    const standby = join(server.place.directory, 'standby');
    // With its owner, which may be another user.
    execFileSync('cp', ['-a', data, standby]);
    postgres = await server.start();
    await declare('later');
    await mirrored('later');
    for (const value of SEVERITIES) {
      const op = { op: 'replace' as const, path: '/spec/severity', value };
      await ana.jsonPatch(INCIDENTS, { namespace: NAMESPACE, name: 'outage' }, [op]);
      await mirrored('outage');
    }
    await postgres.kill();
    rmSync(data, { recursive: true });
    renameSync(standby, data);
    postgres = await server.start();
    expect(await mirrored('outage')).toEqual(expect.arrayContaining([...SEVERITIES]));
    await mirrored('later');
  } finally {
    await operator.stop();
  }
});

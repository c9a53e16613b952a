/** A webhook of a newer version than the operator that has migrated the database, on a real API server and a real Postgres. */
import { silentLog } from '@funnelai/history/log';
import { migrate, readMigrations } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { createDatabase } from '@funnelai/test/harness/database';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { listen } from './testing/listen.ts';
import { aTeam, type Running, send, startInProcess, type Team, untilKnown } from './testing/world.ts';

const SOON_MS = 25_000;
/** Before clusters were told apart, and before the first of a kind was marked in the inbox. */
const OLDER = 11;
const MOST = 20;

let team: Team;
let webhook: Running;
let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  await migrate(pool, silentLog, { migrations: (await readMigrations()).slice(0, OLDER) });
  team = await aTeam({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });
  const patch = JSON.stringify({ spec: { limits: { maxLiveAlerts: MOST } } });
  await team.kubectl.run(['patch', 'asrc', 'prom', '-n', team.namespace, '--type=merge', '-p', patch]);
  const place = { namespace: team.namespace, databaseUrl: database.url, pool };
  webhook = await startInProcess(inject('kubeconfig'), place);
  await untilKnown(webhook.url, team);
});
afterAll(async () => {
  await webhook?.stop();
  await pool?.end();
  await database?.drop();
});

const pods = Array.from({ length: 3 * MOST }, (_, i) => ({
  status: 'firing',
  labels: { alertname: 'PodCrash', pod: `p-${i}` },
  startsAt: '2026-01-01T12:00:00Z',
}));

it('takes what has room, keeps the rest in the inbox, says who mends that, and folds it as soon as that is done', async () => {
  const page = await listen(webhook.url, 'ana', `?namespace=${team.namespace}`);
  await until('people to be told', SOON_MS, () => page.events.some(({ spare }) => spare?.why === 'databaseOld'));
  // Until the inbox is open, which goes by what is asked of the API server, there is no other place.
  await until('all to be taken', SOON_MS, async () => (await send(webhook.url, team, pods)).status === 200);
  const waiting = async () =>
    (await pool.query(`SELECT DISTINCT fingerprint FROM inbox WHERE namespace = $1`, [team.namespace])).rowCount ?? 0;
  expect(await waiting()).toBeGreaterThan(MOST);

  await migrate(pool, silentLog);
  await until('the inbox to be drained', SOON_MS, async () => (await waiting()) === 0);
  const { rows } = await pool.query('SELECT scope, count(*)::integer FROM folded_alerts GROUP BY scope');
  const uid = await team.kubectl.run(['get', 'ns', team.namespace, '-o', 'jsonpath={.metadata.uid}']);
  expect(rows).toEqual([{ scope: uid, count: expect.any(Number) }]);
  expect(rows[0]?.count).toBeGreaterThan(MOST);
  await until('people to be told that it is over', SOON_MS, () => {
    const last = page.events.findLast(({ type }) => type === 'intake');
    return last !== undefined && last.spare?.why !== 'databaseOld';
  });
  page.close();
});

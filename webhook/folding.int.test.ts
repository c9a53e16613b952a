/** A storm at one source on a real API server and a real Postgres: its Alerts stay within their bound, and nothing is lost or counted twice. */
import type { Alert } from '@funnelai/crds/generated/types';
import { createFoldStore } from '@funnelai/history/folded';
import { silentLog } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { createQueries } from '@funnelai/history/queries';
import { createDatabase } from '@funnelai/test/harness/database';
import { writesIn } from '@funnelai/test/harness/etcd';
import { startTcpProxy, type TcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask, aTeam, type Running, send, startInProcess, type Team, untilKnown } from './testing/world.ts';

const MOST = 40;
/** A tenth of the bound is for what is new, and one Alert counts the folded ones. */
const OWN = 36;
const PODS = 100;
/** How many were folded: all but those that are Alerts. One that is in the cache before its create is answered counts twice for that moment. */
let folded = 0;
const AT_MOST_FOLDED = PODS - OWN + 8;
/** A count is written once in ten seconds. */
const SOON_MS = 25_000;

let team: Team;
let one: Running;
let two: Running;
let database: Awaited<ReturnType<typeof createDatabase>>;
let proxy: TcpProxy;
let pool: pg.Pool;
const throughProxy: pg.Pool[] = [];

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  await migrate(pool, silentLog);
  proxy = await startTcpProxy(database.url);
  team = await aTeam({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });
  const patch = JSON.stringify({ spec: { limits: { maxLiveAlerts: MOST } } });
  await team.kubectl.run(['patch', 'asrc', 'prom', '-n', team.namespace, '--type=merge', '-p', patch]);
  const start = () => {
    const own = createPool(proxy.url);
    throughProxy.push(own);
    const stores = { queries: createQueries({ pool: own }), folds: createFoldStore({ pool: own, scope: 'cluster' }) };
    // Alone: another file's webhook with a database of its own would count what it knows nothing of, and this one its.
    return startInProcess(inject('kubeconfig'), { namespace: team.namespace, ...stores });
  };
  [one, two] = await Promise.all([start(), start()]);
  await Promise.all([untilKnown(one.url, team), untilKnown(two.url, team)]);
});
afterAll(async () => {
  await Promise.all([one?.stop(), two?.stop()]);
  for (const own of throughProxy) await own.end();
  await proxy?.stop();
  await pool?.end();
  await database?.drop();
});

const pod = (i: number, o: object = {}) => ({
  status: 'firing',
  labels: { alertname: 'PodCrash', pod: `p-${i}` },
  annotations: {},
  startsAt: '2026-01-01T12:00:00Z',
  ...o,
});
const resolved = (i: number) => pod(i, { status: 'resolved', endsAt: '2026-01-01T12:30:00Z' });
const all = Array.from({ length: PODS }, (_, i) => i);
const alerts = async (): Promise<Alert[]> =>
  JSON.parse(await team.kubectl.run(['get', 'fal', '-n', team.namespace, '-o', 'json'])).items;
const isPod = ({ spec }: Alert) => spec.labels?.pod !== undefined && spec.folded === undefined;
const live = async () => (await alerts()).filter((alert) => isPod(alert) && alert.spec.state === 'Firing');
const overflow = async () => (await alerts()).find(({ spec }) => spec.folded !== undefined);
const foldedPods = async (): Promise<string[]> =>
  (
    await pool.query(
      `select spec->'labels'->>'pod' as pod from folded_alerts where namespace = $1 and left_at is null and state = 'Firing' and alertname = 'PodCrash'`,
      [team.namespace],
    )
  ).rows.map((row) => row.pod);
/** Each pod that fires is an Alert or folded, never both; and the overflow Alert says how many are. */
const settled = (firing: number) =>
  until(`${firing} firing alerts, each once`, SOON_MS, async () => {
    const objects = (await live()).map(({ spec }) => spec.labels?.pod ?? '');
    const folded = await foldedPods();
    const isOnce = new Set([...objects, ...folded]).size === objects.length + folded.length;
    const counted = (await overflow())?.spec.folded?.firing ?? 0;
    return isOnce && objects.length + folded.length === firing && counted === folded.length ? folded.length : undefined;
  });

describe('a storm of a hundred alerts at a source that may have forty', () => {
  it('is stored whole: what finds no room as an object is in Postgres, and one Alert of the same group counts it', async () => {
    expect(
      await send(
        one.url,
        team,
        all.map((i) => pod(i)),
      ),
    ).toMatchObject({ status: 200, body: { created: PODS } });
    folded = await settled(PODS);
    expect(folded).toBeGreaterThanOrEqual(PODS - OWN);
    expect(folded).toBeLessThan(AT_MOST_FOLDED);
    expect((await alerts()).length).toBe(PODS - folded + 1);
    expect((await overflow())?.spec).toMatchObject({ state: 'Firing', labels: { alertname: 'PodCrash' } });
    // It may have been counted before all that it counts had said what they have in common: the next write says so, ten seconds later.
    await until('it to carry what they have in common', SOON_MS, async () => {
      const labels = (await overflow())?.spec.labels;
      return labels !== undefined && labels.pod === undefined;
    });
  });

  it('costs nothing when it is repeated', async () => {
    const before = [...(await writesIn(inject('etcdUrl'), 'alerts', team.namespace)).values()];
    const version = async () => (await pool.query('select sum(version) from folded_alerts')).rows;
    const rows = await version();
    expect(
      await send(
        two.url,
        team,
        all.map((i) => pod(i)),
      ),
    ).toMatchObject({ status: 200, body: { unchanged: PODS } });
    expect([...(await writesIn(inject('etcdUrl'), 'alerts', team.namespace)).values()]).toEqual(before);
    expect(await version()).toEqual(rows);
  });

  it('shows each of them in the list of alerts and on a page of its own, marked', async () => {
    const [name = ''] = await foldedPods();
    const list = await ask(one.url, 'viewer', `/api/alerts?namespace=${team.namespace}&q=pod%3D${name}`);
    const item = list.body.items.find((one: { labels: { pod?: string } }) => one.labels.pod === name);
    expect(item).toMatchObject({ state: 'Firing', foldedInto: (await overflow())?.metadata.name });
    const page = await ask(one.url, 'viewer', `/api/alerts/${team.namespace}/${item.name}`);
    expect(page).toMatchObject({
      status: 200,
      body: { foldedInto: item.foldedInto, alert: { spec: { labels: { pod: name } } } },
    });
    const whole = await ask(one.url, 'viewer', `/api/alerts?namespace=${team.namespace}&limit=1000`);
    expect(whole.body).toMatchObject({ total: PODS + 1, folded: { total: folded } });
    expect((await ask(one.url, 'stranger', `/api/alerts/${team.namespace}/${item.name}`)).status).toBe(403);
  });

  it('leaves room for a name of which nothing fires yet', async () => {
    const disk = { status: 'firing', labels: { alertname: 'DiskFull' }, startsAt: '2026-01-01T12:00:00Z' };
    expect(await send(one.url, team, [disk])).toMatchObject({ status: 200, body: { created: 1 } });
    expect((await alerts()).some(({ spec }) => spec.labels?.alertname === 'DiskFull')).toBe(true);
  });

  it('keeps a folded alert that resolves in Postgres, and counts it no more', async () => {
    const [first = ''] = await foldedPods();
    expect(await send(two.url, team, [resolved(Number(first.slice(2)))])).toMatchObject({
      status: 200,
      body: { updated: 1 },
    });
    expect(await settled(PODS - 1)).toBe(folded - 1);
    expect((await alerts()).length).toBe(PODS - folded + 2);
  });

  it('turns folded alerts into Alerts when there is room and they are repeated, each once, though two replicas race', async () => {
    const gone = (await live()).slice(0, 10);
    await send(
      one.url,
      team,
      gone.map(({ spec }) => resolved(Number(spec.labels?.pod?.slice(2)))),
    );
    // As retention does once history has them.
    await team.kubectl.run(['delete', 'fal', '-n', team.namespace, ...gone.map(({ metadata }) => metadata.name)]);
    const names = new Set(gone.map(({ spec }) => spec.labels?.pod));
    const rest = [...(await foldedPods()), ...(await live()).map(({ spec }) => spec.labels?.pod ?? '')];
    const body = rest.filter((name) => !names.has(name)).map((name) => pod(Number(name.slice(2))));
    const room = OWN - (await alerts()).length;
    expect(room).toBeGreaterThanOrEqual(8);
    await until('room to be seen', SOON_MS, async () => {
      const [a, b] = await Promise.all([send(one.url, team, body), send(two.url, team, body)]);
      expect([a.status, b.status]).toEqual([200, 200]);
      return (await foldedPods()).length <= folded - 1 - room;
    });
    await settled(PODS - 11);
    // Each replica knows of the other's only when its watch tells it: both may have used the room.
    expect((await alerts()).length).toBeLessThanOrEqual(MOST + room);
  });

  it('is answered 503 when Postgres is away, but for what has room or is an object already', async () => {
    proxy.set({ refuse: true });
    proxy.cut();
    const [object] = await live();
    const known = Number(object?.spec.labels?.pod?.slice(2));
    expect(await send(one.url, team, [pod(known)])).toMatchObject({ status: 200, body: { unchanged: 1 } });
    const refused = await send(one.url, team, [pod(1_000)]);
    expect(refused).toMatchObject({ status: 503, body: { code: 'Unavailable', notStored: 1 } });
    expect(refused.body.message).toContain('has reached limits.maxLiveAlerts (40), and Postgres');
    proxy.set();
    await until(
      'Postgres to be asked again',
      SOON_MS,
      async () => (await send(one.url, team, [pod(1_000)])).status === 200,
    );
    expect(await foldedPods()).toContain('p-1000');
  });

  it('is over when all of it has resolved: the Alert that counted it has resolved too', async () => {
    const everything = [...all, 1_000].map((i) => resolved(i));
    expect(await send(one.url, team, everything)).toMatchObject({ status: 200 });
    expect(await settled(0)).toBe(0);
    await until('the overflow Alert to resolve', SOON_MS, async () => (await overflow())?.spec.state === 'Resolved');
  });
});

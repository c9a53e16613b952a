/** Both stores as they are: alerts come in while the API server, Postgres, or both are away, and are found where they belong. */
import type { Alert } from '@funnelai/crds/generated/types';
import { AWAITS_INBOX_ANNOTATION } from '@funnelai/crds/meta';
import { alertName, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import { putThemBack, sourceIsGone } from '@funnelai/domain/set-aside';
import type { SourcePage } from '@funnelai/domain/wire-sources';
import { silentLog } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { type Clock, systemClock } from '@funnelai/kube/clock';
import { createDatabase } from '@funnelai/test/harness/database';
import { startTcpProxy, type TcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { TEST_KEY } from '../intake/test-alert.ts';
import { ETCD_PATIENCE_MS } from '../limits.ts';
import { listen } from '../testing/listen.ts';
import {
  aSource,
  ask,
  aTeam,
  type Running,
  send,
  serverOf,
  startInProcess,
  type Team,
  untilKnown,
} from '../testing/world.ts';

const SOON_MS = 20_000;
const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let api: TcpProxy;
let postgres: TcpProxy;
let team: Team;
/** One whose way to both stores can be cut, and one that knows of no inbox; their clocks differ by five seconds. */
let cut: Running;
let well: Running;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  await migrate(pool, silentLog);
  [api, postgres] = await Promise.all([startTcpProxy(await serverOf(stage.kubeconfig)), startTcpProxy(database.url)]);
  team = await aTeam(stage);
  [cut, well] = await Promise.all([
    startInProcess(stage.kubeconfig, { server: api.url, databaseUrl: postgres.url, clock: ahead(5) }),
    startInProcess(stage.kubeconfig),
  ]);
  await Promise.all([cut, well].map(({ url }) => untilKnown(url, team)));
  // Each has read the tokens, and the first has compared its clock with that of Postgres.
  for (const { url } of [cut, well]) expect((await send(url, team, [firing('First')])).status).toBe(200);
  await until('one to drain', SOON_MS, async () => (await locks()) > 0);
});
afterEach(async () => {
  api.set();
  postgres.set();
  await until('the inbox to be drained', SOON_MS, async () => (await rows()) === 0);
  await until('etcd to be the first store again', SOON_MS, probe);
});
afterAll(async () => {
  await Promise.all([cut?.stop(), well?.stop()]);
  await Promise.all([api?.stop(), postgres?.stop()]);
  await pool?.end();
  await database?.drop();
});

const START = '2026-01-01T12:00:00Z';
const firing = (alertname: string, o: object = {}) => ({
  status: 'firing',
  labels: { alertname },
  annotations: {},
  startsAt: START,
  ...o,
});
const resolved = (alertname: string) => firing(alertname, { status: 'resolved', endsAt: '2026-01-01T12:30:00Z' });
const storedIn = (answer: { headers: Headers }) => answer.headers.get('funnelai-stored-in');
const rows = async () => (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM inbox')).rows[0]?.n ?? 0;
const locks = async () =>
  (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory'`)).rows[0]?.n ??
  0;
let probes = 0;
const probe = async () => storedIn(await send(cut.url, team, [firing(`Probe${probes++}`)])) === 'etcd';

/** A clock that is so many seconds ahead of all others. */
function ahead(seconds: number): Clock {
  return {
    now: () => systemClock.now().add({ seconds }),
    monotonicMs: () => systemClock.monotonicMs(),
    after: (ms, fn) => systemClock.after(ms, fn),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}
async function alertsNamed(alertname: string): Promise<Alert[]> {
  const list = JSON.parse(await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']));
  return (list as { items: Alert[] }).items.filter((alert) => alert.spec.labels?.alertname === alertname);
}
function takeApiServer(): void {
  api.set({ refuse: true });
  api.cut();
}
/** Takes the drain lock from whichever replica has it: nothing is drained until it is given back. */
async function pauseDrain(): Promise<() => Promise<void>> {
  const scope = await clusterUid();
  const client = await pool.connect();
  const taken = client.query('SELECT pg_advisory_lock(hashtextextended($1, 7142019002))', [scope]);
  // Whoever waits in line has it before one that only tries.
  await until('the drain to be paused', SOON_MS, async () => {
    await pool.query(`SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'funnelai-webhook-inbox'`);
    return Promise.race([taken.then(() => true), systemClock.sleep(200).then(() => false)]);
  });
  return async () => {
    await client.query('SELECT pg_advisory_unlock_all()');
    client.release();
  };
}
const clusterUid = async (): Promise<string> =>
  (
    JSON.parse(await team.kubectl.run(['get', 'namespace', 'kube-system', '-o', 'json'])) as {
      metadata: { uid: string };
    }
  ).metadata.uid;

describe('with the API server away', () => {
  it('alerts are answered from the inbox, people are told, and they are in etcd once it is back', async () => {
    const page = await listen(cut.url, 'ana', `?namespace=${team.namespace}`);
    const isTold = (why: string | undefined) =>
      page.events.findLast(({ type }) => type === 'intake')?.spare?.why === why;
    takeApiServer();
    const names = Array.from({ length: 60 }, (_, n) => `Away${n}`);
    const answers = await Promise.all(names.map((name) => send(cut.url, team, [firing(name)])));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(storedIn))).toEqual(new Set(['inbox']));
    expect(answers[0]?.body).toMatchObject({
      inbox: 1,
      notStored: 0,
      message: '1 of 1 alert is stored, in the inbox for now',
    });
    await until('people to be told', SOON_MS, () => isTold('apiServerAway'));
    api.set();
    for (const name of ['Away0', 'Away59'])
      await until(`${name} in etcd`, SOON_MS, async () => (await alertsNamed(name)).length === 1);
    const { traffic } = (await ask(cut.url, 'ana', `/api/sources/${team.namespace}/prom`)).body.item;
    // Whichever store has them: the page of the source must not call them lost.
    expect(traffic).toMatchObject({ stored: traffic.alerts, rejected: {} });
    await until('people to be told that it is over', SOON_MS, () => isTold(undefined));
    page.close();
  });

  it('nobody waits for it once that is known, whether it refuses or hangs', async () => {
    api.set({ silent: true });
    await Promise.all([1, 2, 3, 4].map((n) => send(cut.url, team, [firing(`Hangs${n}`)])));
    const began = systemClock.monotonicMs();
    for (let n = 5; n < 15; n += 1) expect(storedIn(await send(cut.url, team, [firing(`Hangs${n}`)]))).toBe('inbox');
    expect(systemClock.monotonicMs() - began).toBeLessThan(ETCD_PATIENCE_MS);
    api.cut();
  });

  it('a token is believed that was right a moment before, and no other', async () => {
    takeApiServer();
    // Longer than a Secret is believed while the API server answers would be 10 s: the reading itself is what fails here.
    expect((await send(cut.url, team, [firing('Token')])).status).toBe(200);
    expect([401, 503]).toContain((await send(cut.url, team, [firing('Token')], { token: 'wrong' })).status);
  });

  it('and Postgres too, the answer is 503, soon, with a time to come back, and people are told', async () => {
    const page = await listen(cut.url, 'ana', `?namespace=${team.namespace}`);
    takeApiServer();
    postgres.set({ refuse: true });
    postgres.cut();
    const answer = await send(cut.url, team, [firing('Nowhere')]);
    expect([answer.status, answer.body.notStored]).toEqual([503, 1]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const began = systemClock.monotonicMs();
    for (let n = 0; n < 5; n += 1) expect((await send(cut.url, team, [firing('Nowhere')])).status).toBe(503);
    expect(systemClock.monotonicMs() - began).toBeLessThan(5 * ETCD_PATIENCE_MS);
    expect(await alertsNamed('Nowhere')).toEqual([]);
    await until('people to be told', SOON_MS, () => page.events.some(({ spare }) => spare?.why === 'bothAway'));
    page.close();
  });
});

describe('with Postgres away', () => {
  it('an alert ends in etcd though its firing waits in the inbox, and its Alert stays until that is drained', async () => {
    const awaits = async () => (await alertsNamed('Ends'))[0]?.metadata.annotations?.[AWAITS_INBOX_ANNOTATION];
    const goOn = await pauseDrain();
    takeApiServer();
    expect(storedIn(await send(cut.url, team, [firing('Ends')]))).toBe('inbox');
    api.set();
    await until('etcd to be the first store again', SOON_MS, probe);
    postgres.set({ refuse: true });
    postgres.cut();
    const answer = await send(cut.url, team, [resolved('Ends')]);
    expect([answer.status, storedIn(answer)]).toEqual([200, 'etcd']);
    expect(await awaits()).toBe('true');
    postgres.set();
    await goOn();
    await until('it to be let go', SOON_MS, async () => (await awaits()) === undefined);
    expect([await rows(), (await alertsNamed('Ends'))[0]?.spec.state]).toEqual([0, 'Resolved']);
  });
});

describe('two replicas, one of them without the API server, their clocks five seconds apart', () => {
  it('fires into the inbox, is resolved straight, drained later: it stays resolved', async () => {
    const goOn = await pauseDrain();
    takeApiServer();
    expect(storedIn(await send(cut.url, team, [firing('Later')]))).toBe('inbox');
    expect(storedIn(await send(well.url, team, [resolved('Later')]))).toBe('etcd');
    api.set();
    await goOn();
    await until('the inbox to be drained', SOON_MS, async () => (await rows()) === 0);
    expect((await alertsNamed('Later'))[0]?.spec.state).toBe('Resolved');
  });

  it('is resolved by the one whose clock is behind, straight to etcd: it is resolved', async () => {
    expect(storedIn(await send(cut.url, team, [firing('Behind')]))).toBe('etcd');
    await until('it to fire', SOON_MS, async () => (await alertsNamed('Behind')).length === 1);
    expect((await send(well.url, team, [resolved('Behind')])).status).toBe(200);
    await until('it to be resolved', SOON_MS, async () => (await alertsNamed('Behind'))[0]?.spec.state === 'Resolved');
  });

  it('resolves into the inbox and fires again straight: it fires', async () => {
    expect(storedIn(await send(well.url, team, [firing('Again')]))).toBe('etcd');
    const goOn = await pauseDrain();
    takeApiServer();
    expect(storedIn(await send(cut.url, team, [resolved('Again')]))).toBe('inbox');
    const again = firing('Again', { startsAt: '2026-01-01T13:00:00Z' });
    expect((await send(well.url, team, [again])).status).toBe(200);
    api.set();
    await goOn();
    await until('the inbox to be drained', SOON_MS, async () => (await rows()) === 0);
    expect((await alertsNamed('Again'))[0]?.spec.state).toBe('Firing');
  });
});

describe('a test alert', () => {
  it('is not called lost when it goes by the inbox', async () => {
    const goOn = await pauseDrain();
    const fingerprint = fingerprintOfKey(TEST_KEY);
    await pool.query(
      `INSERT INTO inbox (scope, namespace, source, fingerprint, received_at, reports)
       VALUES ($1, $2, 'prom', $3, now(), '{"not": "a list"}')`,
      [await clusterUid(), team.namespace, fingerprint],
    );
    const test = (state: 'Firing' | 'Resolved') =>
      ask(cut.url, 'nsadmin', `/api/sources/${team.namespace}/prom/test`, { method: 'POST', body: { state } });
    // As soon as the webhook has seen that something of this alert waits, the rest waits behind it.
    const answer = await until('the inbox to be looked at', SOON_MS, async () => {
      const { status, body } = await test('Firing');
      return status === 200 && body.outcome !== 'created' && body.outcome !== 'unchanged' ? body : undefined;
    });
    expect(answer).toEqual({ alert: alertName('prom', fingerprint), outcome: 'inbox' });
    await goOn();
    await until('it in etcd', SOON_MS, async () => (await alertsNamed('FunnelAITest')).length === 1);
    await until('the rest to be drained', SOON_MS, async () => (await rows()) === 0);
    await pool.query('DELETE FROM inbox_set_aside');
  });
});

describe('rows that cannot be drained', () => {
  it('are set aside with the reason, hold up no others, and are drained once they are put back', async () => {
    const source = (name: string) => ({
      apiVersion: 'funnelai.dev/v1alpha1',
      kind: 'AlertSource',
      metadata: { name, namespace: team.namespace },
      spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } } },
    });
    const apply = () =>
      team.kubectl.run(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(source('leaving')) });
    await apply();
    const there = async () => (await send(cut.url, team, [], { source: 'leaving' })).status === 200;
    await until('the source to be known', SOON_MS, there);
    const goOn = await pauseDrain();
    takeApiServer();
    expect(storedIn(await send(cut.url, team, [firing('Orphan')], { source: 'leaving' }))).toBe('inbox');
    expect(storedIn(await send(cut.url, team, [firing('Neighbour')]))).toBe('inbox');
    await pool.query(
      `INSERT INTO inbox (scope, namespace, source, fingerprint, received_at, reports)
       SELECT scope, namespace, 'prom', repeat('0', 64), now(), '{"not": "a list"}' FROM inbox LIMIT 1`,
    );
    await pool.query(
      `INSERT INTO inbox_set_aside (scope, id, namespace, source, fingerprint, demo, received_at, reports, reason)
       SELECT scope, 0, 'of-another-team', 'theirs', repeat('0', 64), false, now(), '[]', 'theirs alone' FROM inbox LIMIT 1`,
    );
    await team.kubectl.run(['delete', 'alertsource', 'leaving', '-n', team.namespace]);
    api.set();
    const isGone = async () => (await send(cut.url, team, [], { source: 'leaving' })).status === 404;
    await until('the webhook to know that the source is gone', SOON_MS, isGone);
    // As who may read sources there sees it, and nobody else.
    const list = `/api/sources?namespace=${team.namespace}`;
    const told = (what: string, isSo: (body: SourcePage) => boolean) =>
      until(`people to be told ${what}`, SOON_MS, async () => {
        const { body } = await ask(cut.url, 'viewer', list);
        return body.inbox?.available === true && isSo(body) ? (body as SourcePage) : undefined;
      });
    const waiting = await told('what waits', ({ gone }) => gone.length > 0);
    expect(waiting.gone).toMatchObject([{ name: 'leaving', inbox: { waiting: 1, setAside: 0 } }]);
    expect(waiting.items[0]).toMatchObject({ name: 'prom', inbox: { waiting: 2, setAside: 0 } });
    expect(waiting.items[0]?.inbox?.oldestAt).toMatch(/^20\d\d-.*Z$/);
    expect((await ask(cut.url, 'stranger', list)).status).toBe(403);
    await goOn();
    await until('the neighbour in etcd', SOON_MS, async () => (await alertsNamed('Neighbour')).length === 1);
    const aside = async () =>
      (
        await pool.query<{ reason: string }>('SELECT reason FROM inbox_set_aside WHERE id > 0 ORDER BY reason')
      ).rows.map((r) => r.reason);
    await until('two to be set aside', SOON_MS, async () => (await aside()).length === 2);
    expect(await aside()).toEqual([sourceIsGone(team.namespace, 'leaving'), 'it holds no list of reports']);
    await until('the rest to be drained', SOON_MS, async () => (await rows()) === 0);

    const ended = await told('what was set aside', ({ gone }) => (gone[0]?.inbox.setAside ?? 0) > 0);
    const reason = sourceIsGone(team.namespace, 'leaving');
    const inbox = { waiting: 0, setAside: 1, reasons: [{ reason, count: 1 }] };
    expect(ended.gone).toEqual([{ namespace: team.namespace, name: 'leaving', inbox }]);
    expect(ended.items[0]?.inbox).toMatchObject({ waiting: 0, setAside: 1 });
    await apply();
    await until('the source to be known', SOON_MS, there);
    const { scope = '' } = ended.inbox;
    await pool.query(putThemBack({ scope, namespace: team.namespace, source: 'leaving' }));
    await until('the orphan in etcd', SOON_MS, async () => (await alertsNamed('Orphan')).length === 1);
    await pool.query('DELETE FROM inbox_set_aside');
  });
});

describe('a source that sends more than its rate', () => {
  it('is answered 200 from both stores, all of it becomes Alerts no sooner than it may, and others do not wait for it', async () => {
    await aSource(team, { name: 'rated', format: 'Alertmanager', limits: { ratePerSecond: 5, burst: 5 } });
    await untilKnown(cut.url, team, 'rated');
    const storm = Array.from({ length: 40 }, (_, i) =>
      firing('Rated', { labels: { alertname: 'Rated', pod: `p${i}` } }),
    );
    const beganMs = systemClock.monotonicMs();
    const answer = await send(cut.url, team, storm, { source: 'rated' });
    expect(answer).toMatchObject({ status: 200, body: { notStored: 0, problems: [] } });
    expect(storedIn(answer)).toBe('etcd, inbox');
    expect(answer.body.created + answer.body.inbox).toBe(40);
    expect((await send(cut.url, team, [firing('Unrelated')])).status).toBe(200);
    await until('the other to be an Alert', SOON_MS, async () => (await alertsNamed('Unrelated')).length === 1);
    const found = async () => new Set((await alertsNamed('Rated')).map(({ spec }) => spec.labels?.pod));
    await until('all of them to be Alerts', SOON_MS, async () => (await found()).size === 40);
    // Straight and out of the inbox, each five at once and five a second.
    expect(systemClock.monotonicMs() - beganMs).toBeGreaterThan(3_000);
  });
});

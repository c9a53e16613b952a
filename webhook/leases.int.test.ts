/** Alerts whose sender falls silent, on a real API server and Postgres, with a real Prometheus where one dies. Time is the test's to move. */
import type { Alert } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { createDrainLock, type DrainLock } from '@funnelai/history/drain-lock';
import { createFoldStore, type FoldStore } from '@funnelai/history/folded';
import { createFoldedLeaseStore } from '@funnelai/history/folded-leases';
import { createLeaseStore } from '@funnelai/history/leases';
import { silentLog as silentHistory } from '@funnelai/history/log';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { systemClock } from '@funnelai/kube/clock';
import { createDatabase } from '@funnelai/test/harness/database';
import { writesIn } from '@funnelai/test/harness/etcd';
import { type Prometheus, startPrometheus } from '@funnelai/test/harness/prometheus';
import { until } from '@funnelai/test/harness/wait';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { aMovedClock, type MovedClock } from './testing/moved-clock.ts';
import { aTeam, type Running, send, startInProcess, type Team, untilKnown } from './testing/world.ts';

const SOON_MS = 20_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let database: Awaited<ReturnType<typeof createDatabase>>;
let pool: pg.Pool;
let folds: FoldStore;
let clock: MovedClock;
let team: Team;
let one: Running;
const prometheus: Prometheus[] = [];

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  await migrate(pool, silentHistory);
  folds = createFoldStore({ pool, scope: 'cluster' });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await pool.query('TRUNCATE alert_leases, source_signs, intake_lives, intake_replicas, intake_gaps');
  clock = aMovedClock();
  team = await aTeam(stage);
  one = await start();
  await untilKnown(one.url, team);
});
afterEach(async () => {
  await Promise.all(prometheus.splice(0).map((each) => each.kill()));
  await one.stop();
});

const kept = () => ({
  store: createLeaseStore({ pool, scope: 'cluster' }),
  folded: createFoldedLeaseStore({ pool, scope: 'cluster' }),
});
/** Starts a webhook and waits until it may expire: it holds the lock, and has said that it is there. */
async function start(
  lock: DrainLock = createDrainLock({ pool, clock: systemClock, log: silentHistory, scope: 'cluster' }),
) {
  // Alone: another file's webhook with a database of its own would count what it knows nothing of, and this one its.
  const o = { namespace: team.namespace, leases: { ...kept(), lock }, folds, clock };
  const running = await startInProcess(stage.kubeconfig, o);
  await until('the drain lock', SOON_MS, () => lock.held());
  return running;
}

/** Lets time go by as it does: the webhooks say all the while that they are there. */
async function pass(ms: number, ...webhooks: Running[]): Promise<void> {
  const all = webhooks.length > 0 ? webhooks : [one];
  for (let left = ms; left > 0; left -= 10 * SECOND) {
    clock.move(Math.min(left, 10 * SECOND));
    for (const { webhook } of all) await webhook.leases.flush();
  }
  for (const { webhook } of all) await webhook.leases.pass();
}

const ahead = (ms: number) => clock.now().add({ milliseconds: ms }).toString();
async function alerts(alertname: string): Promise<Alert[]> {
  const text = await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']);
  const list: KubeList<Alert> = JSON.parse(text);
  return list.items.filter(({ spec }) => spec.labels?.alertname === alertname);
}
async function spec(alertname: string): Promise<Alert['spec']> {
  const [found, ...more] = await alerts(alertname);
  expect(more).toEqual([]);
  return found?.spec ?? expect.fail(`there is no alert ${alertname}`);
}
const state = async (alertname: string) => (await spec(alertname)).state;
/** As API v2 has it, vouched for so long. */
const firing = (alertname: string, leaseMs: number) =>
  send(one.url, team, [{ labels: { alertname }, startsAt: '2026-01-01T12:00:00Z', endsAt: ahead(leaseMs) }], {
    path: '/api/v2/alerts',
  });
const webhookBody = (alertname: string, status = 'firing', o: object = {}) =>
  send(one.url, team, [{ status, labels: { alertname, pod: 'api-1' }, startsAt: '2026-01-01T12:00:00Z', ...o }]);
const patch = (kind: string, name: string, body: object) =>
  team.kubectl.run(['patch', kind, name, '-n', team.namespace, '--type=merge', '-p', JSON.stringify(body)]);
/** Changes the source, and waits until the webhook has heard of it. */
async function configure(spec: object): Promise<void> {
  await patch('alertsources.funnelai.dev', 'prom', { spec });
  await until('the webhook to know', SOON_MS, async () => {
    const seen = one.webhook.sources.get(team.namespace, 'prom');
    return Object.entries(spec).every(
      ([field, value]) => JSON.stringify(Reflect.get(seen?.spec ?? {}, field) ?? null) === JSON.stringify(value),
    );
  });
}

describe('an alert', () => {
  it('whose Prometheus is killed while it fires expires after its lease, though the webhook was restarted', async () => {
    const target = new URL(`${one.url}/alerts/${team.namespace}/prom`);
    const began = await startPrometheus({ target, token: team.token, alertname: 'AlwaysOn' });
    prometheus.push(began);
    await until('it to fire', SOON_MS, async () => (await alerts('AlwaysOn')).length === 1);
    const [first] = await alerts('AlwaysOn');
    // Prometheus repeats it each second; nothing of that is written.
    await until('repeats', SOON_MS, async () => {
      await one.webhook.leases.flush();
      return (await pool.query('SELECT FROM alert_leases WHERE namespace = $1', [team.namespace])).rowCount === 1;
    });
    expect((await alerts('AlwaysOn'))[0]?.metadata.resourceVersion).toBe(first?.metadata.resourceVersion);
    await began.kill();

    await one.stop();
    clock.move(30 * MINUTE);
    one = await start();
    await untilKnown(one.url, team);
    // Nobody was there to hear it for half an hour.
    await pass(10 * SECOND);
    expect(await state('AlwaysOn')).toBe('Firing');
    await pass(MINUTE);
    const expired = await spec('AlwaysOn');
    expect(expired).toMatchObject({
      state: 'Expired',
      expired: { reason: 'LeaseRanOut' },
      startsAt: first?.spec.startsAt,
    });
    expect(expired).not.toHaveProperty('endsAt');

    // It goes by the real time of day.
    clock.move(-31 * MINUTE - 10 * SECOND);
    const again = new URL(`${one.url}/alerts/${team.namespace}/prom`);
    prometheus.push(await startPrometheus({ target: again, token: team.token, alertname: 'AlwaysOn' }));
    const back = await until('it to be back', SOON_MS, async () => {
      const now = await spec('AlwaysOn');
      return now.state === 'Firing' ? now : undefined;
    });
    expect(back).toMatchObject({ startsAt: first?.spec.startsAt });
    expect(back).not.toHaveProperty('expired');
  });

  it('stays while it is repeated within its lease, at no cost to the API server, and expires once that ends', async () => {
    await firing('Repeated', 4 * MINUTE);
    for (let n = 0; n < 10; n += 1) {
      await pass(3 * MINUTE);
      expect((await firing('Repeated', 4 * MINUTE)).status).toBe(200);
    }
    const [alert] = await alerts('Repeated');
    const writes = await writesIn(inject('etcdUrl'), 'alerts', team.namespace);
    expect(writes.get(alert?.metadata.name ?? '')).toBe(1);
    await pass(4 * MINUTE);
    expect(await state('Repeated')).toBe('Firing');
    const heard = clock.now().subtract({ milliseconds: 4 * MINUTE });
    await pass(MINUTE);
    const { receivedAt, ...expired } = await spec('Repeated');
    expect(expired.state).toBe('Expired');
    // When it was heard of last, though that was written nowhere in etcd.
    expect(Math.abs(Date.parse(receivedAt) - heard.epochMilliseconds)).toBeLessThan(5 * SECOND);
  });

  it('of a sender that announces nothing expires after what its source says, and never where that says nothing', async () => {
    await webhookBody('Quiet');
    await pass(20 * MINUTE);
    expect(await state('Quiet')).toBe('Firing');
    await configure({ expireAfter: '30m' });
    await pass(9 * MINUTE);
    expect(await state('Quiet')).toBe('Firing');
    await webhookBody('Quiet');
    await pass(30 * MINUTE);
    expect(await state('Quiet')).toBe('Firing');
    await pass(MINUTE);
    expect(await state('Quiet')).toBe('Expired');
  });

  it('that has expired is resolved by its sender, or by a person who leaves the mark, and fires again with the next report', async () => {
    await configure({ expireAfter: '1m' });
    for (const name of ['Sender', 'Person', 'Back']) await webhookBody(name);
    await pass(2 * MINUTE);
    await webhookBody('Sender', 'resolved', { endsAt: ahead(0) });
    expect(await state('Sender')).toBe('Resolved');
    const [byHand] = await alerts('Person');
    await patch('alerts.funnelai.dev', byHand?.metadata.name ?? '', { spec: { state: 'Resolved' } });
    expect(await state('Person')).toBe('Resolved');
    await webhookBody('Person');
    const again = await spec('Person');
    expect(again.state).toBe('Firing');
    // Later than the one that the sender names: a new episode.
    expect(Date.parse(again.startsAt)).toBeGreaterThan(Date.parse(byHand?.spec.expired?.at ?? ''));
    await webhookBody('Back');
    expect(await state('Back')).toBe('Firing');
  });

  it('is brought back when a report was under way while it expired', async () => {
    await configure({ expireAfter: '1m' });
    await webhookBody('UnderWay');
    await pass(2 * MINUTE);
    expect(await state('UnderWay')).toBe('Expired');
    const [alert] = await alerts('UnderWay');
    await createLeaseStore({ pool, scope: 'cluster' }).put([
      { namespace: team.namespace, source: 'prom', fingerprint: alert?.spec.fingerprint ?? '', lastSeen: ahead(0) },
    ]);
    await pass(10 * SECOND);
    const back = await spec('UnderWay');
    expect(back.state).toBe('Firing');
    expect(back).not.toHaveProperty('expired');
  });

  it('does not expire by an outage of ours: a webhook that is killed, an hour that nobody was there, one that does not hold the lock', async () => {
    await firing('Patient', MINUTE);
    await pass(30 * SECOND);
    // Killed: it never says another word, and what it took last is not known.
    await createLeaseStore({ pool, scope: 'cluster' }).alive(
      'another',
      clock.now().toString({ fractionalSecondDigits: 6 }),
      { isComplete: true },
    );
    await pass(20 * SECOND);
    clock.move(60 * MINUTE);
    await one.webhook.leases.flush();
    await one.webhook.leases.pass();
    expect(await state('Patient')).toBe('Firing');
    const other = await startInProcess(stage.kubeconfig, {
      clock,
      leases: {
        ...kept(),
        lock: { held: () => false, holder: () => undefined, subscribe: () => () => {}, start() {}, async stop() {} },
      },
    });
    try {
      for (let n = 0; n < 30; n += 1) {
        clock.move(10 * SECOND);
        await one.webhook.leases.flush();
        await other.webhook.leases.flush();
        await other.webhook.leases.pass();
      }
      expect(await state('Patient')).toBe('Firing');
      await one.webhook.leases.pass();
      expect(await state('Patient')).toBe('Expired');
    } finally {
      await other.stop();
    }
  });

  it('expires when its source tells faults apart in another way, and lives on where that makes no difference', async () => {
    await webhookBody('Renamed');
    const [old] = await alerts('Renamed');
    await configure({ dedup: { ignore: ['prometheus_replica', 'replica', 'zone'] } });
    await pass(30 * SECOND);
    expect(await state('Renamed')).toBe('Firing');
    await configure({ dedup: { ignore: ['pod'] } });
    await pass(10 * SECOND);
    await pass(10 * SECOND);
    const both = await alerts('Renamed');
    expect(both.map(({ spec }) => [spec.state, spec.expired?.reason])).toEqual([['Expired', 'DedupChanged']]);
    await webhookBody('Renamed');
    await pass(30 * SECOND);
    const now = await alerts('Renamed');
    expect(now.find(({ metadata }) => metadata.name === old?.metadata.name)?.spec.state).toBe('Expired');
    expect(now.find(({ metadata }) => metadata.name !== old?.metadata.name)?.spec.state).toBe('Firing');
  });
});

describe('a storm whose sender dies', () => {
  it('expires whole: what is folded is counted as expired, and the Alert that counts it expires with the last', async () => {
    await configure({ limits: { maxLiveAlerts: 20 } });
    const pods = Array.from({ length: 30 }, (_, n) => ({ alertname: 'Storm', pod: `p-${n}` }));
    const fire = (...labels: object[]) =>
      send(
        one.url,
        team,
        labels.map((each) => ({ labels: each, startsAt: '2026-01-01T12:00:00Z', endsAt: ahead(4 * MINUTE) })),
        { path: '/api/v2/alerts' },
      );
    expect((await fire(...pods)).status).toBe(200);
    const overflow = async () => (await alerts('Storm')).find(({ spec }) => spec.folded !== undefined)?.spec;
    const counted = (firing: number, expired: number | undefined) =>
      until('it to be counted', SOON_MS, async () => {
        const { folded } = (await overflow()) ?? {};
        return folded?.firing === firing && folded.expired === expired;
      });
    const rows = async (what: string) =>
      (await pool.query(`SELECT ${what} FROM folded_alerts WHERE namespace = $1`, [team.namespace])).rows;
    const [{ total, versions }] = await rows('count(*)::int AS total, sum(version)::int AS versions');
    await pass(10 * SECOND);
    await counted(total, undefined);
    for (let n = 0; n < 2; n += 1) {
      await pass(3 * MINUTE);
      expect((await fire(...pods)).status).toBe(200);
    }
    expect(await rows('sum(version)::int AS versions')).toEqual([{ versions }]);
    const [lucky] = await rows(`spec->'labels' AS labels`);
    await pass(3 * MINUTE);
    await fire(lucky.labels);
    await pass(2 * MINUTE);
    await counted(1, total - 1);
    expect(await overflow()).toMatchObject({ state: 'Firing' });
    await pass(3 * MINUTE);
    await until('the overflow Alert to expire', SOON_MS, async () => (await overflow())?.state === 'Expired');
    expect(await overflow()).toMatchObject({
      folded: { firing: 0, expired: total },
      expired: { reason: 'LeaseRanOut' },
    });
    expect(new Set((await alerts('Storm')).map(({ spec }) => spec.state))).toEqual(new Set(['Expired']));
    await fire(lucky.labels);
    await until('it to fire again', SOON_MS, async () => (await overflow())?.state === 'Firing');
    expect(await overflow()).not.toHaveProperty('expired');
  }, 60_000);
});

describe('a source with a heartbeat', () => {
  it('opens an alert when nothing came for so long, and resolves it when something comes again', async () => {
    await configure({ heartbeat: { every: '5m' } });
    await pass(10 * SECOND);
    await pass(4 * MINUTE);
    expect(await alerts('SourceSilent')).toEqual([]);
    await send(one.url, team, []);
    await pass(5 * MINUTE);
    expect(await alerts('SourceSilent')).toEqual([]);
    await pass(MINUTE);
    expect(await spec('SourceSilent')).toMatchObject({ state: 'Firing', severity: 'High', labels: { source: 'prom' } });
    await send(one.url, team, []);
    await pass(10 * SECOND);
    expect(await spec('SourceSilent')).toMatchObject({ state: 'Resolved' });
    await pass(6 * MINUTE);
    expect(await spec('SourceSilent')).toMatchObject({ state: 'Firing' });
  });

  it('is not called silent for an outage of ours', async () => {
    await configure({ heartbeat: { every: '5m' } });
    await pass(10 * SECOND);
    await one.stop();
    clock.move(60 * MINUTE);
    one = await start();
    await untilKnown(one.url, team);
    await pass(4 * MINUTE);
    expect(await alerts('SourceSilent')).toEqual([]);
    await pass(2 * MINUTE);
    expect(await state('SourceSilent')).toBe('Firing');
  });

  it('hears only what matches, and lets the alert go when nobody asks any more', async () => {
    await configure({ heartbeat: { every: '5m', match: ['alertname="Watchdog"'] } });
    await webhookBody('Watchdog');
    await pass(3 * MINUTE);
    await webhookBody('Other');
    await pass(3 * MINUTE);
    expect((await spec('SourceSilent')).title).toContain('alertname="Watchdog"');
    await configure({ heartbeat: null });
    await pass(10 * SECOND);
    expect(await spec('SourceSilent')).toMatchObject({
      state: 'Resolved',
      notes: ['the source has no heartbeat any more'],
    });
  });

  it('lets the alert go when it is deleted', async () => {
    await configure({ heartbeat: { every: '1m' } });
    await pass(10 * SECOND);
    await pass(2 * MINUTE);
    expect(await state('SourceSilent')).toBe('Firing');
    await team.kubectl.run(['delete', 'alertsources.funnelai.dev', 'prom', '-n', team.namespace]);
    await until('the webhook to know', SOON_MS, () => one.webhook.sources.get(team.namespace, 'prom') === undefined);
    await pass(10 * SECOND);
    expect(await spec('SourceSilent')).toMatchObject({ state: 'Resolved', notes: ['the source is gone'] });
  });
});

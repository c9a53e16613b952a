import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import { migrate } from '@funnelai/history/migrate';
import { createPool } from '@funnelai/history/pool';
import { createSourceTrafficStore } from '@funnelai/history/source-traffic';
import { silentLog } from '@funnelai/kube/log';
import { createDatabase } from '@funnelai/test/harness/database';
import type { Context } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask, aTeam, type Running, type Sent, send, startInProcess, type Team, untilKnown } from './testing/world.ts';
import { RECEIVING_MANAGER } from './traffic/status-writer.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let database: { url: string; drop(): Promise<void> };
let pools: ReturnType<typeof createPool>[];
let one: Running;
let two: Running;
let team: Team;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  pools = [createPool(database.url), createPool(database.url)];
  await migrate(pools[0] as (typeof pools)[0], silentLog());
  team = await aTeam(stage);
  const start = (pool: (typeof pools)[0] | undefined) =>
    startInProcess(
      stage.kubeconfig,
      pool === undefined ? {} : { traffic: createSourceTrafficStore({ pool, scope: 'cluster' }) },
    );
  [one, two] = await Promise.all([start(pools[0]), start(pools[1])]);
  await Promise.all([untilKnown(one.url, team), untilKnown(two.url, team)]);
});
afterAll(async () => {
  await Promise.all([one?.stop(), two?.stop()]);
  await Promise.all(pools.map((pool) => pool.end()));
  await database?.drop();
});

const detail = (who: Context, at = one) => ask(at.url, who, `/api/sources/${team.namespace}/prom`);
const post = (who: Context, act: string, body: unknown) =>
  ask(one.url, who, `/api/sources/${team.namespace}/prom/${act}`, { method: 'POST', body });
const alertNames = async (): Promise<string[]> => {
  const list = JSON.parse(await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']));
  return list.items.map(({ metadata }: Alert) => metadata.name);
};
const dryRun = (path: string, body: unknown, token = team.token): Promise<Sent> =>
  send(one.url, team, [], { path, body: typeof body === 'string' ? body : JSON.stringify(body), token });
const firing = (labels: Record<string, string>) => ({ version: '4', alerts: [{ status: 'firing', labels }] });

describe('what came to a source', () => {
  it('is told by every replica, also of what another one saw, with what was refused and why', async () => {
    await send(one.url, team, [{ status: 'firing', labels: { alertname: 'Counted', password: 'label' } }]);
    await send(two.url, team, [], { body: '{"version":"4","password":"hunter22","alerts":{}}' });
    await send(two.url, team, [], { token: 'wrong' });
    for (const replica of [one, two]) {
      const seen = await until('both replicas to know of all', 20_000, async () => {
        const { body } = await detail('ana', replica);
        return body.item.traffic.rejected.Invalid >= 1 &&
          body.item.traffic.rejected.Unauthenticated >= 1 &&
          body.item.traffic.stored >= 1 &&
          body.rejections.length >= 2
          ? body
          : undefined;
      });
      expect(seen.counted).toEqual({ of: 'AllReplicas' });
      expect(seen.item.traffic).toMatchObject({ stored: 1, rejected: { Invalid: 1 } });
      const invalid = seen.rejections.find((r: { reason: string }) => r.reason === 'Invalid');
      expect(invalid).toMatchObject({ status: 400, isKnown: true, count: 1 });
      expect(invalid.message).toContain('expected a list of alerts');
      expect(invalid.body).toContain('"password": "[redacted]"');
      expect(JSON.stringify(seen)).not.toContain('hunter22');
    }
    const kept = await pools[0]?.query('SELECT * FROM source_rejections');
    expect(JSON.stringify(kept?.rows)).not.toContain('hunter22');
    const list = await ask(two.url, 'viewer', `/api/sources?namespace=${team.namespace}`);
    expect(list.body).toMatchObject({ total: 1, facets: { traffic: { Refused: 1 } } });
    expect(list.body.items[0]).toMatchObject({ name: 'prom', format: 'Alertmanager', traffic: { stored: 1 } });
  });

  it('outlives the process', async () => {
    const pool = createPool(database.url);
    const again = await startInProcess(stage.kubeconfig, {
      traffic: createSourceTrafficStore({ pool, scope: 'cluster' }),
    });
    try {
      const { body } = await detail('ana', again);
      expect(body.item.traffic.stored).toBeGreaterThanOrEqual(1);
      expect(body.rejections.length).toBeGreaterThanOrEqual(2);
    } finally {
      await again.stop();
      await pool.end();
    }
  });

  it('is read by who may read the source; bodies by who may list alerts there, too', async () => {
    expect((await detail('stranger')).status).toBe(403);
    expect((await ask(one.url, 'stranger', `/api/sources?namespace=${team.namespace}`)).body.missing).toMatchObject({
      verb: 'list',
      resource: 'alertsources.funnelai.dev',
    });
    expect((await ask(one.url, 'viewer', `/api/sources/${team.namespace}/nobody`)).status).toBe(404);
    const shown = (await detail('viewer')).body;
    expect(shown.rejections.some((r: { body?: string }) => r.body !== undefined)).toBe(true);
    expect(shown.paths).toEqual([`/alerts/${team.namespace}/prom`, `/alerts/${team.namespace}/prom/api/v2/alerts`]);
    expect(JSON.stringify(shown)).not.toContain(team.token);
  });
});

describe('the status of a source', () => {
  it('says when something came, under a field manager that nobody fights with', async () => {
    const { namespace } = team;
    await team.kubectl.run(['apply', '--server-side', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'funnelai.dev/v1alpha1',
        kind: 'AlertSource',
        metadata: { name: 'fresh', namespace },
        spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } } },
      }),
    });
    await until('the webhook to know it', 10_000, async () => {
      const { body } = await ask(one.url, 'ana', `/api/sources?namespace=${namespace}&q=fresh`);
      return body.total === 1;
    });
    await send(one.url, team, [{ status: 'firing', labels: { alertname: 'First' } }], { source: 'fresh' });
    const read = async (): Promise<AlertSource> =>
      JSON.parse(
        await team.kubectl.run([
          'get',
          'alertsources.funnelai.dev',
          'fresh',
          '-n',
          namespace,
          '-o',
          'json',
          '--show-managed-fields',
        ]),
      );
    const written = await until('the webhook to say it', 20_000, async () => {
      const source = await read();
      return source.status?.lastReceivedAt === undefined ? undefined : source;
    });
    expect(written.status?.conditions).toMatchObject([{ type: 'Receiving', status: 'True', reason: 'Accepted' }]);
    const entry = written.metadata.managedFields?.find(({ manager }) => manager === RECEIVING_MANAGER);
    expect(entry).toMatchObject({ operation: 'Apply', subresource: 'status' });
    // As the operator does it: the whole status anew, with what was there.
    await team.kubectl.run(['replace', '--subresource=status', '--field-manager=funnelai-operator', '-f', '-'], {
      input: JSON.stringify({ ...written, status: { ...written.status, path: '/alerts/x/fresh' } }),
    });
    const after = await read();
    expect(after.status).toMatchObject({ path: '/alerts/x/fresh', lastReceivedAt: written.status?.lastReceivedAt });
    const still = after.metadata.managedFields?.find(({ manager }) => manager === RECEIVING_MANAGER);
    expect(JSON.stringify(still)).toContain('f:lastReceivedAt');
    const columns = await team.kubectl.run(['get', 'alertsources.funnelai.dev', '-n', team.namespace]);
    expect(columns.split('\n')[0]).toMatch(/FORMAT +READY +PATH +LAST RECEIVED +AGE/);
  });
});

describe('a dry run with the token of the source', () => {
  it('answers what the body would become, stores nothing and counts nothing', async () => {
    const before = await alertNames();
    const counted = (await detail('ana')).body.item.traffic.bodies;
    const good = await dryRun('/dry-run', firing({ alertname: 'Dry', severity: 'critical' }));
    expect(good.status).toBe(200);
    expect(good.body).toMatchObject({ total: 1, answer: { status: 200, message: '1 of 1 alert would be stored' } });
    expect(good.body.alerts[0].spec).toMatchObject({ severity: 'Critical', title: 'Dry', state: 'Firing' });
    const list = await dryRun('/api/v2/alerts/dry-run', [{ labels: { alertname: 'Dry' } }, { labels: {} }]);
    expect(list.status).toBe(400);
    expect(list.body).toMatchObject({ total: 1, problems: [{ index: 1, field: 'labels' }] });
    const broken = await dryRun('/dry-run', '{"alerts": [}');
    expect(broken).toMatchObject({ status: 400, body: { answer: { code: 'Invalid' }, alerts: [] } });
    expect((await dryRun('/dry-run', firing({ a: 'b' }), 'wrong')).status).toBe(401);
    expect((await dryRun('/elsewhere/dry-run', firing({ a: 'b' }))).status).toBe(404);
    expect(await alertNames()).toEqual(before);
    expect((await detail('ana')).body.item.traffic.bodies).toBe(counted);
  });

  it('names the alert as the real way does', async () => {
    const body = firing({ alertname: 'SameName', pod: 'a' });
    const [preview] = (await dryRun('/dry-run', body)).body.alerts;
    expect(preview.fate).toMatchObject({ kind: 'New' });
    await send(one.url, team, body.alerts);
    expect(await alertNames()).toContain(preview.name);
    const again = async () => (await post('ana', 'preview', { body: JSON.stringify(body) })).body.alerts[0].fate?.kind;
    await until('the repeat to be told from news', 20_000, async () => (await again()) === 'Same');
  });
});

describe('a preview', () => {
  it('is for who may read the source, needs no token, and answers refusals as the sender would hear them', async () => {
    const text = JSON.stringify(firing({ alertname: 'Pasted' }));
    expect((await post('stranger', 'preview', { body: text })).status).toBe(403);
    const good = await post('viewer', 'preview', { body: text, contentType: 'application/json' });
    expect(good).toMatchObject({ status: 200, body: { total: 1, answer: { status: 200 } } });
    const wrongType = await post('viewer', 'preview', { body: text, contentType: 'text/csv' });
    expect(wrongType).toMatchObject({ status: 200, body: { answer: { status: 415 }, alerts: [] } });
    const wrongPath = await post('viewer', 'preview', { body: text, path: '/nowhere' });
    expect(wrongPath.body.answer).toMatchObject({ status: 404 });
    const large = await post('viewer', 'preview', { body: JSON.stringify(firing({ a: 'x'.repeat(200_000) })) });
    expect(large).toMatchObject({ status: 200, body: { total: 1 } });
    expect(await alertNames()).not.toContain(good.body.alerts[0].name);
  });
});

describe('a test alert', () => {
  it('is sent by who may change the source, goes the whole way, and is resolved from the same place', async () => {
    for (const who of ['viewer', 'ana'] as const) {
      const refused = await post(who, 'test', { state: 'Firing' });
      expect(refused).toMatchObject({
        status: 403,
        body: { missing: { verb: 'update', resource: 'alertsources.funnelai.dev' } },
      });
      expect((await detail(who)).body.testRefused).toContain('may not update alertsources');
    }
    expect((await detail('nsadmin')).body.testRefused).toBeUndefined();
    expect((await post('nsadmin', 'test', { state: 'Resolved' })).status).toBe(404);
    const sent = await post('nsadmin', 'test', { state: 'Firing', severity: 'critical' });
    expect(sent).toMatchObject({ status: 200, body: { outcome: 'created' } });
    const read = async (): Promise<Alert> =>
      JSON.parse(
        await team.kubectl.run(['get', 'alerts.funnelai.dev', sent.body.alert, '-n', team.namespace, '-o', 'json']),
      );
    expect((await read()).spec).toMatchObject({
      title: 'Test alert sent by nadia',
      severity: 'Critical',
      state: 'Firing',
      labels: { funnelai_test: 'true' },
    });
    const shown = await until('the page to show it', 5_000, async () => (await detail('viewer')).body.test);
    expect(shown).toMatchObject({ name: sent.body.alert, state: 'Firing' });
    expect((await post('nsadmin', 'test', { state: 'Firing', severity: 'critical' })).body.outcome).toBe('unchanged');
    expect((await post('nsadmin', 'test', { state: 'Resolved' })).body.outcome).toBe('updated');
    expect((await read()).spec).toMatchObject({ state: 'Resolved', title: 'Test alert sent by nadia' });
  });
});

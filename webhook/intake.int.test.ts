import { gzipSync } from 'node:zlib';
import type { Alert } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { writesIn } from '@funnelai/test/harness/etcd';
import { startTcpProxy, type TcpProxy } from '@funnelai/test/harness/tcp-proxy';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { aTeam, type Running, send, serverOf, startInProcess, type Team, untilKnown } from './testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let one: Running;
let two: Running;
let flaky: Running;
let proxy: TcpProxy;
let team: Team;

beforeAll(async () => {
  proxy = await startTcpProxy(await serverOf(stage.kubeconfig));
  team = await aTeam(stage);
  [one, two, flaky] = await Promise.all([
    startInProcess(stage.kubeconfig),
    startInProcess(stage.kubeconfig),
    startInProcess(stage.kubeconfig, { server: proxy.url }),
  ]);
});
afterAll(async () => {
  await Promise.all([one?.stop(), two?.stop(), flaky?.stop()]);
  await proxy?.stop();
});

const START = '2026-01-01T12:00:00Z';
const firing = (alertname: string, o: object = {}) => ({
  status: 'firing',
  labels: { alertname },
  annotations: {},
  startsAt: START,
  endsAt: '0001-01-01T00:00:00Z',
  ...o,
});
const resolved = (alertname: string, endsAt = '2026-01-01T12:30:00Z') =>
  firing(alertname, { status: 'resolved', endsAt });
async function alertsNamed(alertname: string): Promise<Alert[]> {
  const list: KubeList<Alert> = JSON.parse(
    await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']),
  );
  return list.items.filter((alert) => alert.spec.labels?.alertname === alertname);
}
const writes = async (alertname: string): Promise<number[]> => {
  const names = new Set((await alertsNamed(alertname)).map((a) => a.metadata.name));
  return [...(await writesIn(inject('etcdUrl'), 'alerts', team.namespace))]
    .filter(([name]) => names.has(name))
    .map(([, n]) => n);
};

describe('alerts of Alertmanager’s webhook', () => {
  it('are in etcd when the answer is 200; a repeat writes nothing, a resolve writes once', async () => {
    expect(await send(one.url, team, [firing('Repeat')])).toMatchObject({ status: 200, body: { created: 1 } });
    for (let i = 0; i < 5; i += 1)
      expect(await send(one.url, team, [firing('Repeat')])).toMatchObject({ status: 200, body: { unchanged: 1 } });
    expect(await writes('Repeat')).toEqual([1]);
    expect(await send(one.url, team, [resolved('Repeat')])).toMatchObject({ status: 200, body: { updated: 1 } });
    expect(await send(one.url, team, [resolved('Repeat')])).toMatchObject({ status: 200, body: { unchanged: 1 } });
    expect(await writes('Repeat')).toEqual([2]);
    expect((await alertsNamed('Repeat'))[0]?.spec).toMatchObject({
      state: 'Resolved',
      endsAt: '2026-01-01T12:30:00.000000Z',
    });
  });

  it('of two replicas that race on new faults make one object each', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `Race${i}`);
    const answers = await Promise.all(
      names.flatMap((name) => [one, two, one, two].map(({ url }) => send(url, team, [firing(name)]))),
    );
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]));
    for (const name of names) expect(await alertsNamed(name)).toHaveLength(1);
    expect(answers.reduce((sum, a) => sum + a.body.created, 0)).toBe(names.length);
  });

  it('stand alone in a body: the good are stored, the bad named, one that stands twice is one', async () => {
    const answer = await send(one.url, team, [
      firing('Mixed'),
      { labels: { alertname: [7] } },
      resolved('MixedGone'),
      firing('Mixed'),
      'x',
    ]);
    expect(answer).toMatchObject({
      status: 400,
      body: {
        code: 'Invalid',
        created: 2,
        unchanged: 1,
        problems: [{ index: 1, field: 'labels["alertname"]', found: 'a list of 1' }, { index: 4 }],
      },
    });
    expect(await writes('Mixed')).toEqual([1]);
    expect((await alertsNamed('MixedGone'))[0]?.spec.state).toBe('Resolved');
  });

  it('come in hundreds, gzipped or not, and an empty list is fine', async () => {
    const many = Array.from({ length: 300 }, (_, i) => firing('Many', { labels: { alertname: 'Many', pod: `p${i}` } }));
    const body = gzipSync(JSON.stringify({ alerts: many }));
    expect(
      await send(one.url, team, [], { body: new Uint8Array(body), headers: { 'content-encoding': 'gzip' } }),
    ).toMatchObject({ status: 200, body: { created: 300 } });
    expect(await send(one.url, team, many)).toMatchObject({ status: 200, body: { unchanged: 300 } });
    expect(await send(one.url, team, [])).toMatchObject({ status: 200 });
  });

  it('keep labels that mean something to JavaScript', async () => {
    const body = '{"alerts":[{"status":"firing","labels":{"alertname":"Proto","__proto__":"x","constructor":"y"}}]}';
    expect((await send(one.url, team, [], { body })).status).toBe(200);
    const [alert] = await alertsNamed('Proto');
    expect(Object.entries(alert?.spec.labels ?? {})).toContainEqual(['__proto__', 'x']);
  });

  it('without times fire once and resolve once', async () => {
    const bare = { status: 'firing', labels: { alertname: 'Bare' } };
    expect(await send(one.url, team, [bare])).toMatchObject({ body: { created: 1 } });
    expect(await send(one.url, team, [bare])).toMatchObject({ body: { unchanged: 1 } });
    expect(await send(one.url, team, [{ ...bare, status: 'resolved' }])).toMatchObject({ body: { updated: 1 } });
    expect(await send(one.url, team, [{ ...bare, status: 'resolved' }])).toMatchObject({ body: { unchanged: 1 } });
    expect(await writes('Bare')).toEqual([2]);
  });
});

describe('alerts of Prometheus', () => {
  const path = '/api/v2/alerts';
  it('fire while their end lies ahead, which is not kept, and resolve when it is past; the answer is empty', async () => {
    const alert = {
      labels: { alertname: 'Lease' },
      startsAt: START,
      endsAt: '2999-01-01T00:00:00Z',
      generatorURL: 'http://prometheus:9090/graph',
    };
    expect(await send(one.url, team, [alert], { path })).toMatchObject({ status: 200, body: '' });
    expect((await alertsNamed('Lease'))[0]?.spec).toMatchObject({ state: 'Firing' });
    expect((await alertsNamed('Lease'))[0]?.spec.endsAt).toBeUndefined();
    await send(one.url, team, [{ ...alert, endsAt: '2999-01-01T00:05:00Z' }], { path });
    expect(await writes('Lease')).toEqual([1]);
    await send(one.url, team, [{ ...alert, endsAt: '2026-01-01T12:10:00Z' }], { path });
    expect((await alertsNamed('Lease'))[0]?.spec).toMatchObject({
      state: 'Resolved',
      endsAt: '2026-01-01T12:10:00.000000Z',
    });
  });

  it('are the same faults as those of the webhook', async () => {
    await send(one.url, team, [firing('Both')]);
    await send(one.url, team, [{ labels: { alertname: 'Both' }, startsAt: START }], { path });
    expect(await writes('Both')).toEqual([1]);
  });

  it('are stored when valid, though the answer is 400 for others', async () => {
    expect(await send(one.url, team, [{ labels: { alertname: 'Valid' } }, { labels: {} }], { path })).toMatchObject({
      status: 400,
      body: expect.stringContaining('1 of 2 alerts are stored; 1 is not: alerts[1].labels'),
    });
    expect(await alertsNamed('Valid')).toHaveLength(1);
  });
});

describe('who and what is refused', () => {
  it('401 without the token, with a wrong one, with another source’s; never with its value', async () => {
    const other = await aTeam(stage);
    await untilKnown(one.url, other);
    for (const headers of [
      { authorization: '' },
      { authorization: 'Basic eDp5' },
      { authorization: 'Bearer nope' },
      { authorization: `Bearer ${other.token}` },
    ]) {
      const answer = await send(one.url, team, [firing('Refused')], { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      expect(JSON.stringify(answer.body)).not.toContain(team.token);
    }
    expect(await alertsNamed('Refused')).toEqual([]);
  });

  it('404 for what does not exist and what cannot be a name, 405 for other methods, 415 for other types', async () => {
    expect((await send(one.url, team, [], { source: 'none' })).status).toBe(404);
    expect((await send(one.url, { ...team, namespace: 'no-such-namespace' }, [])).status).toBe(404);
    expect((await send(one.url, { ...team, namespace: 'No_Name' }, [])).status).toBe(404);
    expect((await send(one.url, team, [], { source: 'x'.repeat(500) })).body.code).toBe('NotFound');
    expect((await send(one.url, team, [], { source: '%zz' })).body.code).toBe('Invalid');
    expect((await send(one.url, team, [], { source: 'prom/' })).status).toBe(200);
    const get = await fetch(`${one.url}/alerts/${team.namespace}/prom`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await fetch(`${one.url}/alerts/${team.namespace}/prom/api/v2/alerts`, { method: 'PUT' })).status).toBe(405);
    const form = await send(one.url, team, [], {
      body: '{}',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([form.status, form.body.message]).toEqual([415, expect.stringContaining('curl -d')]);
    expect(
      (
        await send(one.url, team, [firing('Charset')], {
          headers: { 'content-type': 'application/json; charset=utf-8' },
        })
      ).status,
    ).toBe(200);
    expect((await send(one.url, team, [], { headers: { 'content-encoding': 'snappy' } })).status).toBe(415);
  });

  it('413 for what is too large, also when only gzip made it small', async () => {
    const large = JSON.stringify({ alerts: [], filler: ' '.repeat(9 * 1024 * 1024) });
    expect((await send(one.url, team, [], { body: large })).status).toBe(413);
    const bomb = new Uint8Array(gzipSync(large));
    const answer = await send(one.url, team, [], { body: bomb, headers: { 'content-encoding': 'gzip' } });
    expect([answer.status, answer.body.message]).toEqual([413, expect.stringContaining('8388608')]);
  });

  it('400 with the place of what is not JSON, and for broken gzip', async () => {
    expect((await send(one.url, team, [], { body: '{"alerts":\n [}' })).body.message).toContain('line 2, column 3');
    expect(
      (await send(one.url, team, [], { body: '{}', headers: { 'content-encoding': 'gzip' } })).body.message,
    ).toContain('not valid gzip');
    expect((await send(one.url, team, [], { body: '[]' })).body.message).toContain('/api/v2/alerts');
  });
});

describe('a Secret', () => {
  it('that is rotated works at once, with both tokens while it holds both', async () => {
    const own = await aTeam(stage);
    await untilKnown(one.url, own);
    expect((await send(one.url, own, [firing('Rotated')])).status).toBe(200);
    await own.setToken(`next\n${own.token}\n`);
    await until(
      'the new token to be taken',
      3_000,
      async () => (await send(one.url, own, [], { token: 'next' })).status === 200,
    );
    expect((await send(one.url, own, [])).status).toBe(200);
    await own.setToken('next');
    await until('the old token to be refused', 15_000, async () => (await send(one.url, own, [])).status === 401);
  });

  it('that is missing, or has no such key, is 503: its owner can mend it, and the sender tries again', async () => {
    const own = await aTeam(stage);
    await untilKnown(one.url, own);
    await own.kubectl.run(['delete', 'secret', 'prom', '-n', own.namespace]);
    const answer = await until('the Secret to be missed', 15_000, async () => {
      const got = await send(one.url, own, []);
      return got.status === 200 ? undefined : got;
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(answer.body.message).not.toContain('prom');
  });
});

describe('while the API server is away', () => {
  it('nothing is answered 2xx that is not in etcd, and what was sent again is there afterwards', async () => {
    expect((await send(flaky.url, team, [firing('Away')])).status).toBe(200);
    proxy.set({ refuse: true });
    proxy.cut();
    const answer = await send(flaky.url, team, [firing('AwayNew'), 'bad']);
    expect([answer.status, answer.body.notStored, answer.body.problems.length]).toEqual([503, 1, 1]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    proxy.set();
    proxy.cut();
    await until(
      'the alert to be taken',
      30_000,
      async () => (await send(flaky.url, team, [firing('AwayNew')])).status === 200,
    );
    expect(await alertsNamed('AwayNew')).toHaveLength(1);
  });

  it('and only silent, the answer is 503 before a sender gives up', async () => {
    await until(
      'the source to be known again',
      30_000,
      async () => (await send(flaky.url, team, [firing('Awake')])).status === 200,
    );
    proxy.set({ silent: true });
    const started = performance.now();
    const answer = await send(flaky.url, team, [firing('Silent')]);
    expect(answer.status).toBe(503);
    expect(performance.now() - started).toBeLessThan(10_000);
    proxy.set();
    proxy.cut();
  });
});

describe('a namespace that is being deleted', () => {
  it('takes no more alerts, and that is final', async () => {
    const own = await aTeam(stage);
    await untilKnown(one.url, own);
    expect((await send(one.url, own, [firing('Last')])).status).toBe(200);
    // The source must outlive its namespace for a while, as it does when something in it has a finalizer.
    await own.kubectl.run([
      'patch',
      'alertsources.funnelai.dev',
      'prom',
      '-n',
      own.namespace,
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["example.com/hold"]}}',
    ]);
    await own.kubectl.run([
      'patch',
      'secret',
      'prom',
      '-n',
      own.namespace,
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["example.com/hold"]}}',
    ]);
    await own.kubectl.run(['delete', 'namespace', own.namespace, '--wait=false']);
    const answer = await until('the namespace to refuse', 20_000, async () => {
      const got = await send(one.url, own, [firing('TooLate')]);
      return got.status === 200 ? undefined : got;
    });
    expect([answer.status, answer.body.message]).toEqual([404, expect.stringContaining('being terminated')]);
    for (const object of ['alertsources.funnelai.dev/prom', 'secret/prom']) {
      await own.kubectl.run([
        'patch',
        object,
        '-n',
        own.namespace,
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      ]);
    }
  });
});

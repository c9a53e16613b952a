/** Who comes in, how, and whose alerts they are then: the ways of AlertSource.spec.auth, and routes, on a real API server. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Alert } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { INTAKE_STRANGERS_PER_SOURCE } from './limits.ts';
import { aTeam, type Running, startInProcess, type Team } from './testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
const SOON_MS = 20_000;
let one: Running;
let team: Team;

beforeAll(async () => {
  team = await aTeam(stage);
  one = await startInProcess(stage.kubeconfig);
});
afterAll(async () => one?.stop());

const apply = (...items: object[]) =>
  team.kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: items.map((item) => JSON.stringify(item)).join('\n---\n'),
  });
const aSecret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: team.namespace },
  stringData,
});
const aSource = (name: string, spec: object, namespace = team.namespace) => ({
  apiVersion: 'funnelai.dev/v1alpha1',
  kind: 'AlertSource',
  metadata: { name, namespace },
  spec: { format: 'Alertmanager', ...spec },
});
const alert = (alertname: string, o: object = {}) => ({
  status: 'firing',
  labels: { alertname },
  startsAt: '2026-01-01T12:00:00Z',
  ...o,
});

interface Answer {
  status: number;
  headers: Headers;
  body: { message?: string; created?: number; updated?: number };
}
/** `sign` adds headers that depend on the bytes that are sent. */
async function post(
  source: string,
  alerts: object[],
  o: { headers?: Record<string, string>; sign?: (body: string) => Record<string, string> } = {},
): Promise<Answer> {
  const body = JSON.stringify({ version: '4', alerts });
  const response = await fetch(`${one.url}/alerts/${team.namespace}/${source}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...o.headers, ...o.sign?.(body) },
    body,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}
const untilStatus = (what: string, status: number, send: () => Promise<Answer>) =>
  until(what, SOON_MS, async () => (await send()).status === status);
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });

async function alertsIn(namespace: string): Promise<Alert[]> {
  const list: KubeList<Alert> = JSON.parse(
    await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', namespace, '-o', 'json']),
  );
  return list.items;
}

describe('a user name and a password', () => {
  it('let in, are asked for, and change without a gap', async () => {
    await apply(
      { ...aSecret('sns', { username: 'sns', password: 'first' }), type: 'kubernetes.io/basic-auth' },
      aSource('sns', { auth: { basic: { secretRef: { name: 'sns' } } } }),
    );
    await untilStatus('the source to be known', 401, () => post('sns', []));
    const asked = await post('sns', []);
    expect(asked.headers.get('www-authenticate')).toContain('Basic realm=');
    expect((await post('sns', [alert('Basic')], { headers: basic('sns:first') })).status).toBe(200);
    for (const wrong of ['sns:second', 'sns:', 'first', 'sns:first\n'])
      expect((await post('sns', [], { headers: basic(wrong) })).status, wrong).toBe(401);
    expect((await post('sns', [], { headers: { authorization: 'Bearer first' } })).status).toBe(401);

    await apply({
      ...aSecret('sns', { username: 'sns', password: 'second\nfirst' }),
      type: 'kubernetes.io/basic-auth',
    });
    await untilStatus('the second', 200, () => post('sns', [], { headers: basic('sns:second') }));
    expect((await post('sns', [], { headers: basic('sns:first') })).status).toBe(200);
    await apply({ ...aSecret('sns', { username: 'sns', password: 'second' }), type: 'kubernetes.io/basic-auth' });
    await untilStatus('the first to be refused', 401, () => post('sns', [], { headers: basic('sns:first') }));
  });
});

describe('a signature of the body', () => {
  const signed = (key: string) => (body: string) => ({
    'x-signature': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  });

  it('lets in under any key of the Secret, and tells what it lacks', async () => {
    await apply(
      aSecret('flux', { key: 'k1' }),
      aSource('flux', {
        auth: { hmac: { secretRef: { name: 'flux', key: 'key' }, header: 'X-Signature', prefix: 'sha256=' } },
      }),
    );
    await untilStatus('the source to be known', 200, () => post('flux', [], { sign: signed('k1') }));
    expect((await post('flux', [alert('Signed')], { sign: signed('k1') })).body.created).toBe(1);
    const wrong = await post('flux', [alert('Forged')], { sign: () => signed('k1')('another body') });
    expect([wrong.status, wrong.body.message]).toEqual([401, expect.stringContaining('HMAC-SHA256 of the body')]);
    expect((await post('flux', [])).body.message).toContain('X-Signature: found no such header');
    await apply(aSecret('flux', { key: 'k1\nk2' }));
    await untilStatus('the second key', 200, () => post('flux', [], { sign: signed('k2') }));
    expect((await post('flux', [], { sign: signed('k1') })).status).toBe(200);
    expect((await alertsIn(team.namespace)).map(({ spec }) => spec.labels?.alertname)).not.toContain('Forged');
  });

  it('of strangers whose bodies never end shuts out nobody', async () => {
    const port = Number(new URL(one.url).port);
    const sockets: Socket[] = Array.from({ length: INTAKE_STRANGERS_PER_SOURCE + 4 }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(
        `POST /alerts/${team.namespace}/flux HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n` +
          `x-signature: sha256=${randomBytes(32).toString('hex')}\r\ncontent-length: 1000000\r\n\r\n{`,
      );
      return socket;
    });
    const answers: string[] = [];
    for (const socket of sockets) socket.on('data', (part) => answers.push(part.toString('latin1')));
    await until('the oldest to be sent away', SOON_MS, () => answers.length >= 4);
    for (let i = 0; i < 5; i += 1)
      expect((await post('flux', [alert(`Through${i}`)], { sign: signed('k1') })).status).toBe(200);
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 503'))).toBe(true);
    for (const socket of sockets) socket.destroy();
  });
});

describe('the monitoring of the clouds', () => {
  const recorded = (name: string) =>
    readFileSync(new URL(`./receivers/recorded/${name}.json`, import.meta.url), 'utf8');
  const send = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${one.url}/alerts/${team.namespace}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const statesOf = async (source: string) =>
    (await alertsIn(team.namespace)).filter(({ spec }) => spec.sourceRef.name === source).map(({ spec }) => spec.state);

  it('comes in with what its channels can show: a token in the address, or a password', async () => {
    await apply(
      aSecret('clouds', { token: 'a-long-random-token', username: 'google', password: 'a-long-random-password' }),
      aSource('azure', { format: 'AzureMonitor', auth: { bearer: { secretRef: { name: 'clouds', key: 'token' } } } }),
      aSource('google', { format: 'GoogleMonitoring', auth: { basic: { secretRef: { name: 'clouds' } } } }),
    );
    const azure = (name: string, token = 'a-long-random-token') =>
      send(`azure?token=${token}`, recorded(`AzureMonitor/${name}`));
    const google = (name: string, pair = 'google:a-long-random-password') =>
      send('google', recorded(`GoogleMonitoring/${name}`), basic(pair));
    for (const fires of [azure, google])
      await until('the source to be known', SOON_MS, async () => (await fires('firing')).status === 200);
    expect(await statesOf('azure')).toEqual(['Firing']);
    expect(await statesOf('google')).toEqual(['Firing']);
    expect((await azure('resolved', 'another')).status).toBe(401);
    expect((await google('resolved', 'google:another')).status).toBe(401);
    expect([(await azure('resolved')).status, (await google('resolved')).status]).toEqual([200, 200]);
    expect(await statesOf('azure')).toEqual(['Resolved']);
    expect(await statesOf('google')).toEqual(['Resolved']);
    const refused = await azure('malformed.old-schema');
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining('enable the common alert schema'),
    ]);
  });
});

describe('nothing at all', () => {
  it('is enough only where the source says so, and then each alert carries it', async () => {
    await apply(aSource('open', { auth: { none: {} } }));
    await untilStatus('the source to be known', 200, () => post('open', []));
    expect((await post('open', [alert('Anyone')])).body.created).toBe(1);
    const made = (await alertsIn(team.namespace)).find(({ spec }) => spec.sourceRef.name === 'open');
    expect(made?.spec.notes).toEqual([expect.stringContaining('nobody vouches for this alert')]);
  });
});

describe('one sender for many teams', () => {
  it('has its alerts where their routes lead, if someone accepts there, and ends them where they fire', async () => {
    const pay = await aTeam(stage);
    const web = await aTeam(stage);
    const routes = (...pairs: [string, Team][]) =>
      pairs.map(([name, { namespace }]) => ({ match: [`team="${name}"`], namespace }));
    const shared = (...pairs: [string, Team][]) =>
      aSource('shared', { auth: { none: {} }, labels: { cluster: 'eu-1' }, routes: routes(...pairs) });
    const accepting = ({ namespace }: Team) =>
      aSource(
        'platform',
        { acceptFrom: { namespace: team.namespace, name: 'shared' }, labels: { tier: '1' } },
        namespace,
      );
    await apply(shared(['pay', pay], ['web', web]), accepting(pay));
    await untilStatus('the source to be known', 200, () => post('shared', []));
    const told = (name: string, namespace: string, state: string) =>
      until(`${name} to be ${state} in ${namespace}`, SOON_MS, async () =>
        (await alertsIn(namespace)).some(({ spec }) => spec.labels?.alertname === name && spec.state === state),
      );
    const of = (name: string, who: string) => alert(name, { labels: { alertname: name, team: who } });

    // The webhook hears of the source that accepts when it does: until then alerts stay, and do so to their end.
    let n = 0;
    await until('a route to be taken', SOON_MS, async () => {
      n += 1;
      await post('shared', [of(`Probe${n}`, 'pay')]);
      return (await alertsIn(pay.namespace)).length > 0;
    });
    expect((await post('shared', [of('Paid', 'pay'), of('Webbed', 'web')])).status).toBe(200);
    await told('Paid', pay.namespace, 'Firing');
    await told('Webbed', team.namespace, 'Firing');
    expect(await alertsIn(web.namespace)).toEqual([]);
    const paid = (await alertsIn(pay.namespace)).find(({ spec }) => spec.labels?.alertname === 'Paid');
    expect(paid?.spec).toMatchObject({ sourceRef: { name: 'platform' }, labels: { cluster: 'eu-1', tier: '1' } });
    expect(paid?.spec.notes).toContain(`routed here by AlertSource ${team.namespace}/shared`);
    const refused = await fetch(`${one.url}/alerts/${pay.namespace}/platform`, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(404);

    // Now pay's alerts go to web, which has opted in by now: what fires stays until it ends.
    await apply(shared(['pay', web]), accepting(web));
    await until('the new route to be taken', SOON_MS, async () => {
      n += 1;
      await post('shared', [of(`Probe${n}`, 'pay')]);
      return (await alertsIn(web.namespace)).length > 0;
    });
    const over = { status: 'resolved', endsAt: '2026-01-01T12:30:00Z' };
    expect((await post('shared', [of('Paid', 'pay')])).status).toBe(200);
    expect((await post('shared', [{ ...of('Paid', 'pay'), ...over }])).body.updated).toBe(1);
    await told('Paid', pay.namespace, 'Resolved');
    expect((await post('shared', [{ ...of('Paid', 'pay'), startsAt: '2026-01-01T13:00:00Z' }])).body.created).toBe(1);
    await told('Paid', web.namespace, 'Firing');
    expect((await post('shared', [{ ...of('Webbed', 'web'), ...over }])).body.updated).toBe(1);
    await told('Webbed', team.namespace, 'Resolved');
  });
});

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import type { KubeList } from '@funnelai/crds/meta';
import { migrate } from '@funnelai/history/migrate';
import { createMirror } from '@funnelai/history/mirror';
import { createPool } from '@funnelai/history/pool';
import { createQueries } from '@funnelai/history/queries';
import { systemClock } from '@funnelai/kube/clock';
import { silentLog } from '@funnelai/kube/log';
import { createDatabase } from '@funnelai/test/harness/database';
import type { Context } from '@funnelai/test/harness/users';
import { userOf } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ask, aTeam, type Running, send, startInProcess, type Team, untilKnown } from './testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let app: Running;
let team: Team;
let folder: string;
let database: { url: string; drop(): Promise<void> };
let pool: ReturnType<typeof createPool>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webhook-api-'));
  const hash = (code: string) => createHash('sha256').update(code).digest('hex');
  const codes = { [hash('code-one')]: userOf('ana').token, [hash('code-two')]: 'not-a-token' };
  await writeFile(join(folder, 'codes.json'), JSON.stringify({ codes }));
  await writeFile(join(folder, 'welcome.json'), JSON.stringify({ lines: [{ label: 'send', command: 'curl secret' }] }));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>pages</title>');
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'assets', 'app-3f9c2a.js'), '1;');
  database = await createDatabase(inject('databaseUrl'));
  pool = createPool(database.url);
  await migrate(pool, silentLog());
  team = await aTeam(stage);
  app = await startInProcess(stage.kubeconfig, {
    queries: createQueries({ pool }),
    signInFile: join(folder, 'codes.json'),
    welcomeFile: join(folder, 'welcome.json'),
    uiDir: folder,
  });
  await untilKnown(app.url, team);
});
afterAll(async () => {
  await app?.stop();
  await pool?.end();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

const path = (name: string): string => `/api/incidents/${team.namespace}/${name}`;
async function declared(title: string, o: object = {}): Promise<string> {
  const answer = await ask(app.url, 'ana', `/api/incidents/${team.namespace}`, {
    method: 'POST',
    body: { title, severity: 'High', ...o },
  });
  expect(answer.status).toBe(201);
  return answer.body.name;
}
const edit = (who: Context, name: string, edits: object[], reason?: string) =>
  ask(app.url, who, path(name), { method: 'PATCH', body: { edits, ...(reason === undefined ? {} : { reason }) } });
const live = async (name: string): Promise<Incident> =>
  JSON.parse(await team.kubectl.run(['get', 'incidents.funnelai.dev', name, '-n', team.namespace, '-o', 'json']));

describe('rights', () => {
  const WHO: Context[] = ['admin', 'nsadmin', 'ana', 'viewer', 'stranger'];

  it('are on every route what kubectl auth can-i says', async () => {
    const name = await declared('Rights');
    await send(app.url, team, [{ status: 'firing', labels: { alertname: 'Rights' } }]);
    const alert = await until(
      'the alert to be listed',
      5_000,
      async () =>
        (await ask(app.url, 'ana', `/api/alerts?namespace=${team.namespace}&alertname=Rights`)).body.items[0]?.name,
    );
    const ns = team.namespace;
    const routes: [verb: string, resource: string, request: (who: Context) => Promise<{ status: number }>][] = [
      ['list', 'incidents', (who) => ask(app.url, who, `/api/incidents?namespace=${ns}`)],
      ['get', 'incidents', (who) => ask(app.url, who, path(name))],
      ['get', 'incidents', (who) => ask(app.url, who, `${path(name)}/yaml`)],
      ['get', 'incidents', (who) => ask(app.url, who, path('there-is-none'))],
      [
        'create',
        'incidents',
        (who) => ask(app.url, who, `/api/incidents/${ns}`, { method: 'POST', body: { title: 'x', severity: 'Low' } }),
      ],
      [
        'patch',
        'incidents',
        async (who) => edit(who, name, [{ field: 'title', from: (await live(name)).spec.title, to: `by ${who}` }]),
      ],
      ['list', 'alerts', (who) => ask(app.url, who, `/api/alerts?namespace=${ns}`)],
      ['get', 'alerts', (who) => ask(app.url, who, `/api/alerts/${ns}/${alert}`)],
      ['get', 'alerts', (who) => ask(app.url, who, `/api/alerts/${ns}/${alert}/yaml`)],
      ['list', 'correlationrules', (who) => ask(app.url, who, `/api/rules?namespace=${ns}`)],
      ['get', 'correlationrules', (who) => ask(app.url, who, `/api/rules/${ns}/there-is-none`)],
      ['get', 'correlationrules', (who) => ask(app.url, who, `/api/rules/${ns}/there-is-none/yaml`)],
    ];
    for (const who of WHO) {
      const access = (await ask(app.url, who, `/api/access?namespace=${ns}`)).body;
      for (const [verb, resource, request] of routes) {
        const may =
          (
            await team.kubectl.try(['auth', 'can-i', verb, `${resource}.funnelai.dev`, '-n', ns], { as: who })
          ).stdout.trim() === 'yes';
        const { status } = await request(who);
        expect([who, verb, resource, status === 403]).toEqual([who, verb, resource, !may]);
        expect([who, verb, resource, access[resource].includes(verb)]).toEqual([who, verb, resource, may]);
      }
      const everywhere =
        (
          await team.kubectl.try(['auth', 'can-i', 'list', 'incidents.funnelai.dev', '-A'], { as: who })
        ).stdout.trim() === 'yes';
      expect([who, (await ask(app.url, who, '/api/incidents')).status]).toEqual([who, everywhere ? 200 : 403]);
      const { namespaces, all } = (await ask(app.url, who, '/api/namespaces')).body;
      expect([who, all, namespaces.includes(ns)]).toEqual([who, everywhere, who !== 'stranger']);
    }
  });

  it('that are missing are named, with a command that grants them', async () => {
    const own = await aTeam(stage);
    const url = `/api/incidents?namespace=${own.namespace}`;
    const { status, body } = await ask(app.url, 'stranger', url);
    expect([status, body.code]).toEqual([403, 'Forbidden']);
    expect(body.missing).toMatchObject({ verb: 'list', resource: 'incidents.funnelai.dev', namespace: own.namespace });
    await own.kubectl.run(body.missing.grant.split(' ').slice(1));
    await until('the grant to hold', 15_000, async () => (await ask(app.url, 'stranger', url)).status === 200);
  });

  it('to read Secrets everywhere are needed for the welcome lines, which hold one', async () => {
    for (const who of WHO) {
      const may =
        (await team.kubectl.try(['auth', 'can-i', 'get', 'secrets', '-A'], { as: who })).stdout.trim() === 'yes';
      const { status, body } = await ask(app.url, who, '/api/me');
      expect([who, status, body.welcome !== undefined]).toEqual([who, 200, may]);
      expect([who, may]).toEqual([who, who === 'admin']);
    }
  });

  it('are nobody’s without a good token', async () => {
    for (const route of ['/api/me', '/api/incidents', '/api/stream', '/api/namespaces', path('x')]) {
      expect((await fetch(`${app.url}${route}`)).status).toBe(401);
      expect((await fetch(`${app.url}${route}`, { headers: { authorization: 'Bearer forged' } })).status).toBe(401);
    }
  });
});

describe('two people', () => {
  it('on different fields both succeed', async () => {
    const name = await declared('Two people');
    const [a, b] = await Promise.all([
      edit('ana', name, [{ field: 'severity', from: 'High', to: 'Critical' }]),
      edit('bo', name, [{ field: 'owner', from: null, to: 'bo' }]),
    ]);
    expect([a.status, b.status]).toEqual([200, 200]);
    expect((await live(name)).spec).toMatchObject({ severity: 'Critical', owner: { name: 'bo' } });
  });

  it('on the same field: one wins, and the other learns who, when and both values', async () => {
    const name = await declared('Same field');
    const answers = await Promise.all([
      edit('ana', name, [{ field: 'owner', from: null, to: 'ana' }]),
      edit('bo', name, [{ field: 'owner', from: null, to: 'bo' }]),
    ]);
    expect(answers.map((a) => a.status).sort()).toEqual([200, 409]);
    const winner = answers[0]?.status === 200 ? 'ana' : 'bo';
    const loser = winner === 'ana' ? 'bo' : 'ana';
    const { body } = answers.find((a) => a.status === 409) ?? {};
    expect(body).toMatchObject({
      code: 'Conflict',
      field: 'spec.owner',
      conflict: { field: 'owner', by: winner, yours: loser, theirs: winner },
    });
    expect(body.conflict.at).toMatch(/^\d{4}-.*Z$/);
    expect((await live(name)).spec.owner?.name).toBe(winner);
  });

  it('one with kubectl: the browser’s stale title is not written, and says whose hand it was', async () => {
    const name = await declared('Old title');
    await team.kubectl.run(
      ['patch', 'incidents.funnelai.dev', name, '-n', team.namespace, '--type=merge', '-p', '{"spec":{"title":"New"}}'],
      { as: 'bo' },
    );
    const { status, body } = await edit('ana', name, [{ field: 'title', from: 'Old title', to: 'Mine' }]);
    expect([status, body.conflict]).toEqual([
      409,
      expect.objectContaining({ by: 'kubectl-patch', theirs: 'New', yours: 'Mine' }),
    ]);
  });

  it('a phase and its owner go together or not at all', async () => {
    const name = await declared('Together');
    await edit('bo', name, [{ field: 'owner', from: null, to: 'bo' }]);
    const both = [
      { field: 'phase', from: 'Detection', to: 'Response' },
      { field: 'owner', from: null, to: 'ana' },
    ];
    expect((await edit('ana', name, both)).status).toBe(409);
    expect((await live(name)).spec.phase).toBe('Detection');
  });
});

describe('a write', () => {
  it('is the person’s: admission notes who, what and why', async () => {
    const name = await declared('Whose', { onIt: true });
    const { body } = await edit(
      'bo',
      name,
      [{ field: 'phase', from: 'Response', to: 'Mitigation' }],
      'rolled back; 50% | done',
    );
    expect(body.timeline.at(-1)).toMatchObject({
      kind: 'Phase',
      by: 'bo',
      from: 'Response',
      to: 'Mitigation',
      reason: 'rolled back; 50% | done',
      verified: true,
    });
    expect(body.timeline[0]).toMatchObject({ kind: 'Opened', by: 'ana' });
    expect((await live(name)).spec).toMatchObject({
      owner: { name: 'ana' },
      reportedBy: 'ana',
      phaseReason: 'rolled back; 50% | done',
    });
  });

  it('that the API server refuses comes back in its words, with the field', async () => {
    const name = await declared('Refused');
    const { status, body } = await edit('ana', name, [{ field: 'phase', from: 'Detection', to: 'Mitigation' }]);
    expect([status, body.code, body.field]).toEqual([422, 'Invalid', 'spec.phase']);
    expect(body.message).toContain('phase Detection cannot go to Mitigation; it can go to Response or Resolution');
    const declaredBadly = await ask(app.url, 'ana', `/api/incidents/${team.namespace}`, {
      method: 'POST',
      body: { title: '', severity: 'Awful' },
    });
    expect([declaredBadly.status, declaredBadly.body.field]).toEqual([422, expect.stringMatching(/^spec\./)]);
    expect((await edit('ana', name, [])).status).toBe(400);
    expect((await edit('ana', name, [{ field: 'origin', from: null, to: 'x' }])).status).toBe(400);
  });

  it('sets and removes every field that may be edited', async () => {
    const name = await declared('Every field');
    const other = await declared('Other');
    const steps: [string, unknown, unknown][] = [
      ['title', 'Every field', 'Renamed'],
      ['summary', null, 'known'],
      ['summary', 'known', null],
      ['priority', 'P2', 'P1'],
      ['owner', null, 'ana'],
      ['owner', 'ana', null],
      ['resolution', null, { reason: 'Fixed', cause: 'dns' }],
      ['resolution', { cause: 'dns', reason: 'Fixed' }, null],
    ];
    for (const [field, from, to] of steps)
      expect([field, to, (await edit('ana', name, [{ field, from, to }])).status]).toEqual([field, to, 200]);
    const merge = [
      { field: 'phase', from: 'Detection', to: 'Closed' },
      { field: 'mergedInto', from: null, to: other },
    ];
    expect((await edit('ana', name, merge)).body.item).toMatchObject({ phase: 'Closed', mergedInto: other });
    expect((await edit('ana', name, [{ field: 'phase', from: 'Closed', to: 'Response' }])).status).toBe(200);
    expect((await live(name)).spec.mergedInto).toBeUndefined();
  });
});

describe('what is read', () => {
  it('is in the list as soon as it was written here, and as kubectl prints it', async () => {
    const name = await declared('Listed');
    const { body } = await ask(app.url, 'ana', `/api/incidents?namespace=${team.namespace}&q=${name}`);
    expect(body.items.map((i: { name: string }) => i.name)).toEqual([name]);
    const yaml = (await ask(app.url, 'ana', `${path(name)}/yaml`)).body;
    expect(yaml).toBe(
      await team.kubectl.run(['get', 'incidents.funnelai.dev', name, '-n', team.namespace, '-o', 'yaml']),
    );
  });

  it('is found in history when it is gone from the cluster', async () => {
    const name = await declared('Gone');
    const incident = await live(name);
    const mirror = createMirror({ pool, clock: systemClock, log: silentLog() });
    await mirror.putIncident({
      ...incident,
      status: {
        observedGeneration: 1,
        changeSequence: 1,
        changes: [
          {
            sequence: 1,
            kind: 'Phase',
            from: '',
            to: 'Detection',
            at: '2026-01-01T12:00:00Z',
            recordedAt: '2026-01-01T12:00:00Z',
            by: 'ana',
          },
        ],
      },
    });
    await team.kubectl.run([
      'patch',
      'incidents.funnelai.dev',
      name,
      '-n',
      team.namespace,
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ]);
    await team.kubectl.run(['delete', 'incidents.funnelai.dev', name, '-n', team.namespace]);
    await mirror.markDeleted('Incident', incident.metadata.uid ?? '', systemClock.now());
    const { status, body } = await ask(app.url, 'viewer', path(name));
    expect([status, body.item.name, body.history]).toEqual([200, name, { available: true }]);
    expect(body.deletedAt).toMatch(/Z$/);
    expect(body.timeline).toContainEqual(expect.objectContaining({ sequence: 1, kind: 'Opened', by: 'ana' }));
    expect((await ask(app.url, 'stranger', path(name))).status).toBe(403);
    expect((await ask(app.url, 'ana', path('never-was'))).status).toBe(404);
  });

  it('of an alert is found in history, too, when the alert is gone from the cluster', async () => {
    const title = `Gone ${team.namespace}`;
    const incident = await declared(title);
    await send(app.url, team, [
      { status: 'firing', labels: { alertname: 'GoneAlert' }, startsAt: '2026-01-01T12:00:00Z' },
    ]);
    const { items } = JSON.parse(
      await team.kubectl.run(['get', 'alerts.funnelai.dev', '-n', team.namespace, '-o', 'json']),
    ) as KubeList<Alert>;
    const alert = items.find((one) => one.spec.labels?.alertname === 'GoneAlert');
    if (alert === undefined) throw new Error('the alert is not in the cluster');
    const { name, uid = '' } = alert.metadata;
    const url = `/api/alerts/${team.namespace}/${name}`;
    expect((await ask(app.url, 'viewer', url)).body.deletedAt).toBeUndefined();
    const mirror = createMirror({ pool, clock: systemClock, log: silentLog() });
    const status = { episode: 1, episodeStartedAt: alert.spec.startsAt, incidentRef: { name: incident } };
    await mirror.putAlerts([{ ...alert, status }]);
    await team.kubectl.run(['delete', 'alerts.funnelai.dev', name, '-n', team.namespace]);
    await mirror.markDeleted('Alert', uid, systemClock.now());

    const found = await ask(app.url, 'viewer', url);
    expect([found.status, found.body.alert.metadata.uid, found.body.alert.spec.title]).toEqual([200, uid, 'GoneAlert']);
    expect(found.body).toMatchObject({ deletedAt: expect.stringMatching(/Z$/), incident: { name: incident, title } });
    expect((await ask(app.url, 'stranger', url)).status).toBe(403);
    const never = await ask(app.url, 'viewer', `/api/alerts/${team.namespace}/prom-0000000000000000`);
    expect([never.status, never.body.message]).toEqual([404, expect.stringContaining('history has none')]);
    // One of the same name in another namespace is not this one.
    const other = await aTeam(stage);
    expect((await ask(app.url, 'viewer', `/api/alerts/${other.namespace}/${name}`)).status).toBe(404);
  });

  it('lacks only history while Postgres is away', async () => {
    const away = createPool('postgres://nobody:nothing@127.0.0.1:1/none');
    const alone = await startInProcess(stage.kubeconfig, { queries: createQueries({ pool: away }) });
    try {
      const name = await declared('No Postgres');
      const { status, body } = await ask(alone.url, 'ana', path(name));
      expect([status, body.history.available, body.timeline.length > 0]).toEqual([200, false, true]);
      expect(body.history.reason).toContain('does not answer');
      expect((await ask(alone.url, 'ana', path('never-was'))).status).toBe(503);
      expect((await ask(alone.url, 'ana', `/api/alerts/${team.namespace}/never-was`)).status).toBe(503);
    } finally {
      await alone.stop();
      await away.end();
    }
  });
});

describe('a session', () => {
  const signIn = (token: string, headers: Record<string, string> = {}) =>
    fetch(`${app.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-funnelai': '1', origin: app.url, ...headers },
      body: JSON.stringify({ token }),
    });

  it('begins with a good token, works by cookie, and ends', async () => {
    const started = await signIn(userOf('bo').token);
    expect([started.status, ((await started.json()) as { user: string }).user]).toEqual([200, 'bo']);
    const cookie = started.headers
      .getSetCookie()
      .map((c) => c.split(';')[0])
      .join('; ');
    expect(await (await fetch(`${app.url}/api/me`, { headers: { cookie } })).json()).toMatchObject({
      user: 'bo',
      paging: false,
    });
    const ended = await fetch(`${app.url}/api/session`, {
      method: 'DELETE',
      headers: { cookie, 'x-funnelai': '1', origin: app.url },
    });
    expect([ended.status, ended.headers.getSetCookie()[0]]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect((await signIn('forged')).status).toBe(401);
  });

  it('writes nothing that another site asked the browser for', async () => {
    const name = await declared('Foreign');
    const cookie = `funnelai_session=1:${userOf('ana').token}`;
    const body = JSON.stringify({ edits: [{ field: 'summary', from: null, to: 'x' }] });
    const write = (headers: Record<string, string>) =>
      fetch(`${app.url}${path(name)}`, {
        method: 'PATCH',
        body,
        headers: { cookie, 'content-type': 'application/json', ...headers },
      });
    expect((await write({ origin: app.url })).status).toBe(403);
    expect((await write({ 'x-funnelai': '1' })).status).toBe(403);
    expect((await write({ 'x-funnelai': '1', origin: 'https://evil.example' })).status).toBe(403);
    expect((await signIn(userOf('ana').token, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await write({ 'x-funnelai': '1', origin: app.url })).status).toBe(200);
  });

  it('by link begins exactly once, for one of many, and not by looking', async () => {
    const open = (code: string, o: RequestInit = {}) =>
      fetch(`${app.url}/sign-in?code=${code}`, { redirect: 'manual', ...o });
    await open('code-one', { method: 'HEAD' });
    await open('code-one', { headers: { 'sec-purpose': 'prefetch' } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => open('code-one')));
    const signedIn = answers.filter((a) => a.headers.get('location') === '/');
    expect(signedIn).toHaveLength(1);
    expect(signedIn[0]?.headers.getSetCookie()[0]).toContain('HttpOnly');
    expect(new Set(answers.filter((a) => !signedIn.includes(a)).map((a) => a.headers.get('location')))).toEqual(
      new Set(['/sign-in?problem=used']),
    );
    expect((await open('code-two')).headers.get('location')).toBe('/sign-in?problem=refused');
  });
});

describe('the server', () => {
  it('answers to loopback names only, as it is bound to loopback', async () => {
    const { request } = await import('node:http');
    const status = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(`${app.url}/api/me`, { headers: { host } }, (r) => resolve(r.resume().statusCode))
          .on('error', reject)
          .end();
      });
    expect(await status('evil.example')).toBe(421);
    expect(await status('localhost:8080')).toBe(401);
  });

  it('gives pages to browsers, problems to programs, and binds scripts to itself', async () => {
    const html = { headers: { accept: 'text/html,*/*' } };
    for (const page of [
      '/',
      '/incidents',
      `/incidents/${team.namespace}/x/yaml`,
      `/alerts/${team.namespace}/prom`,
      '/sign-in',
    ]) {
      const answer = await fetch(`${app.url}${page}`, html);
      expect([page, answer.status, await answer.text()]).toEqual([
        page,
        200,
        expect.stringContaining('<title>pages</title>'),
      ]);
      expect(answer.headers.get('cache-control')).toBe('no-cache');
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self';");
    }
    const script = await fetch(`${app.url}/assets/app-3f9c2a.js`);
    expect([script.status, script.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect((await fetch(`${app.url}/index.html`)).headers.get('cache-control')).toBe('no-cache');
    const none = await fetch(`${app.url}/api/nothing`, html);
    expect([none.status, ((await none.json()) as { code: string }).code]).toEqual([404, 'NotFound']);
    expect((await fetch(`${app.url}/assets/gone.js`, html)).status).toBe(404);
    expect((await fetch(`${app.url}/codes.json%00`, html)).status).not.toBe(500);
  });

  it('says which methods a path has, and answers HEAD for the pages', async () => {
    const asked = async (method: string, route: string) => {
      const answer = await fetch(`${app.url}${route}`, { method });
      const body = method === 'HEAD' ? undefined : ((await answer.json()) as { code: string; requestId: string });
      if (body !== undefined) expect(body.requestId).toBe(answer.headers.get('x-request-id'));
      return [method, route, answer.status, answer.headers.get('allow'), body?.code];
    };
    const refused = (method: string, route: string, allow: string) => [
      method,
      route,
      405,
      allow,
      method === 'HEAD' ? undefined : 'MethodNotAllowed',
    ];
    for (const [method, route, allow] of [
      ['DELETE', path('x'), 'GET, PATCH'],
      ['PUT', path('x'), 'GET, PATCH'],
      ['POST', '/api/incidents', 'GET'],
      ['GET', '/api/session', 'DELETE, POST'],
      ['OPTIONS', '/api/incidents', 'GET'],
      ['HEAD', '/api/stream', 'GET'],
    ] as const)
      expect(await asked(method, route)).toEqual(refused(method, route, allow));
    expect(await asked('POST', '/api/nothing')).toEqual(['POST', '/api/nothing', 404, null, 'NotFound']);
    expect((await fetch(app.url, { method: 'HEAD' })).status).toBe(200);
  });
});

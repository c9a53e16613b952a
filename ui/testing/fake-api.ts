/**
 * The HTTP API of domain/wire.ts in memory, with the pages beside it: `node ui/testing/fake-api.ts [port]`. Tests start it in
 * process and switch its faults; by hand, POST /__fake with a JSON of faults does the same.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Declaration, IncidentEdit, Me } from '@funnelai/domain/wire';
import type { PreviewRequest, TestRequest } from '@funnelai/domain/wire-sources';
import { manyIncidents } from './builders.ts';
import { alertDetail } from './fake-alert.ts';
import { Refusal } from './fake-entry.ts';
import { createFakeState, demoAlerts, type FakeState } from './fake-state.ts';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}
function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

async function file(path: string, response: ServerResponse): Promise<void> {
  const wanted = join(DIST, normalize(path));
  const isFile = extname(path) !== '' && wanted.startsWith(DIST);
  const content = await readFile(isFile ? wanted : join(DIST, 'index.html')).catch(() => undefined);
  if (content === undefined) return answer(response, 404, 'no such file: build the pages first (npx vite build)');
  response.writeHead(200, {
    'content-type': TYPES[isFile ? extname(path) : '.html'] ?? 'application/octet-stream',
    'content-security-policy': CSP,
  });
  response.end(content);
}

function stream(state: FakeState, request: IncomingMessage, response: ServerResponse, open: Set<ServerResponse>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event: unknown) => response.write(`data: ${JSON.stringify(event)}\n\n`);
  send({ type: 'hello', at: new Date().toISOString(), resumed: false });
  const off = state.onEvent(send);
  const beat = setInterval(() => response.write(': still here\n\n'), 15_000);
  open.add(response);
  request.on('close', () => {
    off();
    clearInterval(beat);
    open.delete(response);
  });
}

function answerYaml(response: ServerResponse, namespace: string, name: string, object: unknown): void {
  response.writeHead(200, { 'content-type': 'application/yaml' });
  response.end(`# ${namespace}/${name}\n${JSON.stringify(object, null, 2)}\n`);
}

async function api(state: FakeState, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? 'GET';
  const [, , resource, namespace = '', name = '', tail] = url.pathname.split('/').map(decodeURIComponent);
  if (resource === 'session') {
    if (method === 'DELETE')
      return answer(response, 204, undefined, { 'set-cookie': 'funnelai_session=; Path=/; Max-Age=0' });
    const { token } = (await bodyOf(request)) as { token: string };
    if (token !== state.token)
      throw new Refusal(401, {
        code: 'Unauthenticated',
        message: 'The API server does not accept this token: it may have expired.',
      });
    return answer(response, 200, me(state), {
      'set-cookie': `funnelai_session=${token}; Path=/; HttpOnly; SameSite=Strict`,
    });
  }
  if (!request.headers.cookie?.includes(`funnelai_session=${state.token}`))
    throw new Refusal(401, { code: 'Unauthenticated', message: 'Sign in first.' });
  if (method !== 'GET' && request.headers['x-funnelai'] !== '1')
    throw new Refusal(403, { code: 'Forbidden', message: 'header x-funnelai is missing' });
  if (resource === 'me') return answer(response, 200, me(state));
  if (resource === 'namespaces') return answer(response, 200, { namespaces: state.namespaces, all: state.all });
  if (resource === 'access') return answer(response, 200, state.access());
  if (method === 'GET') {
    if (state.faults.slowMs > 0) await wait(state.faults.slowMs);
    if (state.faults.failing)
      throw new Refusal(503, {
        code: 'Unavailable',
        message:
          'The API server did not answer within 5 s (connect ECONNREFUSED 10.0.0.1:443). Nothing was lost: alerts are refused with 503 until it is back.',
      });
    if (state.faults.forbidden) {
      const kind = { sources: 'alertsources', rules: 'correlationrules' }[String(resource)] ?? resource;
      const missing = {
        verb: 'list',
        resource: `${kind}.funnelai.dev`,
        namespace: url.searchParams.get('namespace') ?? namespace,
        grant: `kubectl create rolebinding ${state.user}-views -n demo --clusterrole=funnelai-viewer --user=${state.user}`,
      };
      throw new Refusal(403, {
        code: 'Forbidden',
        message: `${kind}.funnelai.dev is forbidden: User "${state.user}" cannot list resource "${kind}"`,
        missing,
      });
    }
  }
  if (resource === 'incidents') {
    if (namespace === '') return answer(response, 200, state.page(url.searchParams));
    if (tail === 'yaml') return answerYaml(response, namespace, name, state.detail(namespace, name).incident);
    if (method === 'PATCH')
      return answer(response, 200, state.edit(namespace, name, (await bodyOf(request)) as IncidentEdit, state.user));
    if (method === 'POST')
      return answer(response, 201, state.declare(namespace, (await bodyOf(request)) as Declaration, state.user));
    return answer(response, 200, state.detail(namespace, name));
  }
  if (resource === 'alerts') {
    if (namespace === '') return answer(response, 200, state.alertPage(url.searchParams));
    const detail = alertDetail(state, namespace, name);
    return tail === 'yaml' ? answerYaml(response, namespace, name, detail.alert) : answer(response, 200, detail);
  }
  if (resource === 'rules') return rules(state, url, response);
  if (resource === 'sources') return sources(state, url, request, response);
  throw new Refusal(404, { code: 'NotFound', message: `no such route: ${url.pathname}` });
}

function rules(state: FakeState, url: URL, response: ServerResponse): void {
  const [, , , namespace = '', name = '', tail] = url.pathname.split('/').map(decodeURIComponent);
  const detail = state.rules.detail(namespace, name, state.alerts);
  if (namespace === '') answer(response, 200, state.rules.page(url.searchParams));
  else if (detail === undefined)
    throw new Refusal(404, { code: 'NotFound', message: `correlationrules.funnelai.dev "${name}" not found` });
  else if (tail === 'yaml') answerYaml(response, namespace, name, detail.rule);
  else answer(response, 200, detail);
}

async function sources(state: FakeState, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, , , namespace = '', name = '', tail] = url.pathname.split('/').map(decodeURIComponent);
  if (namespace === '') return answer(response, 200, state.sources.page(url.searchParams));
  const detail = state.sources.detail(namespace, name);
  if (detail === undefined)
    throw new Refusal(404, { code: 'NotFound', message: `alertsources.funnelai.dev "${name}" not found` });
  if (tail === 'yaml') return answerYaml(response, namespace, name, detail.source);
  const testRefused = state.faults.readOnly
    ? `${state.user} may not update alertsources.funnelai.dev in namespace ${namespace}.`
    : undefined;
  if (tail === 'preview')
    return answer(response, 200, state.sources.preview((await bodyOf(request)) as PreviewRequest));
  if (tail === 'test') {
    if (state.faults.refuseWrites)
      throw new Refusal(503, {
        code: 'Unavailable',
        message: 'The test alert is not stored: the API server did not take it in time.',
      });
    return answer(response, 200, state.sources.test(detail.item, (await bodyOf(request)) as TestRequest, state.user));
  }
  answer(response, 200, { ...detail, ...(testRefused === undefined ? {} : { testRefused }) });
}

const me = (state: FakeState): Me => ({
  user: state.user,
  groups: ['system:authenticated'],
  paging: state.faults.paging,
  ...(state.faults.welcome
    ? {
        welcome: {
          lines: [
            { label: 'Use this cluster in your shell', command: 'export KUBECONFIG=$PWD/.funnelai/kubeconfig' },
            { label: 'Watch incidents', command: 'kubectl get incidents.funnelai.dev -n demo -w' },
            {
              label: 'Acknowledge one, and watch this page',
              command:
                'kubectl patch incidents.funnelai.dev checkout-amber-falcon -n demo --type merge -p \'{"spec":{"phase":"Response"}}\'',
            },
            {
              label: 'Send an alert',
              command:
                'curl -H \'Authorization: Bearer t\' -H \'content-type: application/json\' http://127.0.0.1:8080/alerts/demo/prom/api/v2/alerts -d \'[{"labels":{"alertname":"Mine"}}]\'',
            },
          ],
        },
      }
    : {}),
});

export interface FakeApi {
  url: string;
  state: FakeState;
  /** Ends the streams and refuses new ones until told otherwise. */
  setStreamDown(down: boolean): void;
  /** How many streams are open. */
  streams(): number;
  close(): Promise<void>;
}

/** Starts the fake on loopback; port 0 takes a free one. */
export async function startFakeApi(port = 0): Promise<FakeApi> {
  const state = createFakeState();
  const open = new Set<ServerResponse>();
  const setStreamDown = (down: boolean) => {
    state.faults.streamDown = down;
    if (down) for (const response of open) response.destroy();
  };
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const handle = async () => {
      if (url.pathname === '/__fake') {
        const wish = (await bodyOf(request)) as Partial<FakeState['faults']> & { incidents?: number };
        Object.assign(state.faults, wish);
        if (wish.incidents !== undefined) state.reset(manyIncidents(wish.incidents), demoAlerts());
        if (wish.streamDown !== undefined) setStreamDown(wish.streamDown);
        return answer(response, 200, state.faults);
      }
      if (url.pathname === '/api/stream') {
        if (state.faults.streamDown)
          return answer(response, 503, { code: 'Unavailable', message: 'restarting', requestId: '' });
        if (!request.headers.cookie?.includes(state.token))
          return answer(response, 401, { code: 'Unauthenticated', message: 'Sign in first.', requestId: '' });
        if (state.faults.forbidden)
          return answer(response, 403, { code: 'Forbidden', message: 'may not watch', requestId: '' });
        return stream(state, request, response, open);
      }
      return url.pathname.startsWith('/api/') ? api(state, url, request, response) : file(url.pathname, response);
    };
    handle().catch((error: unknown) => {
      if (response.headersSent) return response.end();
      const requestId = 'req-7f3a';
      if (error instanceof Refusal) answer(response, error.status, { ...error.problem, requestId });
      else answer(response, 500, { code: 'Internal', message: String(error), requestId });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    setStreamDown,
    streams: () => open.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fake = await startFakeApi(Number(process.argv[2] ?? 8099));
  console.log(`${fake.url}  (token: ${fake.state.token})`);
}

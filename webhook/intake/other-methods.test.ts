import { silentLog } from '@funnelai/kube/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBareApp, type BareApp, type RawAnswer, sendRaw } from '../testing/bare-app.ts';
import { anAlertSource } from '../testing/builders.ts';

let prom: BareApp;
let events: BareApp;
beforeAll(async () => {
  prom = await aBareApp(silentLog());
  events = await aBareApp(silentLog(), { source: anAlertSource({ spec: { format: 'CloudEvents' } }) });
});
afterAll(() => Promise.all([prom.stop(), events.stop()]));

const HEAD = 'Host: funnelai.example\r\nConnection: close\r\n';
const ask = (app: BareApp, line: string, headers = '', body = ''): Promise<RawAnswer> =>
  sendRaw(
    app.port,
    `${line} HTTP/1.1\r\n${line.startsWith('OPTIONS') ? HEAD : HEAD.replace('funnelai.example', 'localhost')}${headers}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
const messageOf = ({ body }: RawAnswer): string => (JSON.parse(body) as { message: string }).message;

const BODIES: [what: string, headers: string, body: string][] = [
  ['no body', '', ''],
  ['no body, called JSON', 'Content-Type: application/json\r\n', ''],
  ['half a body, called JSON', 'Content-Type: application/json\r\n', '{'],
  ['a type that is none', 'Content-Type: ;;\r\n', 'x'],
];
const ADDRESSES: [path: string, allow: string][] = [
  ['/alerts/demo/prom', 'POST'],
  ['/alerts/demo/prom/', 'POST'],
  ['/alerts/demo/prom/dry-run', 'POST'],
  ['/alerts/demo/prom/api/v2/alerts', 'GET, POST'],
  ['/alerts/demo/prom/api/v2/status', 'GET'],
  ['/alerts/demo/prom/v2/enqueue', 'POST'],
  ['/alerts/demo/none', 'POST'],
];

describe.each(['OPTIONS', 'DELETE', 'PUT', 'PATCH', 'TRACE'])('%s where alerts are POSTed', (method) => {
  it.each(ADDRESSES)('at %s is 405 with what there is, whatever its body', async (path, allow) => {
    for (const [what, headers, body] of BODIES) {
      const answer = await ask(prom, `${method} ${path}`, headers, body);
      expect([what, answer.status, answer.headers.allow]).toEqual([what, 405, allow]);
      expect(messageOf(answer)).toContain(`${method} is not for alerts: `);
    }
  });
});

describe('GET where alerts are POSTed', () => {
  it('says in one line what to POST, and where', async () => {
    const answer = await ask(prom, 'GET /alerts/demo/prom');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    expect(messageOf(answer)).toBe(
      'GET is not for alerts: AlertSource prom (Alertmanager) takes them by POST to /alerts/demo/prom or /alerts/demo/prom/api/v2/alerts, as application/json. With /dry-run behind it, it says what a body would become.',
    );
    expect(messageOf(await ask(events, 'GET /alerts/demo/prom'))).toContain('as application/cloudevents+json');
  });

  it('says that there is no such source, and does not where nobody can post', async () => {
    expect(messageOf(await ask(prom, 'GET /alerts/demo/none'))).toContain(
      'there is no AlertSource none in namespace demo',
    );
    const accepting = anAlertSource({ spec: { acceptFrom: { namespace: 'infra', name: 'prom' } } });
    const app = await aBareApp(silentLog(), { source: accepting });
    expect(messageOf(await ask(app, 'GET /alerts/demo/prom'))).toContain('nobody can post to AlertSource prom');
    await app.stop();
  });

  it('finds nothing where nothing listens, and says where something does', async () => {
    const answer = await ask(prom, 'GET /alerts/demo/prom/api/v1/alerts');
    expect([answer.status, messageOf(answer)]).toEqual([404, expect.stringContaining('only at /alerts/demo/prom and')]);
    expect((await ask(events, 'HEAD /alerts/demo/prom/api/v2/alerts')).status).toBe(404);
    expect((await ask(prom, 'GET /alerts/demo/prom/api/v2/alerts/dry-run')).status).toBe(405);
  });

  it('is for the pages where a browser asks, and HEAD is told what GET is', async () => {
    expect((await ask(prom, 'GET /alerts/demo/prom', 'Accept: text/html\r\n')).headers['content-type']).toContain(
      'text/html',
    );
    const head = await ask(prom, 'HEAD /alerts/demo/prom');
    expect([head.status, head.headers.allow]).toEqual([405, 'POST']);
    const read = await ask(prom, 'HEAD /alerts/demo/prom/api/v2/alerts');
    expect([read.status, read.headers.allow]).toEqual([405, 'GET, POST']);
  });
});

it('finds nothing where there is nothing, whatever the body', async () => {
  for (const [, headers, body] of BODIES) expect((await ask(prom, 'POST /nowhere', headers, body)).status).toBe(404);
});

describe('the handshake of CloudEvents', () => {
  const origin = 'WebHook-Request-Origin: eventemitter.example.com\r\n';

  it('says yes to whoever asks, without asking who it is, and reads nothing', async () => {
    const answer = await ask(events, 'OPTIONS /alerts/demo/prom', `${origin}WebHook-Request-Rate: 120\r\n`);
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'webhook-allowed-origin': 'eventemitter.example.com',
        'webhook-allowed-rate': '*',
        allow: 'OPTIONS, POST',
      },
    });
    expect(events.asked).toEqual([]);
  });

  it.each([
    ['names no origin', 'OPTIONS /alerts/demo/prom', ''],
    ['names an origin that is none', 'OPTIONS /alerts/demo/prom', 'WebHook-Request-Origin: https://x.example/y z\r\n'],
    ['names two', 'OPTIONS /alerts/demo/prom', origin + origin],
    ['goes to the dry run', 'OPTIONS /alerts/demo/prom/dry-run', origin],
    ['goes where nothing listens', 'OPTIONS /alerts/demo/prom/events', origin],
    ['goes to no source', 'OPTIONS /alerts/demo/none', origin],
  ])('says nothing to a question that %s', async (_what, line, headers) => {
    const answer = await ask(events, line, headers);
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('webhook-'))).toEqual([]);
  });

  it('is no other format’s', async () => {
    const answer = await ask(prom, 'OPTIONS /alerts/demo/prom', origin);
    expect([answer.status, answer.headers['webhook-allowed-origin']]).toEqual([405, undefined]);
  });

  it('is followed by events whose token may stand in the address', async () => {
    const event = '{"specversion":"1.0","id":"1","source":"/x","type":"t"}';
    const type = 'Content-Type: application/cloudevents+json\r\n';
    expect((await ask(events, 'POST /alerts/demo/prom?access_token=t', type, event)).status).toBe(200);
    const without = await ask(events, 'POST /alerts/demo/prom', type, event);
    expect([without.status, messageOf(without)]).toEqual([401, expect.stringContaining('the parameter access_token')]);
  });
});

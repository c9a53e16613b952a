import { silentLog } from '@funnelai/kube/log';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBareApp, type BareApp, type RawAnswer, sendRaw } from '../testing/bare-app.ts';

let app: BareApp;
beforeAll(async () => {
  app = await aBareApp(silentLog());
});
afterAll(() => app.stop());

const HEAD = 'Host: localhost\r\nConnection: close\r\nAuthorization: Bearer t\r\n';
const JSON_HEAD = `${HEAD}Content-Type: application/json\r\n`;
const INTAKE = 'POST /alerts/demo/prom HTTP/1.1\r\n';
const SENT = '{"alerts":[{"labels":{"a":"b"}}]}';

/** The status and code of an answer that must be a whole Problem. */
function problemIn(answer: RawAnswer): [number, string] {
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  const body = JSON.parse(answer.body) as { code: string; message: string; requestId: string };
  expect(body.message.length).toBeGreaterThan(10);
  expect(body.requestId).toBe(answer.headers['x-request-id']);
  return [answer.status, body.code];
}
const problem = async (bytes: Parameters<typeof sendRaw>[1]): Promise<[number, string]> =>
  problemIn(await sendRaw(app.port, bytes));

describe('a request that no one should send', () => {
  const cases: [what: string, bytes: string, status: number, code: string][] = [
    ['is no HTTP', 'hello\r\n\r\n', 400, 'Invalid'],
    ['has a header of 40 KB', `GET /api/me HTTP/1.1\r\n${HEAD}X: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'TooLarge'],
    ['has a header without a name', `GET /api/me HTTP/1.1\r\n${HEAD}: x\r\n\r\n`, 400, 'Invalid'],
    ['has a header with NUL', `GET /api/me HTTP/1.1\r\n${HEAD}X: \0\r\n\r\n`, 400, 'Invalid'],
    ['names no host', 'GET /api/me HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'Invalid'],
    ['names no host and brings alerts', `${INTAKE}Connection: close\r\nContent-Length: 2\r\n\r\n{}`, 400, 'Invalid'],
    ['names two hosts', `GET /api/me HTTP/1.1\r\n${HEAD}Host: localhost:1\r\n\r\n`, 400, 'Invalid'],
    ['has two lengths', `${INTAKE}${JSON_HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'Invalid'],
    [
      'has a length and chunks',
      `${INTAKE}${JSON_HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'Invalid',
    ],
    ['has a length that is no number', `${INTAKE}${JSON_HEAD}Content-Length: -2\r\n\r\n{}`, 400, 'Invalid'],
    ['has chunks of garbage', `${INTAKE}${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`, 400, 'Invalid'],
    [
      'has garbage after a good chunk',
      `${INTAKE}${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n`,
      400,
      'Invalid',
    ],
    [
      'has garbage chunks for the API',
      `POST /api/session HTTP/1.1\r\n${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'Invalid',
    ],
    ['is coded in a way nobody knows', `${INTAKE}${JSON_HEAD}Transfer-Encoding: gzip\r\n\r\nx`, 400, 'Invalid'],
    ['expects what nobody does', `${INTAKE}${JSON_HEAD}Expect: magic\r\nContent-Length: 2\r\n\r\n{}`, 417, 'Invalid'],
    ['asks for a tunnel', `CONNECT localhost:22 HTTP/1.1\r\n${HEAD}\r\n`, 405, 'MethodNotAllowed'],
    ['has another method', `TRACE /api/incidents HTTP/1.1\r\n${HEAD}\r\n`, 405, 'MethodNotAllowed'],
    ['has a method of another protocol', `PROPFIND /api/incidents HTTP/1.1\r\n${HEAD}\r\n`, 404, 'NotFound'],
    ['has a method that is none', `FROB /api/incidents HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    [
      'writes where one signs in',
      `POST /sign-in HTTP/1.1\r\n${HEAD}Content-Length: 0\r\n\r\n`,
      405,
      'MethodNotAllowed',
    ],
    ['has a path that is broken', `GET /api/incidents/demo/%zz HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    ['has half a character in its path', `GET /api/incidents/demo/%ed%a0%80 HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    ['has a path of 10 KB', `GET /api/incidents/demo/${'x'.repeat(10_000)} HTTP/1.1\r\n${HEAD}\r\n`, 404, 'NotFound'],
    ['has a page’s path of 10 KB', `GET /${'x'.repeat(10_000)} HTTP/1.1\r\n${HEAD}\r\n`, 404, 'NotFound'],
    ['has bytes in its path that are no ASCII', `GET /api/incidents/demo/\xff HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    ['has a whole URL with nothing in it', `GET http:// HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    ['is for the server, and no path', `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    ['is for no path', `GET * HTTP/1.1\r\n${HEAD}\r\n`, 400, 'Invalid'],
    [
      'writes what is no JSON',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${JSON_HEAD}Content-Length: 1\r\n\r\n{`,
      400,
      'Invalid',
    ],
    [
      'writes nothing as JSON',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${JSON_HEAD}Content-Length: 0\r\n\r\n`,
      400,
      'Invalid',
    ],
    [
      'writes null',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${JSON_HEAD}Content-Length: 4\r\n\r\nnull`,
      400,
      'Invalid',
    ],
    [
      'writes XML',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${HEAD}Content-Type: text/xml\r\nContent-Length: 1\r\n\r\n<`,
      415,
      'UnsupportedMediaType',
    ],
    [
      'writes JSON as text',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${HEAD}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`,
      415,
      'UnsupportedMediaType',
    ],
    [
      'has a type that is none',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${HEAD}Content-Type: ;;\r\nContent-Length: 1\r\n\r\n<`,
      415,
      'UnsupportedMediaType',
    ],
    [
      'has a type that is none, with alerts',
      `${INTAKE}${HEAD}Content-Type: /\r\nContent-Length: 2\r\n\r\n{}`,
      415,
      'UnsupportedMediaType',
    ],
    [
      'nests lists 30,000 deep',
      `PATCH /api/incidents/demo/x HTTP/1.1\r\n${JSON_HEAD}Content-Length: 60000\r\n\r\n${'['.repeat(30_000)}${']'.repeat(30_000)}`,
      400,
      'Invalid',
    ],
  ];
  it.each(cases)('and %s', async (_what, bytes, status, code) => {
    expect(await problem(bytes)).toEqual([status, code]);
  });

  it('and whose names cannot be Kubernetes’ never asks the API server or history', async () => {
    for (const name of [
      '%00',
      'a%00b',
      '..%2f..%2fsecrets',
      'A_B',
      '%20',
      'x'.repeat(254),
      '%e2%98%83',
      'a%0d%0ab',
      '.',
      '-',
    ]) {
      for (const [method, path] of [
        ['GET', `/api/incidents/demo/${name}`],
        ['GET', `/api/incidents/${name}/x`],
        ['GET', `/api/incidents/demo/${name}/yaml`],
        ['GET', `/api/alerts/demo/${name}`],
        ['GET', `/api/alerts/demo/${name}/yaml`],
        ['PATCH', `/api/incidents/demo/${name}`],
        ['POST', `/api/incidents/${name}`],
      ]) {
        if (method === 'GET' && name === '.') continue;
        const body =
          method === 'POST' ? '{"title":"x","severity":"Low"}' : '{"edits":[{"field":"title","from":"a","to":"b"}]}';
        const request = `${method} ${path} HTTP/1.1\r\n${JSON_HEAD}Content-Length: ${method === 'GET' ? 0 : body.length}\r\n\r\n${method === 'GET' ? '' : body}`;
        const [status, code] = await problem(request);
        expect([path, status < 500 && status >= 400, code === 'NotFound' || code === 'Invalid']).toEqual([
          path,
          true,
          true,
        ]);
      }
    }
    expect(app.asked).toEqual([]);
  });
});

describe('a request that is odd but allowed', () => {
  it('may ask before it sends its body', async () => {
    const asked = `${INTAKE}${JSON_HEAD}Expect: 100-continue\r\nContent-Length: ${SENT.length}\r\n\r\n`;
    expect((await sendRaw(app.port, [asked, SENT])).status).toBe(200);
  });
  it('may come without a host in HTTP/1.0, byte by byte, in chunks with extensions', async () => {
    expect((await sendRaw(app.port, 'GET /alerts HTTP/1.0\r\n\r\n')).status).toBe(421);
    const chunks = `${INTAKE}${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n${SENT.length.toString(16)};x=y\r\n${SENT}\r\n0\r\n\r\n`;
    expect((await sendRaw(app.port, [...chunks])).status).toBe(200);
  });
  it('may ask for the health by HEAD', async () => {
    for (const path of ['/healthz', '/readyz'])
      expect((await sendRaw(app.port, `HEAD ${path} HTTP/1.1\r\n${HEAD}\r\n`)).status).toBe(200);
  });
});

describe('a body that is too large', () => {
  const large = Buffer.alloc(9 * 1024 * 1024, ' ');
  it('of unknown length is answered, not cut off', async () => {
    const head = `${INTAKE}${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n`;
    expect(await problem([head, large, '\r\n0\r\n\r\n'])).toEqual([413, 'TooLarge']);
  });
  it('of known length is answered before it was sent', async () => {
    expect(await problem(`${INTAKE}${JSON_HEAD}Content-Length: 99999999\r\n\r\n{`)).toEqual([413, 'TooLarge']);
  });
});

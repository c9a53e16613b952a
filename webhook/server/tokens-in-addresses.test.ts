import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aBareApp, type BareApp, sendRaw } from '../testing/bare-app.ts';

const TOKEN = 'tok3n-in-the-address';
const logged: string[] = [];
let app: BareApp;
beforeAll(async () => {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  app = await aBareApp(pino({ level: 'trace' }, sink));
});
afterAll(() => app.stop());

const request = (
  line: string,
  body = '{"alerts":[]}',
  headers = 'Authorization: Bearer t\r\nContent-Type: application/json\r\n',
) =>
  `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

it.each([
  ['is taken', request(`POST /alerts/demo/prom?token=${TOKEN}`)],
  ['shows nothing else', request(`POST /alerts/demo/prom?token=${TOKEN}`, '{}', '')],
  ['is no JSON', request(`POST /alerts/demo/prom?token=${TOKEN}`, '{')],
  [
    'is of another type',
    request(`POST /alerts/demo/prom?token=${TOKEN}`, 'x', 'Authorization: Bearer t\r\nContent-Type: text/xml\r\n'),
  ],
  ['goes to no source', request(`POST /alerts/demo/none?token=${TOKEN}`)],
  ['goes to no name', request(`POST /alerts/demo/No_Name?token=${TOKEN}`)],
  ['goes where the source does not listen', request(`POST /alerts/demo/prom/x/y?token=${TOKEN}`)],
  ['has another method', request(`PUT /alerts/demo/prom?token=${TOKEN}`)],
  ['has a broken path', request(`POST /alerts/demo/%zz?token=${TOKEN}`)],
  ['goes nowhere', request(`POST /alerts?token=${TOKEN}`)],
  ['reads', request(`GET /alerts/demo/prom?token=${TOKEN}`, '')],
])('a token in the address of a request that %s is neither logged nor answered', async (_what, bytes) => {
  const answer = await sendRaw(app.port, bytes);
  expect(answer.body).not.toContain(TOKEN);
  expect(logged.join('')).not.toContain(TOKEN);
});

it('would have been seen: what was answered is logged, by its path', () => {
  expect(logged.join('')).toContain('"path":"/alerts/demo/prom"');
});

import { connect, type Socket } from 'node:net';
import { silentLog } from '@funnelai/kube/log';
import { afterEach, expect, it } from 'vitest';
import { INTAKE_REQUESTS_PER_SOURCE } from '../limits.ts';
import type { SourceFormat } from '../receivers/receiver.ts';
import { aBareApp, type BareApp } from '../testing/bare-app.ts';
import { anAlertSource } from '../testing/builders.ts';

let app: BareApp | undefined;
let sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await app?.stop();
});

/** The answer to one more request while all places of the source are held by bodies that do not end. */
async function answerWhileBusy(format: SourceFormat): Promise<Response> {
  const running = await aBareApp(silentLog(), { source: anAlertSource({ spec: { format, auth: { none: {} } } }) });
  app = running;
  const head = 'POST /alerts/demo/prom HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  sockets = Array.from({ length: INTAKE_REQUESTS_PER_SOURCE }, () => connect(running.port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {}).write(`${head}Content-Length: 9\r\n\r\n{`);
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${running.port}/alerts/demo/prom`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    // Until the last of them has come, it is only not understood.
    if (answer.status !== 400) return answer;
  }
}

it('tells a sender that holds what it sends to slow down, and says so in the words that it knows', async () => {
  const answer = await answerWhileBusy('AzureMonitor');
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await answer.json()).toMatchObject({ code: 'TooMany' });
});

it('tells any other that it cannot now: at 429 most would drop what they have', async () => {
  const answer = await answerWhileBusy('Alertmanager');
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
});

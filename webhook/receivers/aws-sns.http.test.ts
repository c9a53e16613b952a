/** Amazon SNS at the door of the whole HTTP edge: as it posts, to a source that asks for nothing but its signature. */
import { readFileSync } from 'node:fs';
import { systemClock } from '@funnelai/kube/clock';
import { silentLog } from '@funnelai/kube/log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aBareApp, type BareApp } from '../testing/bare-app.ts';
import { anAlertSource } from '../testing/builders.ts';
import { type FakeSns, startSns } from '../testing/sns.ts';
import { createSnsDoor } from './aws-door.ts';
import type { Received } from './receiver.ts';
import { createReceivers } from './registry.ts';

const recorded = (name: string) => readFileSync(new URL(`./recorded/AwsSns/${name}.json`, import.meta.url), 'utf8');
const received: Received[] = [];
let sns: FakeSns;
let app: BareApp;
beforeAll(async () => {
  sns = await startSns();
  const { auth, sns: topics } = JSON.parse(recorded('source'));
  app = await aBareApp(silentLog(), {
    source: anAlertSource({ spec: { format: 'AwsSns', auth, sns: topics } }),
    receivers: createReceivers({ sns: createSnsDoor({ clock: systemClock, connection: sns.connection }) }),
    received: (alert) => received.push(alert),
  });
});
afterAll(async () => {
  await app?.stop();
  await sns?.stop();
});

async function post(envelope: object): Promise<{ status: number; code: string }> {
  const response = await fetch(`http://127.0.0.1:${app.port}/alerts/demo/prom`, {
    method: 'POST',
    headers: JSON.parse(recorded('firing.headers')),
    body: JSON.stringify(envelope),
  });
  return { status: response.status, code: ((await response.json()) as { code: string }).code };
}

it('confirms its subscription, brings an alarm, and is nobody else', async () => {
  expect(await post(sns.sign(JSON.parse(recorded('subscription'))))).toEqual({ status: 200, code: 'Stored' });
  expect(sns.asked.some((path) => path.includes('Action=ConfirmSubscription'))).toBe(true);
  expect(received).toEqual([]);
  expect(await post(sns.sign(JSON.parse(recorded('firing'))))).toEqual({ status: 200, code: 'Stored' });
  expect(received.map(({ input }) => input.labels.alertname)).toEqual(['checkout-5xx']);
  expect(await post(JSON.parse(recorded('firing')))).toEqual({ status: 403, code: 'Forbidden' });
  expect(await post({ version: '4', alerts: [] })).toEqual({ status: 400, code: 'Invalid' });
  expect(received).toHaveLength(1);
});

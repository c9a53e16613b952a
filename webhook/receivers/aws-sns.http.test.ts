/** Amazon SNS at the door of the whole HTTP edge: as it posts, to a source that asks for nothing but its signature. */
import { readFileSync } from 'node:fs';
import type { AlertSource } from '@funnelai/crds/generated/types';
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
const { auth, sns: topics } = JSON.parse(recorded('source'));
const apps: BareApp[] = [];
let sns: FakeSns;
beforeAll(async () => {
  sns = await startSns();
});
afterAll(async () => {
  for (const app of apps) await app.stop();
  await sns?.stop();
});

/** An entrance with this auth, and what came in by it. */
async function anEntrance(asks: NonNullable<AlertSource['spec']['auth']>) {
  const received: Received[] = [];
  const app = await aBareApp(silentLog(), {
    source: anAlertSource({ spec: { format: 'AwsSns', auth: asks, sns: topics } }),
    receivers: createReceivers({ sns: createSnsDoor({ clock: systemClock, connection: sns.connection }) }),
    received: (alert) => received.push(alert),
  });
  apps.push(app);
  const post = async (envelope: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${app.port}/alerts/demo/prom`, {
      method: 'POST',
      headers: { ...JSON.parse(recorded('firing.headers')), ...headers },
      body: JSON.stringify(envelope),
    });
    return { status: response.status, code: ((await response.json()) as { code: string }).code };
  };
  return { received, post };
}

it('confirms its subscription, brings an alarm, and is nobody else', async () => {
  const { received, post } = await anEntrance(auth);
  expect(await post(sns.sign(JSON.parse(recorded('subscription'))))).toEqual({ status: 200, code: 'Stored' });
  expect(sns.asked.some((path) => path.includes('Action=ConfirmSubscription'))).toBe(true);
  expect(received).toEqual([]);
  expect(await post(sns.sign(JSON.parse(recorded('firing'))))).toEqual({ status: 200, code: 'Stored' });
  expect(received.map(({ input }) => input.labels.alertname)).toEqual(['checkout-5xx']);
  expect(await post(JSON.parse(recorded('firing')))).toEqual({ status: 403, code: 'Forbidden' });
  expect(await post({ version: '4', alerts: [] })).toEqual({ status: 400, code: 'Invalid' });
  expect(received).toHaveLength(1);
});

it('must sign also where it shows a password: who has that is not yet SNS', async () => {
  const { received, post } = await anEntrance({ basic: { secretRef: { name: 'aws' } } });
  const authorization = `Basic ${Buffer.from('sns:password').toString('base64')}`;
  sns.asked.length = 0;
  expect(await post(sns.sign(JSON.parse(recorded('firing'))))).toEqual({ status: 401, code: 'Unauthenticated' });
  expect(await post(JSON.parse(recorded('firing')), { authorization })).toEqual({ status: 403, code: 'Forbidden' });
  expect(await post(sns.sign(JSON.parse(recorded('subscription'))), { authorization })).toMatchObject({ status: 200 });
  expect(sns.asked.some((path) => path.includes('Action=ConfirmSubscription'))).toBe(true);
  expect(await post(sns.sign(JSON.parse(recorded('firing'))), { authorization })).toMatchObject({ status: 200 });
  expect(received).toHaveLength(1);
});

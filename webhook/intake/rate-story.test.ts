/** Senders of both kinds that send more than their source may have taken, by the true entrance, stores and drain. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AlertSource } from '@funnelai/crds/generated/types';
import { silentLog } from '@funnelai/kube/log';
import { afterEach, expect, it } from 'vitest';
import type { Drain } from '../inbox/drain.ts';
import { createReceivers } from '../receivers/registry.ts';
import { aBareApp, type BareApp } from '../testing/bare-app.ts';
import { anAlertSource } from '../testing/builders.ts';
import { aRatedWorld } from '../testing/rated-world.ts';

let app: BareApp | undefined;
let drain: Drain | undefined;
afterEach(async () => {
  await drain?.stop();
  await app?.stop();
});

const RATE = { ratePerSecond: 2, burst: 4 };

async function aStage(format: AlertSource['spec']['format'], o: { hasInbox?: boolean } = {}) {
  const source = anAlertSource({ spec: { format, auth: { none: {} }, limits: RATE } });
  const world = await aRatedWorld({ sources: [source], ...o });
  const running = await aBareApp(silentLog(), { source, ingest: world.ingest });
  app = running;
  drain = world.drain;
  async function post(body: unknown) {
    const answer = await fetch(`http://127.0.0.1:${running.port}/alerts/demo/prom`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    // biome-ignore lint/suspicious/noExplicitAny: what came is what the story looks into
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as any };
  }
  return { ...world, post };
}

const alerts = (from: number, to: number, status = 'firing') => ({
  version: '4',
  alerts: Array.from({ length: to - from }, (_, i) => ({
    status,
    labels: { alertname: 'Storm', pod: `p${from + i}` },
    annotations: {},
    startsAt: '2026-01-01T11:00:00Z',
    ...(status === 'resolved' ? { endsAt: '2026-01-01T12:00:00Z' } : {}),
  })),
});

it('answers Alertmanager 200: what is over is in the inbox, and becomes Alerts at that rate', async () => {
  const { post, fake, memory, clock, drain } = await aStage('Alertmanager');
  const answer = await post(alerts(0, 20));
  expect(answer).toMatchObject({ status: 200, body: { code: 'Stored', created: 4, inbox: 16, notStored: 0 } });
  expect(answer.headers.get('funnelai-stored-in')).toBe('etcd, inbox');
  // A repeat costs nothing, and an end is never late.
  expect((await post(alerts(0, 4))).body).toMatchObject({ unchanged: 4, notStored: 0 });
  expect((await post(alerts(0, 2, 'resolved'))).body).toMatchObject({ updated: 2 });
  drain.start();
  await clock.advance(8_000);
  expect([fake.stored.size, memory.rows, memory.aside]).toEqual([20, [], []]);
  const states = [...fake.stored.values()].map(({ spec }) => spec.state);
  expect(states.filter((state) => state === 'Resolved')).toHaveLength(2);
});

it('tells Azure 429 with the limit and the time, and nothing is in any store', async () => {
  const { post, fake, memory, clock, metrics } = await aStage('AzureMonitor');
  const body = (n: number, condition = 'Fired') =>
    JSON.parse(
      readFileSync(join(import.meta.dirname, '../receivers/recorded/AzureMonitor/firing.json'), 'utf8')
        .replaceAll('b9569717', String(n).padStart(8, '0'))
        .replace('"Fired"', `"${condition}"`),
    );
  for (let n = 0; n < 4; n += 1) expect((await post(body(n))).status).toBe(200);
  const answer = await post(body(4));
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
  expect(answer.body).toMatchObject({ code: 'TooMany', notStored: 1 });
  expect(answer.body.message).toContain('source demo/prom is over limits.ratePerSecond (2 alerts a second, burst 4)');
  expect([fake.stored.size, memory.rows]).toEqual([4, []]);
  expect(await metrics()).toContain('funnelai_webhook_over_rate_total{outcome="held"} 1');
  // Not for what is known, nor for its end.
  expect((await post(body(0))).status).toBe(200);
  expect((await post(body(1, 'Resolved'))).body).toMatchObject({ code: 'Stored', updated: 1 });
  await clock.advance(500);
  expect((await post(body(4))).body).toMatchObject({ code: 'Stored', created: 1 });
});

it('answers 503 while Postgres is away, too, and takes it when it comes again', async () => {
  const { post, memory, fake, clock } = await aStage('Alertmanager');
  memory.isAway = true;
  const answer = await post(alerts(0, 6));
  expect(answer).toMatchObject({ status: 503, body: { code: 'Unavailable', created: 4, notStored: 2 } });
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.body.message).toContain('is over limits.ratePerSecond (2 alerts a second, burst 4), and the inbox');
  await clock.advance(1_000);
  expect((await post(alerts(0, 6))).body).toMatchObject({ code: 'Stored', created: 2, unchanged: 4 });
  expect(fake.stored.size).toBe(6);
});

it('tells 429 to those formats alone whose senders are known to hold what they sent', () => {
  const holding = Object.values(createReceivers()).filter(({ holdsAt429 }) => holdsAt429 === true);
  expect(holding.map(({ format }) => format).toSorted()).toEqual(['AwsSns', 'AzureMonitor']);
});

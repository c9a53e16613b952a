import { type Clock, systemClock } from '@funnelai/kube/clock';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { INTAKE_DEADLINE_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import type { Received } from '../receivers/receiver.ts';
import { anAlertSource } from '../testing/builders.ts';
import { createIngest } from './ingest.ts';

const many = (count: number): Received[] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    input: { labels: { pod: `p${index}` }, annotations: {}, links: [], state: 'Firing' },
  }));

it('stores what it can of a body that took long to make ready', async () => {
  const clock = new FakeClock();
  let ms = 0;
  let stored = 0;
  const ingest = createIngest({
    clock: Object.assign(clock, {
      // Each pause takes as long as a whole request may.
      sleep: async () => clock.advance(INTAKE_DEADLINE_MS),
      monotonicMs: () => ms++,
    }),
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    store: {
      store: async ({ fingerprint }, signal) => {
        if (signal.aborted) return { kind: 'unavailable', message: 'too late' };
        stored += 1;
        return { kind: 'created', name: fingerprint };
      },
    },
  });
  expect(await ingest.ingest(anAlertSource(), many(200))).toMatchObject({ created: 200 });
  expect(stored).toBe(200);
});

it('lets others have their turn while it makes many alerts ready', async () => {
  let ms = 0;
  const clock: Clock = {
    now: () => systemClock.now(),
    after: (delay, fn) => systemClock.after(delay, fn),
    sleep: (delay, signal) => systemClock.sleep(delay, signal),
    // Each look at the clock is a millisecond of work.
    monotonicMs: () => ms++,
  };
  let turns = 0;
  let turnsAtFirstStore: number | undefined;
  const ingest = createIngest({
    clock,
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    store: {
      store: async ({ fingerprint }) => {
        turnsAtFirstStore ??= turns;
        return { kind: 'created', name: fingerprint };
      },
    },
  });
  const probe = () => {
    turns += 1;
    if (turnsAtFirstStore === undefined) setImmediate(probe);
  };
  setImmediate(probe);
  expect(await ingest.ingest(anAlertSource(), many(200))).toMatchObject({ created: 200, unavailable: 0 });
  expect(turnsAtFirstStore).toBeGreaterThanOrEqual(5);
});

it('notes when alerts were heard of that write nothing in etcd: what was written says so itself', async () => {
  const seen: string[] = [];
  const heard: string[] = [];
  const kinds = ['created', 'updated', 'unchanged', 'unavailable', 'refused'] as const;
  let n = 0;
  const ingest = createIngest({
    clock: new FakeClock(),
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    leases: {
      seen: (namespace, { labels }) => seen.push(`${namespace}/${labels?.pod}`),
      heard: ({ metadata }) => heard.push(metadata.name),
      missed: () => {},
    },
    store: {
      store: async () => {
        const kind = kinds[n++ % kinds.length] ?? 'created';
        return kind === 'unavailable' || kind === 'refused' ? { kind, message: kind } : { kind, name: kind };
      },
    },
  });
  await ingest.ingest(anAlertSource(), many(5));
  expect(seen).toEqual(['demo/p2', 'demo/p3']);
  expect(heard).toEqual([]);
  const over = many(5).map((one) => ({ ...one, input: { ...one.input, state: 'Resolved' as const } }));
  await ingest.ingest(anAlertSource({ spec: { heartbeat: { every: '5m' } } }), over);
  expect(seen).toHaveLength(2);
  expect(heard).toEqual(['prom']);
});

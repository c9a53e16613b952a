import { type Clock, systemClock } from '@funnelai/kube/clock';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { expect, it } from 'vitest';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlertSource } from '../testing/builders.ts';
import { createIngest } from './ingest.ts';

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
  const received = Array.from({ length: 200 }, (_, index) => ({
    index,
    input: { labels: { pod: `p${index}` }, annotations: {}, links: [], state: 'Firing' as const },
  }));
  expect(await ingest.ingest(anAlertSource(), received)).toMatchObject({ created: 200, unavailable: 0 });
  expect(turnsAtFirstStore).toBeGreaterThanOrEqual(5);
});

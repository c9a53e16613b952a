import { HistoryUnavailable } from '@funnelai/history/errors';
import type { EpisodeRepeats, RepeatStore } from '@funnelai/history/repeats';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { REPEATS_FLUSH_MS, REPEATS_REMEMBERED, REPEATS_TRIES } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert } from '../testing/builders.ts';
import { createRepeatCounter } from './repeats.ts';

function setUp(answer: (counts: readonly EpisodeRepeats[]) => readonly EpisodeRepeats[] = (counts) => counts) {
  const clock = new FakeClock();
  const writes: EpisodeRepeats[][] = [];
  const store: RepeatStore = {
    add: async (counts) => {
      const known = answer(counts);
      writes.push(counts.map(({ alertUid, episode, repeats }) => ({ alertUid, episode, repeats })));
      return [...known];
    },
  };
  const registry = createRegistry();
  const counter = createRepeatCounter({
    alerts: {
      get: (namespace, name) => ({
        ...anAlert(),
        metadata: { namespace, name, uid: `uid-${name}` },
        status: { episode: 3 },
      }),
    },
    store,
    clock,
    log: silentLog(),
    metrics: createWebhookMetrics(registry),
  });
  counter.start();
  const counted = async (outcome: string) => {
    const { values } = (await registry.getSingleMetric('funnelai_webhook_repeats_total')?.get()) ?? { values: [] };
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  return { clock, counter, writes, counted };
}

describe('repeats of alerts', () => {
  it('are added to the present episode, all of one interval in one write', async () => {
    const { clock, counter, writes, counted } = setUp();
    for (const name of ['a', 'b', 'a', 'a']) counter.count('pay', name);
    await clock.advance(REPEATS_FLUSH_MS);
    expect(writes).toEqual([
      [
        { alertUid: 'uid-a', episode: 3, repeats: 3 },
        { alertUid: 'uid-b', episode: 3, repeats: 1 },
      ],
    ]);
    expect(await counted('written')).toBe(4);
    await clock.advance(REPEATS_FLUSH_MS);
    expect(writes).toHaveLength(1);
  });

  it('are held while Postgres is away, and added when it is back', async () => {
    let isAway = true;
    const { clock, counter, writes } = setUp((counts) => {
      if (isAway) throw new HistoryUnavailable('away');
      return counts;
    });
    counter.count('pay', 'a');
    await clock.advance(REPEATS_FLUSH_MS);
    counter.count('pay', 'a');
    isAway = false;
    await clock.advance(REPEATS_FLUSH_MS);
    expect(writes).toEqual([[{ alertUid: 'uid-a', episode: 3, repeats: 2 }]]);
  });

  it('are held for so many episodes and no more; the rest is dropped and counted', async () => {
    const { clock, counter, writes, counted } = setUp(() => {
      throw new HistoryUnavailable('away');
    });
    for (let n = 0; n < REPEATS_REMEMBERED + 7; n += 1) counter.count('pay', `alert-${n}`);
    counter.count('pay', 'alert-0');
    expect(await counted('dropped')).toBe(7);
    await clock.advance(REPEATS_FLUSH_MS);
    expect(writes).toEqual([]);
    expect(await counted('dropped')).toBe(7);
  });

  it('of an episode that history never hears of are dropped after a while', async () => {
    const { clock, counter, writes, counted } = setUp(() => []);
    counter.count('pay', 'a');
    await clock.advance(REPEATS_FLUSH_MS * (REPEATS_TRIES + 2));
    expect(writes).toHaveLength(REPEATS_TRIES);
    expect(await counted('dropped')).toBe(1);
  });

  it('are written at a stop in good order', async () => {
    const { counter, writes } = setUp();
    counter.count('pay', 'a');
    await counter.stop();
    expect(writes).toHaveLength(1);
  });
});

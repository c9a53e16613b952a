import type { AlertSpec } from '@funnelai/crds/generated/types';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { Lease, LeaseStore, Sign } from '@funnelai/history/leases';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { LEASES_FLUSH_MS, LEASES_REMEMBERED } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { createLeaseCollector } from './collector.ts';

function stage() {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const written: Lease[] = [];
  const signs: Sign[] = [];
  const left: string[] = [];
  const said: { now: string; isComplete: boolean; lastComplete?: string | undefined }[] = [];
  const away = { isAway: false, isTaking: true };
  const guard = () => {
    if (away.isAway) throw new HistoryUnavailable('Postgres is away');
  };
  const store = {
    put: async (leases: readonly Lease[]) => {
      guard();
      written.push(...leases);
    },
    putSigns: async (some: readonly Sign[]) => {
      guard();
      signs.push(...some);
    },
    alive: async (_replica: string, now: string, o: { isComplete: boolean; lastComplete?: string | undefined }) => {
      guard();
      said.push({ now, ...o });
    },
    leave: async () => {
      guard();
      left.push('r');
    },
  } as unknown as LeaseStore;
  const metrics = createWebhookMetrics(createRegistry());
  const isTaking = () => away.isTaking;
  const collector = createLeaseCollector({ store, replica: 'r', isTaking, clock, log: silentLog(), metrics });
  return { clock, collector, written, signs, left, said, away };
}
const report = (second: number, o: Partial<AlertSpec> = {}): AlertSpec =>
  anAlert({ spec: { receivedAt: `2026-01-01T12:00:0${second}.000000Z`, ...o } }).spec;

describe('what was heard', () => {
  it('is written together, the newest of each alert once, and says that it is whole', async () => {
    const { collector, clock, written, said } = stage();
    collector.start();
    await clock.advance(0);
    collector.seen('demo', report(2, { leaseUntil: '2026-01-01T12:04:02.000000Z' }));
    collector.seen('demo', report(1));
    await clock.advance(LEASES_FLUSH_MS);
    expect(written).toMatchObject([
      { namespace: 'demo', source: 'prom', lastSeen: report(2).receivedAt, leaseUntil: '2026-01-01T12:04:02.000000Z' },
    ]);
    expect(said.map(({ isComplete }) => isComplete)).toEqual([true, true]);
    expect(said[1]?.lastComplete).toBe(said[0]?.now);
  });

  it('is held while Postgres is away and written when it is back; nothing is said to be known before', async () => {
    const { collector, clock, written, signs, said, away } = stage();
    collector.start();
    await clock.advance(0);
    away.isAway = true;
    collector.seen('demo', report(1));
    collector.heard(anAlertSource(), '2026-01-01T12:00:01.000000Z');
    await clock.advance(3 * LEASES_FLUSH_MS);
    expect(said).toHaveLength(1);
    away.isAway = false;
    await clock.advance(LEASES_FLUSH_MS);
    expect(written).toHaveLength(1);
    expect(signs).toHaveLength(1);
    expect(said[1]).toMatchObject({ isComplete: true, lastComplete: said[0]?.now });
  });

  it('is not whole when reports were turned away, the API server was away, or there was too much to hold', async () => {
    const { collector, clock, said, away } = stage();
    collector.start();
    await clock.advance(0);
    collector.missed();
    await clock.advance(LEASES_FLUSH_MS);
    away.isTaking = false;
    await clock.advance(LEASES_FLUSH_MS);
    away.isTaking = true;
    for (let n = 0; n <= LEASES_REMEMBERED; n += 1) collector.seen('demo', report(1, { fingerprint: String(n) }));
    await clock.advance(LEASES_FLUSH_MS);
    await clock.advance(LEASES_FLUSH_MS);
    expect(said.map(({ isComplete }) => isComplete)).toEqual([true, false, false, false, true]);
  });

  it('is not whole either when reports were turned away while Postgres was', async () => {
    const { collector, clock, said, away } = stage();
    collector.start();
    await clock.advance(0);
    away.isAway = true;
    collector.missed();
    await clock.advance(LEASES_FLUSH_MS);
    away.isAway = false;
    await clock.advance(LEASES_FLUSH_MS);
    await clock.advance(LEASES_FLUSH_MS);
    expect(said.map(({ isComplete }) => isComplete)).toEqual([true, false, true]);
  });

  it('is written before it stops, and it takes its leave as one that heard all', async () => {
    const { collector, clock, written, left } = stage();
    collector.start();
    await clock.advance(0);
    collector.seen('demo', report(1));
    await collector.stop();
    expect(written).toHaveLength(1);
    expect(left).toEqual(['r']);
  });

  it('was not all when reports were turned away a moment before it stops: then it does not take its leave, which makes a gap', async () => {
    const { collector, clock, left } = stage();
    collector.start();
    await clock.advance(0);
    collector.missed();
    await collector.stop();
    expect(left).toEqual([]);
  });
});

import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { IntakeLife, Lease, LeaseKey, LeaseStore } from '@funnelai/history/leases';
import type { Cache } from '@funnelai/kube/cache';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { EXPIRIES_AT_ONCE, EXPIRIES_PER_PASS, EXPIRY_PASS_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert } from '../testing/builders.ts';
import { createExpirer } from './expirer.ts';

const HOUR = 3_600_000;
const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toString();
const cacheOf = <T>(objects: T[], o: { isFresh: boolean } = { isFresh: true }) =>
  ({ list: () => objects, get: () => undefined, synced: true, fresh: () => o.isFresh }) as unknown as Cache<never>;

/** So many alerts whose lease ran out long ago. */
function stage(count: number) {
  const clock = new FakeClock();
  const alerts = Array.from({ length: count }, (_, n) =>
    anAlert({ name: `a${n}`, spec: { fingerprint: String(n), receivedAt: at(0), leaseUntil: at(60_000) } }),
  );
  const state = { isHeld: true, isAway: false, isFresh: true, life: undefined as IntakeLife | undefined };
  const knows = { isFresh: true };
  state.life = { beganAt: at(0), knownUntil: at(HOUR), gaps: [] };
  const expired: string[] = [];
  const brought: string[] = [];
  const fails = new Set<string>();
  const leases: Lease[] = [];
  const store = {
    life: async () => {
      if (state.isAway) throw new HistoryUnavailable('Postgres is away');
      return state.life;
    },
    find: async (keys: readonly LeaseKey[]) =>
      leases.filter((lease) => keys.some(({ fingerprint }) => fingerprint === lease.fingerprint)),
    old: async () => [],
  } as unknown as LeaseStore;
  const registry = createRegistry();
  const expirer = createExpirer({
    store,
    lock: { held: () => state.isHeld },
    alerts: cacheOf<Alert>(alerts, state),
    sources: cacheOf<AlertSource>([], knows),
    writes: {
      expire: async ({ metadata }) => {
        if (fails.has(metadata.name)) throw new Error('forbidden');
        expired.push(metadata.name);
        alerts.splice(
          alerts.findIndex((one) => one.metadata.name === metadata.name),
          1,
        );
        return true;
      },
      bringBack: async ({ metadata }, { lastSeen }) => {
        brought.push(`${metadata.name} ${lastSeen}`);
        return true;
      },
    },
    heartbeats: { pass: async () => {} },
    folded: { pass: async () => {} },
    clock,
    log: silentLog(),
    metrics: createWebhookMetrics(registry),
  });
  return { clock, expirer, state, knows, alerts, expired, brought, fails, leases };
}

describe('the one who expires', () => {
  it('looks every few seconds, and writes what ran out', async () => {
    const { clock, expirer, expired } = stage(3);
    expirer.start();
    await clock.advance(EXPIRY_PASS_MS);
    expect(expired.sort()).toEqual(['a0', 'a1', 'a2']);
    await expirer.stop();
  });

  it('writes nothing without the lock, from old news, or while Postgres does not say what was heard', async () => {
    const { expirer, state, knows, expired } = stage(1);
    // A source that it has not heard of is not gone for that, nor is its lease what it was.
    knows.isFresh = false;
    await expirer.pass();
    expect(expired).toEqual([]);
    knows.isFresh = true;
    for (const away of [{ isHeld: false }, { isFresh: false }, { isAway: true }, { life: undefined }]) {
      const before = { ...state };
      Object.assign(state, away);
      await expirer.pass();
      expect(expired).toEqual([]);
      Object.assign(state, before);
    }
    await expirer.pass();
    expect(expired).toEqual(['a0']);
  });

  it('leaves alone what was heard of since, by what Postgres knows', async () => {
    const { expirer, expired, leases } = stage(2);
    leases.push({
      namespace: 'demo',
      source: 'prom',
      fingerprint: '1',
      lastSeen: at(HOUR - 1_000),
      leaseUntil: at(HOUR),
    });
    await expirer.pass();
    expect(expired).toEqual(['a0']);
  });

  it('brings back what expired though a report of it was under way, and nothing else that did', async () => {
    const { expirer, alerts, expired, brought, leases } = stage(3);
    const reasons = ['LeaseRanOut', 'LeaseRanOut', 'DedupChanged'] as const;
    for (const [n, reason] of reasons.entries())
      Object.assign(alerts[n]?.spec ?? {}, { state: 'Expired', expired: { at: at(HOUR - 1_000), reason } });
    const seen = (fingerprint: string, ms: number) => ({
      namespace: 'demo',
      source: 'prom',
      fingerprint,
      lastSeen: at(ms),
    });
    leases.push(seen('0', 59_000), seen('1', 0), seen('2', 59_000));
    await expirer.pass();
    expect([expired, brought]).toEqual([[], [`a0 ${at(59_000)}`]]);
  });

  it('stops in the middle when it loses the lock', async () => {
    const { expirer, state, expired } = stage(100);
    const { push } = expired;
    expired.push = (...names) => {
      state.isHeld = expired.length < 10;
      return push.apply(expired, names);
    };
    await expirer.pass();
    expect(expired.length).toBeLessThanOrEqual(11 + EXPIRIES_AT_ONCE);
  });

  it('lets one that fails hold up no other, and tries it again', async () => {
    const { expirer, expired, fails } = stage(3);
    fails.add('a1');
    await expirer.pass();
    expect(expired).toEqual(['a0', 'a2']);
    fails.clear();
    await expirer.pass();
    expect(expired).toEqual(['a0', 'a2', 'a1']);
  });

  it('writes so many in a pass and no more; the rest comes with the next', async () => {
    const { expirer, expired } = stage(EXPIRIES_PER_PASS + 5);
    await expirer.pass();
    expect(expired).toHaveLength(EXPIRIES_PER_PASS);
    await expirer.pass();
    expect(expired).toHaveLength(EXPIRIES_PER_PASS + 5);
  });
});

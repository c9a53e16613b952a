import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { alertName, fingerprintOf, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import { HEARTBEAT_FINGERPRINT, isSignOfLife } from '@funnelai/domain/heartbeat';
import type { LeaseStore, Sign } from '@funnelai/history/leases';
import type { Cache } from '@funnelai/kube/cache';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { mergeReports } from '../intake/store.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { type Known, LEASE_GRACE_MS } from './decide.ts';
import { createHeartbeats, heartbeatVerdict } from './heartbeats.ts';

const MINUTE = 60_000;
const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toString();
const until = (untilMs: number): Known => ({ beganMs: 0, untilMs, gaps: [] });
const beating = (heartbeat: AlertSource['spec']['heartbeat'] = { every: '5m' }) =>
  anAlertSource({ spec: heartbeat === undefined ? {} : { heartbeat } });
const sign = (source: AlertSource, heardMs: number) => ({
  namespace: 'demo',
  source: 'prom',
  sourceUid: source.metadata.uid ?? '',
  lastHeard: at(heardMs),
});
const silent = (startMs: number, state: AlertSpec['state'] = 'Firing') =>
  anAlert({ spec: { state, startsAt: at(startMs) } }).spec;

describe('the heartbeat of a source', () => {
  const source = beating();
  const late = 5 * MINUTE + LEASE_GRACE_MS;

  it('begins to count when it is asked for, and anew for a source that was made anew', () => {
    expect(heartbeatVerdict({ source, sign: undefined, alert: undefined }, until(late)).kind).toBe('begin');
    const old = { ...sign(source, 0), sourceUid: 'another' };
    expect(heartbeatVerdict({ source, sign: old, alert: undefined }, until(late)).kind).toBe('begin');
  });

  it('opens once, and not a moment too soon', () => {
    const heard = sign(source, 0);
    expect(heartbeatVerdict({ source, sign: heard, alert: undefined }, until(late - 1)).kind).toBe('nothing');
    expect(heartbeatVerdict({ source, sign: heard, alert: undefined }, until(late)).kind).toBe('open');
    expect(heartbeatVerdict({ source, sign: heard, alert: silent(late) }, until(late * 2)).kind).toBe('nothing');
    const over = silent(-late, 'Resolved');
    expect(heartbeatVerdict({ source, sign: heard, alert: over }, until(late)).kind).toBe('open');
  });

  it('closes when it is heard of after that, when it has no heartbeat any more, and when it is gone', () => {
    const facts = { source, sign: sign(source, late), alert: silent(late) };
    expect(heartbeatVerdict(facts, until(late)).kind).toBe('close');
    const without = anAlertSource();
    expect(heartbeatVerdict({ ...facts, source: without }, until(late)).kind).toBe('close');
    expect(heartbeatVerdict({ ...facts, source: undefined }, until(late)).kind).toBe('close');
    expect(heartbeatVerdict({ ...facts, source: undefined, alert: undefined }, until(late)).kind).toBe('nothing');
  });

  it('says nothing while its matchers cannot be read', () => {
    const bad = beating({ every: '5m', match: ['alertname=~"("'] });
    expect(heartbeatVerdict({ source: bad, sign: sign(bad, 0), alert: undefined }, until(late)).kind).toBe('nothing');
    expect(isSignOfLife(bad, [{ labels: { alertname: '(' } }])).toBe(false);
  });
});

/** One source of which nothing was heard since `0`, whose alert is kept as the intake would keep it. */
function stage() {
  const clock = new FakeClock(at(0));
  const state = { source: beating(), signs: [] as Sign[], alert: undefined as Alert | undefined };
  const name = alertName('prom', HEARTBEAT_FINGERPRINT);
  const heartbeats = createHeartbeats({
    store: {
      signs: async () => state.signs,
      putSigns: async (signs: Sign[]) => {
        state.signs = signs;
      },
      forgetSigns: async () => {
        state.signs = [];
      },
    } as unknown as LeaseStore,
    alerts: {
      list: () => (state.alert === undefined ? [] : [state.alert]),
      get: (_namespace: string, asked: string) => (asked === name ? state.alert : undefined),
    } as unknown as Cache<Alert>,
    sources: { list: () => [state.source], get: () => state.source } as unknown as Cache<AlertSource>,
    intake: {
      async store({ reports }) {
        state.alert = anAlert({ name, spec: mergeReports(state.alert?.spec, reports) ?? expect.fail() });
        return { kind: 'updated', name };
      },
    },
    clock,
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
  });
  const pass = () => heartbeats.pass(until(clock.now().epochMilliseconds), () => true);
  return {
    state,
    stateOf: () => state.alert?.spec.state,
    /** Lets so much time go by, and looks now and then. */
    async wait(ms: number) {
      for (let left = ms; left > 0; left -= MINUTE) {
        await clock.advance(MINUTE);
        await pass();
      }
    },
    hear: () => {
      state.signs = [sign(state.source, clock.now().epochMilliseconds)];
    },
  };
}

describe('the silence of a source', () => {
  it.each([
    [
      'its source was made anew',
      ({ state }: ReturnType<typeof stage>) => {
        state.source = { ...beating(), metadata: { ...state.source.metadata, uid: 'made-anew' } };
      },
    ],
    [
      'Postgres was emptied',
      ({ state }: ReturnType<typeof stage>) => {
        state.signs = [];
      },
    ],
  ])('goes on until something comes, also when %s meanwhile', async (_what, happens) => {
    const world = stage();
    await world.wait(10 * MINUTE);
    expect(world.stateOf()).toBe('Firing');
    const { startsAt } = world.state.alert?.spec ?? expect.fail();
    happens(world);
    await world.wait(20 * MINUTE);
    expect(world.state.alert?.spec).toMatchObject({ state: 'Firing', startsAt });
    world.hear();
    await world.wait(MINUTE);
    expect(world.stateOf()).toBe('Resolved');
    await world.wait(10 * MINUTE);
    expect(world.stateOf()).toBe('Firing');
  });
});

describe('a sign of life', () => {
  it('is any body, unless only some alerts are', () => {
    expect(isSignOfLife(beating(), [])).toBe(true);
    expect(isSignOfLife(anAlertSource(), [])).toBe(false);
    const watchdog = beating({ every: '5m', match: ['alertname="Watchdog"', 'cluster=~"eu-.+"'] });
    const labels = (alertname: string, cluster: string) => ({ labels: { alertname, cluster } });
    expect(isSignOfLife(watchdog, [])).toBe(false);
    expect(isSignOfLife(watchdog, [labels('Watchdog', 'us-1'), labels('Other', 'eu-1')])).toBe(false);
    expect(isSignOfLife(watchdog, [labels('Other', 'eu-1'), labels('Watchdog', 'eu-1')])).toBe(true);
  });

  it('is of an identity that no sender can make', () => {
    for (const key of ['', 'heartbeat', '{"heartbeat":true}', 'true'])
      expect(fingerprintOfKey(key)).not.toBe(HEARTBEAT_FINGERPRINT);
    expect(fingerprintOf({ heartbeat: 'true' }).fingerprint).not.toBe(HEARTBEAT_FINGERPRINT);
  });
});

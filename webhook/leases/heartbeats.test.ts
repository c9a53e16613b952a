import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { fingerprintOf, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import { HEARTBEAT_FINGERPRINT, isSignOfLife } from '@funnelai/domain/heartbeat';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { type Known, LEASE_GRACE_MS } from './decide.ts';
import { heartbeatVerdict } from './heartbeats.ts';

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

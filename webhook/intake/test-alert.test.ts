import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import type { Ingest } from './ingest.ts';
import { isTestAlertOver, TEST_KEY, testAlert } from './test-alert.ts';
import { createTestAlertEnd } from './test-alert-end.ts';

const now = Temporal.Instant.from('2026-03-01T10:00:00Z');

describe('a test alert', () => {
  const fires = (o: object = {}) =>
    anAlert({
      spec: { dedupKey: TEST_KEY, labels: { funnelai_test: 'true' }, receivedAt: '2026-03-01T10:00:00.000000Z', ...o },
    });

  it('ends by itself after a quarter of an hour; no other alert does', () => {
    const later = (minutes: number) => now.add({ minutes });
    expect(isTestAlertOver(fires(), later(14))).toBe(false);
    expect(isTestAlertOver(fires(), later(15))).toBe(true);
    expect(isTestAlertOver(fires({ state: 'Resolved' }), later(60))).toBe(false);
    expect(isTestAlertOver(fires({ labels: { alertname: 'X' } }), later(60))).toBe(false);
    expect(isTestAlertOver(fires({ dedupKey: 'mine' }), later(60))).toBe(false);
  });

  it('keeps who sent it when it is resolved, and is the same whatever the source calls an identity', () => {
    const sent = testAlert({ title: 'Test alert sent by ana', state: 'Firing', severity: 'critical' }, now);
    const resolved = testAlert({ title: 'Test alert sent by ana', state: 'Resolved' }, now);
    expect(resolved).toMatchObject({ dedupKey: sent.dedupKey, title: sent.title, state: 'Resolved', endsAt: now });
    expect(sent).toMatchObject({ severity: 'critical', labels: { funnelai_test: 'true' } });
  });

  it('is resolved by whichever replica looks, once, and again when it could not be stored', async () => {
    const clock = new FakeClock('2026-03-01T10:00:00Z');
    const alert = fires({ title: 'Test alert sent by ana' });
    const held = [alert, fires({ dedupKey: 'another' })];
    const sent: string[] = [];
    let isAway = true;
    const ingest: Ingest = {
      ingest: async (_source, received, o) => {
        const [one] = received;
        // Not its sender says it: a source that is silent stays so.
        expect(o?.isOurs).toBe(true);
        sent.push(`${one?.input.state} ${one?.input.title}`);
        if (!isAway) alert.spec.state = 'Resolved';
        return { created: 0, updated: isAway ? 0 : 1, unchanged: 0, refused: [], unavailable: isAway ? 1 : 0 };
      },
    };
    const end = createTestAlertEnd({
      alerts: { list: () => held.values() },
      sources: { get: () => anAlertSource() },
      ingest,
      clock,
      log: silentLog(),
    });
    end.start();
    await clock.advance(14 * 60_000);
    expect(sent).toEqual([]);
    await clock.advance(2 * 60_000);
    expect(sent.length).toBeGreaterThan(0);
    isAway = false;
    const before = sent.length;
    await clock.advance(10 * 60_000);
    expect(sent.slice(before)).toEqual(['Resolved Test alert sent by ana']);
    end.stop();
    expect(clock.pending()).toBe(0);
  });
});

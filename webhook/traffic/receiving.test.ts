import type { AlertSource } from '@funnelai/crds/generated/types';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { RECEIVING_EVERY_MS, RECEIVING_QUIET_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlertSource } from '../testing/builders.ts';
import type { Arrival } from './arrival.ts';
import { createStatusWriter, type StatusWriter } from './status-writer.ts';

/** Sources as the API server and every replica's cache have them; counts the writes. */
function stage(replicas = 1) {
  const clock = new FakeClock('2026-03-01T10:00:00Z');
  const source = anAlertSource();
  const stored = new Map([[source.metadata.uid ?? '', source]]);
  const applied: { manager: string; object: AlertSource }[] = [];
  const state = { isAway: false };
  const sources = {
    list: () => stored.values(),
    byUid: (uid: string) => stored.get(uid),
    observe: () => {},
  } as unknown as Cache<AlertSource>;
  const client = {
    apply: async (_resource: unknown, object: AlertSource, o: { fieldManager: string; subresource: string }) => {
      if (state.isAway)
        throw new KubeError({ status: 0, reason: 'ConnectionFailed', message: 'no answer', transient: true });
      expect(o.subresource).toBe('status');
      applied.push({ manager: o.fieldManager, object });
      const held = stored.get(object.metadata.uid ?? '');
      if (held === undefined)
        throw new KubeError({ status: 404, reason: 'NotFound', message: 'gone', transient: false });
      const next = { ...held, status: { observedGeneration: 1, ...held.status, ...object.status } } as AlertSource;
      stored.set(object.metadata.uid ?? '', next);
      return next;
    },
  } as unknown as KubeClient;
  const metrics = createWebhookMetrics(createRegistry());
  const writers: StatusWriter[] = Array.from({ length: replicas }, () =>
    createStatusWriter({ client, sources, clock, log: silentLog(), metrics }),
  );
  for (const writer of writers) writer.start();
  const saw = (o: Partial<Arrival> = {}, replica = 0) =>
    writers[replica]?.saw({
      source,
      isKnown: true,
      path: '',
      headers: {},
      alerts: 1,
      stored: 1,
      isDryRun: false,
      ...o,
    });
  const status = () => stored.get(source.metadata.uid ?? '')?.status;
  const receiving = () => status()?.conditions?.find(({ type }) => type === 'Receiving');
  return { clock, applied, state, saw, status, receiving, stored, minute: () => clock.advance(RECEIVING_EVERY_MS) };
}
const refusal = { reason: 'Invalid', status: 400, message: 'alerts: found nothing, expected a list of alerts' };
const unauthenticated = { reason: 'Unauthenticated', status: 401, message: 'The bearer token is not the one.' };

describe('what a source says of what comes in', () => {
  it('is when the newest body came, at most once a minute, under a name of its own', async () => {
    const { applied, saw, status, receiving, minute, clock } = stage();
    for (let i = 0; i < 600; i += 1) {
      saw();
      await clock.advance(500);
    }
    expect(applied.length).toBeLessThanOrEqual(6);
    expect(applied.length).toBeGreaterThanOrEqual(5);
    expect(applied[0]?.manager).toBe('funnelai-webhook-receiving');
    expect(Object.keys(applied[0]?.object.status ?? {}).sort()).toEqual(['conditions', 'lastReceivedAt']);
    await minute();
    expect(status()?.lastReceivedAt).toBe('2026-03-01T10:04:59Z');
    expect(receiving()).toMatchObject({
      status: 'True',
      reason: 'Accepted',
      lastTransitionTime: '2026-03-01T10:00:10Z',
    });
  });

  it('costs several replicas no more writes than one', async () => {
    const { applied, saw, clock } = stage(4);
    for (let i = 0; i < 600; i += 1) {
      saw({}, i % 4);
      await clock.advance(500);
    }
    expect(applied.length).toBeLessThanOrEqual(6);
  });

  it('is False with the reason while all of it is refused, and True again with the first that is taken', async () => {
    const { saw, receiving, minute, status, applied, clock } = stage();
    saw({ refusal, stored: 0 });
    await minute();
    expect(receiving()).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(receiving()?.message).toContain('expected a list of alerts');
    expect(status()?.lastReceivedAt).toBeUndefined();
    saw({ refusal, stored: 0 });
    saw();
    await minute();
    expect(receiving()).toMatchObject({ status: 'True' });
    const before = status()?.lastReceivedAt;
    await clock.advance(5 * RECEIVING_EVERY_MS);
    saw({ isKnown: false, refusal: unauthenticated, stored: 0 });
    await minute();
    expect(receiving()).toMatchObject({ status: 'False', reason: 'Unauthenticated' });
    expect(status()?.lastReceivedAt).toBe(before);
    const writes = applied.length;
    saw({ isKnown: false, refusal: unauthenticated, stored: 0 });
    await minute();
    expect(applied.length).toBe(writes);
  });

  it('does not waver between a replica that takes and one that only refuses', async () => {
    const { saw, receiving, clock, applied } = stage(2);
    for (let i = 0; i < 600; i += 1) {
      if (i % 40 === 0) saw({}, 0);
      saw({ isKnown: false, refusal: unauthenticated, stored: 0 }, 1);
      await clock.advance(500);
    }
    expect(receiving()).toMatchObject({ status: 'True' });
    // The first minute may say what the other one saw.
    expect(
      applied.filter(({ object }) => object.status?.conditions?.[0]?.status === 'False').length,
    ).toBeLessThanOrEqual(1);
  });

  it('tells when more came than its rate lets through, and costs no write more for that', async () => {
    const { applied, saw, status, clock, minute } = stage(2);
    for (let i = 0; i < 600; i += 1) {
      saw({ overRate: i >= 100 && i < 400 ? 3 : 0 }, i % 2);
      await clock.advance(500);
    }
    expect(applied.length).toBeLessThanOrEqual(6);
    await minute();
    // Half a minute at most was not said yet when the last of it came.
    expect(status()).toMatchObject({ lastReceivedAt: '2026-03-01T10:04:59Z', lastOverRateAt: '2026-03-01T10:03:19Z' });
    expect(applied.at(-1)?.object.status).toHaveProperty('lastOverRateAt');
  });

  it('tells so, too, where its sender was told to hold it', async () => {
    const { saw, status, minute, clock } = stage();
    saw();
    await minute();
    expect(status()).not.toHaveProperty('lastOverRateAt');
    await clock.advance(500);
    saw({ overRate: 1, stored: 0, refusal: { reason: 'TooMany', status: 429, message: 'over its rate' } });
    await minute();
    expect(status()).toMatchObject({ lastReceivedAt: '2026-03-01T10:00:00Z', lastOverRateAt: '2026-03-01T10:01:00Z' });
  });

  it('is quiet after an hour, said once', async () => {
    const { saw, receiving, clock, applied } = stage();
    saw();
    await clock.advance(RECEIVING_QUIET_MS + 2 * RECEIVING_EVERY_MS);
    expect(receiving()).toMatchObject({ status: 'False', reason: 'Quiet' });
    await clock.advance(5 * RECEIVING_QUIET_MS);
    expect(applied.length).toBe(2);
  });

  it('is written later when the API server was away, and never of a source that is gone', async () => {
    const { saw, status, state, minute, stored, applied } = stage();
    state.isAway = true;
    saw();
    await minute();
    state.isAway = false;
    await minute();
    expect(status()?.lastReceivedAt).toBe('2026-03-01T10:00:00Z');
    saw();
    stored.clear();
    await minute();
    expect(applied.length).toBe(1);
  });
});

import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { PREVIEW_ALERTS } from '../limits.ts';
import { alertmanager } from '../receivers/alertmanager.ts';
import type { Envelope, Receiver } from '../receivers/receiver.ts';
import { anAlertSource } from '../testing/builders.ts';
import { previewOf } from './preview.ts';

const now = Temporal.Instant.from('2026-03-01T10:00:00Z');
const envelope = (body: unknown): Envelope => ({
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  headers: {},
  mediaType: 'application/json',
  path: '',
  query: new URLSearchParams(),
  source: anAlertSource({ spec: { labels: { cluster: 'eu-1' } } }),
  now,
});
const preview = (body: unknown, receiver: Receiver = alertmanager) =>
  previewOf(receiver, envelope(body), new FakeClock());
const firing = (labels: Record<string, string>) => ({ status: 'firing', labels });

describe('what a body would become', () => {
  it('is its alerts as they would be stored, with what the source adds, the same fault once', async () => {
    const { alerts, total, answer } = await preview({
      alerts: [firing({ alertname: 'A' }), firing({ alertname: 'A', replica: 'b' }), firing({ alertname: 'B' })],
    });
    expect(total).toBe(2);
    expect(answer).toEqual({ status: 200, code: 'Stored', message: '3 of 3 alerts would be stored' });
    expect(alerts.map(({ index, spec }) => [index, spec.title])).toEqual([
      [1, 'A'],
      [2, 'B'],
    ]);
    expect(alerts[0]?.spec.labels).toMatchObject({ cluster: 'eu-1', replica: 'b' });
    expect(alerts[0]?.name).toMatch(/^prom-[0-9a-f]{16}$/);
  });

  it('names what is wrong with an alert beside the good ones, and a body that is none at all', async () => {
    const mixed = await preview({ alerts: [firing({ alertname: 'A' }), { labels: {} }] });
    expect(mixed.answer).toMatchObject({ status: 400, code: 'Invalid' });
    expect(mixed.answer.message).toContain(
      '1 of 2 alerts would be stored; the first that would not is alerts[1].labels',
    );
    expect(mixed.total).toBe(1);
    expect((await preview('{"alerts": [}')).answer).toMatchObject({ status: 400, code: 'Invalid' });
    expect((await preview([])).answer.message).toContain('a bare list goes to');
    const many = { alerts: Array.from({ length: 10_001 }, () => firing({ alertname: 'A' })) };
    expect((await preview(many)).answer).toMatchObject({ status: 413, code: 'TooLarge' });
  });

  it('shows the first hundred of many, and counts them all', async () => {
    const alerts = Array.from({ length: 450 }, (_, i) => firing({ alertname: 'A', pod: `p${i}` }));
    const shown = await preview({ alerts });
    expect(shown.alerts).toHaveLength(PREVIEW_ALERTS);
    expect(shown.total).toBe(450);
  });

  it('asks the format to let nobody in: nothing is fetched or confirmed for a body that is only looked at', async () => {
    const shown = await preview(
      { alerts: [firing({ alertname: 'A' })] },
      { ...alertmanager, admit: () => Promise.reject(new Error('asked')) },
    );
    expect(shown.total).toBe(1);
  });

  it('is no cover for a fault of ours', async () => {
    const broken: Receiver = {
      ...alertmanager,
      read: () => {
        throw new TypeError('ours');
      },
    };
    await expect(preview('{}', broken)).rejects.toThrow('ours');
  });
});

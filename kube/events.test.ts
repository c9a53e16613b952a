import type { KubeObject } from '@funnelai/crds/meta';
import { describe, expect, it } from 'vitest';
import { KubeError } from './errors.ts';
import { createEventRecorder, type EventRecorderOptions } from './events.ts';
import { silentLog } from './log.ts';
import { createRegistry } from './metrics.ts';
import { FakeClock } from './test-clock.ts';
import { aConfigMap } from './testing/scripted-server.ts';

type Written = KubeObject & { note: string; reason: string; series?: { count: number }; regarding: { name: string } };

function aRecorder(fail?: (attempt: number) => KubeError | undefined) {
  const clock = new FakeClock();
  const metrics = createRegistry();
  const created: Written[] = [];
  const patched: unknown[] = [];
  let attempt = 0;
  const client: EventRecorderOptions['client'] = {
    create: async <T extends KubeObject>(_: unknown, object: T) => {
      const error = fail?.(++attempt);
      if (error) throw error;
      created.push(object as unknown as Written);
      return object;
    },
    mergePatch: async <T extends KubeObject>(_r: unknown, _k: unknown, patch: unknown) => {
      patched.push(patch);
      return {} as T;
    },
  };
  const recorder = createEventRecorder({
    client,
    component: 'funnelai.dev/operator',
    instance: 'pod-1',
    clock,
    log: silentLog(),
    metrics,
    random: () => 0,
  });
  const dropped = async (reason: string) =>
    (await metrics.getSingleMetric('funnelai_events_dropped_total')?.get())?.values.find(
      (v) => v.labels.reason === reason,
    )?.value ?? 0;
  return { recorder, clock, created, patched, dropped, attempts: () => attempt };
}
const refusal = (status: number, o: { causes?: { reason: string }[]; transient?: boolean } = {}) =>
  new KubeError({
    status,
    reason: 'X',
    message: 'no',
    transient: o.transient ?? false,
    details: { causes: o.causes ?? [] },
  });

describe('Events', () => {
  it('say what, about what, and by whom, as events.k8s.io/v1 wants it', async () => {
    const { recorder, created } = aRecorder();
    recorder.event(
      aConfigMap({ name: 'x', namespace: 'pay', rv: '7' }),
      'Warning',
      'Opened',
      'twelve alerts',
      'Correlate',
    );
    await recorder.flush();
    expect(created).toEqual([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: expect.stringMatching(/^x\.[0-9a-f]{16}$/), namespace: 'pay' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        type: 'Warning',
        reason: 'Opened',
        action: 'Correlate',
        note: 'twelve alerts',
        regarding: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: 'x',
          namespace: 'pay',
          uid: 'uid-x',
          resourceVersion: '7',
        },
        reportingController: 'funnelai.dev/operator',
        reportingInstance: 'pod-1',
      },
    ]);
  });

  it('gather repeats into a series whose count is written now and then', async () => {
    const { recorder, clock, created, patched } = aRecorder();
    const repeat = () => recorder.event(aConfigMap(), 'Normal', 'Reopened', 'came back');
    repeat();
    await clock.advance(1_000);
    repeat();
    await clock.advance(1_000);
    for (let i = 0; i < 50; i++) repeat();
    await clock.advance(9_999);
    expect(created).toHaveLength(1);
    expect(patched).toEqual([
      { series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' } },
      { series: { count: 52, lastObservedTime: '2026-01-01T00:00:02.000000Z' } },
    ]);
    await clock.advance(6 * 60_000);
    repeat();
    await recorder.flush();
    expect(created).toHaveLength(2);
  });

  it('write what is held back when flushed', async () => {
    const { recorder, clock, patched } = aRecorder();
    for (let i = 0; i < 2; i++) {
      recorder.event(aConfigMap(), 'Normal', 'A', 'a');
      await clock.advance(1_000);
    }
    recorder.event(aConfigMap(), 'Normal', 'A', 'a');
    await recorder.flush();
    expect(patched.at(-1)).toMatchObject({ series: { count: 3 } });
    expect(clock.pending()).toBe(0);
  });

  it('cut a note to 1024 bytes, never within a character', async () => {
    const { recorder, created } = aRecorder();
    recorder.event(aConfigMap(), 'Normal', 'A', '警'.repeat(2_000));
    await recorder.flush();
    const note = created[0]?.note ?? '';
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note).toMatch(/^警+…$/);
  });

  it('never throw, whatever is handed in', async () => {
    const { recorder, dropped } = aRecorder();
    recorder.event({} as KubeObject, 'Normal', 'A', 'a');
    await recorder.flush();
    expect(await dropped('malformed')).toBe(1);
  });

  it('are dropped and counted: in a namespace that ends, when refused, when nobody answers, when too many wait', async () => {
    const ending = aRecorder(() => refusal(403, { causes: [{ reason: 'NamespaceTerminating' }] }));
    ending.recorder.event(aConfigMap(), 'Normal', 'A', 'a');
    await ending.recorder.flush();
    expect([await ending.dropped('namespace-terminating'), ending.attempts()]).toEqual([1, 1]);

    const refused = aRecorder(() => refusal(422));
    refused.recorder.event(aConfigMap(), 'Normal', 'A', 'a');
    await refused.recorder.flush();
    expect([await refused.dropped('refused'), refused.attempts()]).toEqual([1, 1]);

    const away = aRecorder(() => refusal(0, { transient: true }));
    for (let i = 0; i < 1_500; i++) away.recorder.event(aConfigMap({ name: `n${i}` }), 'Normal', 'A', 'a');
    await away.clock.advance(60_000);
    expect(await away.dropped('queue-full')).toBe(499);
    expect(await away.dropped('gave-up')).toBeGreaterThan(1);
  });

  it('are tried again while the API server is away', async () => {
    const { recorder, clock, created } = aRecorder((attempt) =>
      attempt < 4 ? refusal(0, { transient: true }) : undefined,
    );
    recorder.event(aConfigMap(), 'Normal', 'A', 'a');
    await clock.advance(60_000);
    expect(created).toHaveLength(1);
  });
});

import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { KubeObject } from '@funnelai/crds/meta';
import { alertName, fingerprintOf } from '@funnelai/domain/fingerprint';
import { IndexedCache } from '@funnelai/kube/indexed-cache';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { PREVIEW_ALERTS } from '../limits.ts';
import { alertmanager } from '../receivers/alertmanager.ts';
import type { Envelope, Receiver } from '../receivers/receiver.ts';
import { anAlert, anAlertSource, nothingFolded } from '../testing/builders.ts';
import { noForesight } from './foresight.ts';
import type { Sight } from './grouping.ts';
import { previewOf } from './preview.ts';
import { BY_ORIGIN, createRouting, noRouting, originsOf, type Routing } from './routing.ts';

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
  previewOf(receiver, envelope(body), { clock: new FakeClock(), routing: noRouting, foresight: noForesight }).then(
    (it) => it.preview,
  );
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

describe('where an alert of a body would go', () => {
  const home = anAlertSource({
    namespace: 'infra',
    spec: {
      routes: [
        { match: ['team="pay"'], namespace: 'pay' },
        { match: ['team=~".+"'], namespace: 'closed' },
      ],
      labels: { cluster: 'eu-1' },
    },
  });
  const pay = anAlertSource({
    namespace: 'pay',
    name: 'platform',
    spec: { acceptFrom: { namespace: 'infra', name: 'prom' }, labels: { tier: 'one' }, dedup: { labels: ['pod'] } },
  });
  const held = (...alerts: Alert[]) => {
    const cache = <T extends KubeObject>(indexers: Record<string, (o: T) => string[]>) =>
      new IndexedCache<T>({ name: 'test', clock: new FakeClock(), log: silentLog(), fresh: () => true, indexers });
    const sources = cache<AlertSource>({ [BY_ORIGIN]: originsOf });
    const known = cache<Alert>({});
    sources.replace([home, pay], '1');
    known.replace(alerts, '1');
    return createRouting({ ...nothingFolded(), sources, alerts: known });
  };
  const goes = async (labels: Record<string, string>, o: { sight?: Sight; alerts?: Alert[] } = {}) => {
    const { sight, alerts = [] } = o;
    const { preview } = await previewOf(
      alertmanager,
      { ...envelope({ alerts: [firing({ alertname: 'A', ...labels })] }), source: home },
      {
        clock: new FakeClock(),
        routing: held(...alerts),
        foresight: noForesight,
        ...(sight === undefined ? {} : { sight }),
      },
    );
    return preview;
  };

  it('is shown as the alert that it would be there, with what that source lacks of it', async () => {
    const { alerts, warnings, answer } = await goes({ team: 'pay' });
    expect(alerts).toMatchObject([
      {
        name: expect.stringMatching(/^platform-/),
        goes: { namespace: 'pay', source: 'platform', why: 'routes[0] leads there' },
        spec: { sourceRef: { name: 'platform' }, labels: { cluster: 'eu-1', tier: 'one', team: 'pay' } },
      },
    ]);
    expect(warnings).toEqual([
      {
        index: 0,
        field: 'labels["pod"]',
        found: 'nothing',
        expected: 'a value, for dedup.labels of AlertSource pay/platform tells faults apart by it',
        done: 'left out of the identity',
      },
    ]);
    expect(answer.message).toContain('1 of 1 alert would be stored; 1 with a warning: alerts[0].labels["pod"]');
  });

  it('is said with its reason where it stays', async () => {
    const [unrouted, closed] = [await goes({}), await goes({ team: 'ops' })].map(({ alerts }) => alerts[0]);
    expect(unrouted).toMatchObject({
      name: expect.stringMatching(/^prom-/),
      goes: { namespace: 'infra', source: 'prom' },
    });
    expect(unrouted?.goes.why).toBe('it stays, because no route matches it');
    expect(closed?.goes).toMatchObject({ namespace: 'infra', why: expect.stringContaining('no AlertSource accepts') });
  });

  it('is where it fires already, if that may be known', async () => {
    const labels = { alertname: 'A', team: 'pay' };
    const { fingerprint } = fingerprintOf(labels);
    const fires = anAlert({ name: alertName('prom', fingerprint), spec: { fingerprint, labels } });
    const alerts = [{ ...fires, metadata: { ...fires.metadata, namespace: 'infra' } }];
    expect((await goes({ team: 'pay' }, { alerts })).alerts[0]?.goes.namespace).toBe('infra');
    const sight = { alerts: () => false, sources: () => true };
    expect((await goes({ team: 'pay' }, { alerts, sight })).alerts[0]?.goes.namespace).toBe('pay');
  });

  it('is said not to be stored where nobody can say who has to be told of its end, also where the body says before that it fires', async () => {
    const routing: Routing = {
      of: async () => (input) => ({
        places: [home],
        why: { kind: 'NoRoute' },
        ...(input.state === 'Resolved' && { doubt: 'Postgres is away' }),
      }),
    };
    const over = { ...firing({ alertname: 'A' }), status: 'resolved', endsAt: '2026-03-01T09:59:00Z' };
    const deps = { clock: new FakeClock(), routing, foresight: noForesight };
    const body = envelope({ alerts: [firing({ alertname: 'A' }), over] });
    const { preview } = await previewOf(alertmanager, { ...body, source: home }, deps);
    expect(preview.alerts).toMatchObject([
      { index: 1, fate: { kind: 'NotStored', text: expect.stringContaining('Postgres is away') } },
    ]);
  });

  it('tells who may not read there the namespace, and nothing that the source there says', async () => {
    const shown = await goes({ team: 'pay' }, { sight: { alerts: () => false, sources: () => false } });
    expect(shown.alerts).toMatchObject([
      { name: expect.stringMatching(/^prom-/), goes: { namespace: 'pay', why: 'routes[0] leads there' } },
    ]);
    expect(JSON.stringify(shown)).not.toMatch(/platform|tier/);
  });
});

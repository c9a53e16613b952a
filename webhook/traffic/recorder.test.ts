import { HistoryUnavailable } from '@funnelai/history/errors';
import type { RejectionRow, SourceTrafficStore, TrafficRow } from '@funnelai/history/source-traffic';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { REJECTION_SOURCES, TRAFFIC_FLUSH_MS, TRAFFIC_READ_MS, TRAFFIC_SOURCES } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlertSource } from '../testing/builders.ts';
import type { Arrival } from './arrival.ts';
import { createTrafficRecorder, type TrafficRecorder } from './recorder.ts';

/** One Postgres that several replicas share; `isAway` makes it lose what is asked of it, `losesAnswer` only what it says. */
class FakeStore implements SourceTrafficStore {
  rows: TrafficRow[] = [];
  rejections = new Map<string, RejectionRow>();
  reads = 0;
  isAway = false;
  #ask(): void {
    if (this.isAway) throw new HistoryUnavailable('connection refused');
  }
  async add(rows: readonly TrafficRow[]) {
    this.#ask();
    this.rows.push(...rows);
  }
  async reject(rows: readonly RejectionRow[]) {
    this.#ask();
    for (const row of rows) {
      const held = this.rejections.get(row.message);
      this.rejections.set(row.message, { ...row, count: row.count + (held?.count ?? 0) });
    }
  }
  async read() {
    this.#ask();
    this.reads += 1;
    return this.rows;
  }
  async rejectionsOf(namespace: string, source: string) {
    this.#ask();
    return [...this.rejections.values()].filter((row) => row.namespace === namespace && row.source === source);
  }
  async prune() {
    this.#ask();
  }
}

const NOW = '2026-03-01T10:01:00Z';
function replica(store: FakeStore | undefined, clock = new FakeClock(NOW)) {
  const metrics = createWebhookMetrics(createRegistry());
  const recorder = createTrafficRecorder({ store, clock, log: silentLog(), metrics });
  recorder.start();
  return { recorder, clock };
}
const arrival = (o: Partial<Arrival> = {}): Arrival => ({
  source: anAlertSource(),
  isKnown: true,
  path: '',
  headers: { 'content-type': 'application/json', 'user-agent': 'Alertmanager/0.25' },
  alerts: 2,
  stored: 2,
  isDryRun: false,
  ...o,
});
const invalid = (message = 'no alerts') => ({ reason: 'Invalid', status: 400, message });
const traffic = async (recorder: TrafficRecorder) => (await recorder.view()).of('demo', 'prom');

describe('without Postgres', () => {
  it('a replica tells of itself, and says so', async () => {
    const { recorder } = replica(undefined);
    recorder.saw(arrival());
    recorder.saw(arrival({ alerts: 0, stored: 0, refusal: invalid(), body: Buffer.from('{"x": 1}') }));
    const view = await recorder.view();
    expect(view.counted).toMatchObject({ of: 'ThisReplica', reason: expect.stringContaining('no database') });
    expect(view.of('demo', 'prom')).toMatchObject({ bodies: 2, stored: 2, rejected: { Invalid: 1 } });
    expect(view.lastReceivedAt('demo', 'prom')).toBe('2026-03-01T10:01:00.000Z');
    expect(await recorder.rejectionsOf('demo', 'prom')).toMatchObject([{ count: 1, userAgent: 'Alertmanager/0.25' }]);
    expect(view.of('demo', 'other').bodies).toBe(0);
  });

  it('counts no dry run, and nothing of a source that there is not', async () => {
    const { recorder } = replica(undefined);
    recorder.saw(arrival({ isDryRun: true }));
    const { source: _, ...nobodys } = arrival();
    recorder.saw(nobodys);
    expect((await traffic(recorder)).bodies).toBe(0);
  });

  it('forgets after a day, and holds no more sources than its bound', async () => {
    const { recorder, clock } = replica(undefined);
    for (let i = 0; i < TRAFFIC_SOURCES + 50; i += 1)
      recorder.saw(arrival({ source: anAlertSource({ name: `s${i}` }), refusal: invalid() }));
    const view = await recorder.view();
    expect(view.of('demo', `s${TRAFFIC_SOURCES - 1}`).bodies).toBe(1);
    expect(view.of('demo', `s${TRAFFIC_SOURCES}`).bodies).toBe(0);
    expect(await recorder.rejectionsOf('demo', `s${TRAFFIC_SOURCES + 50 - REJECTION_SOURCES - 1}`)).toEqual([]);
    expect(await recorder.rejectionsOf('demo', `s${TRAFFIC_SOURCES + 49}`)).toHaveLength(1);
    clock.set(clock.now().add({ hours: 25 }));
    await clock.advance(TRAFFIC_FLUSH_MS);
    recorder.saw(arrival({ source: anAlertSource({ name: `s${TRAFFIC_SOURCES}` }) }));
    expect((await recorder.view()).of('demo', `s${TRAFFIC_SOURCES}`).bodies).toBe(1);
  });
});

describe('with Postgres', () => {
  it('two replicas tell the same, each at once of what it saw itself, and none twice', async () => {
    const store = new FakeStore();
    const clock = new FakeClock(NOW);
    const [a, b] = [replica(store, clock).recorder, replica(store, clock).recorder];
    a.saw(arrival());
    b.saw(arrival());
    b.saw(arrival({ refusal: invalid(), stored: 1, body: Buffer.from('{}') }));
    expect(await traffic(a)).toMatchObject({ bodies: 1 });
    await clock.advance(TRAFFIC_FLUSH_MS);
    for (const recorder of [a, b]) {
      expect((await recorder.view()).counted).toEqual({ of: 'AllReplicas' });
      expect(await traffic(recorder)).toMatchObject({ bodies: 3, alerts: 6, stored: 5, rejected: { Invalid: 1 } });
      expect(await recorder.rejectionsOf('demo', 'prom')).toMatchObject([{ count: 1, body: '{}' }]);
    }
    await clock.advance(TRAFFIC_FLUSH_MS);
    expect(await traffic(a)).toMatchObject({ bodies: 3 });
    b.saw(arrival({ refusal: invalid() }));
    expect(await b.rejectionsOf('demo', 'prom')).toMatchObject([{ count: 2 }]);
  });

  it('loses nothing while Postgres is away, and tells of itself meanwhile', async () => {
    const store = new FakeStore();
    const { recorder, clock } = replica(store);
    recorder.saw(arrival());
    await clock.advance(TRAFFIC_FLUSH_MS);
    store.isAway = true;
    recorder.saw(arrival());
    recorder.saw(arrival({ refusal: invalid(), stored: 0 }));
    await clock.advance(3 * TRAFFIC_FLUSH_MS);
    const away = await recorder.view();
    expect(away.counted.of).toBe('ThisReplica');
    expect(away.counted.reason).toContain('connection refused');
    expect(away.of('demo', 'prom')).toMatchObject({ bodies: 3, stored: 4 });
    expect(await recorder.rejectionsOf('demo', 'prom')).toMatchObject([{ count: 1 }]);
    store.isAway = false;
    await clock.advance(4 * TRAFFIC_FLUSH_MS);
    expect(store.rows.reduce((sum, row) => sum + row.bodies, 0)).toBe(3);
    expect((await recorder.view()).counted.of).toBe('AllReplicas');
    expect(await traffic(recorder)).toMatchObject({ bodies: 3, stored: 4 });
    expect(store.rejections.get('no alerts')?.count).toBe(1);
  });

  it('writes what it holds when it stops, and is read once for all who look on', async () => {
    const store = new FakeStore();
    const { recorder, clock } = replica(store);
    recorder.saw(arrival());
    await Promise.all([recorder.view(), recorder.view(), recorder.view()]);
    expect(store.reads).toBe(1);
    await clock.advance(TRAFFIC_READ_MS);
    await recorder.view();
    expect(store.reads).toBe(2);
    await recorder.stop();
    expect(store.rows).toMatchObject([{ namespace: 'demo', source: 'prom', outcome: '', bodies: 1 }]);
  });
});

describe('what is kept of a refused body', () => {
  it('is redacted, and comes of proven senders only', async () => {
    const { recorder, clock } = replica(undefined);
    const body = Buffer.from('{"password":"hunter22","alerts":3}');
    recorder.saw(arrival({ refusal: invalid('alerts: found "Bearer hunter22", expected a list'), body }));
    await clock.advance(10);
    recorder.saw(arrival({ isKnown: false, refusal: { reason: 'Unauthenticated', status: 401, message: 'x' }, body }));
    const kept = await recorder.rejectionsOf('demo', 'prom');
    expect(JSON.stringify(kept)).not.toContain('hunter22');
    expect(kept.map(({ reason, body: text }) => [reason, text !== undefined])).toEqual([
      ['Unauthenticated', false],
      ['Invalid', true],
    ]);
  });

  it('while the same pours in is counted, and its body made ready once in a while', async () => {
    const { recorder, clock } = replica(undefined);
    const send = (text: string) => recorder.saw(arrival({ refusal: invalid(), body: Buffer.from(text) }));
    for (let i = 0; i < 50; i += 1) send(`{"n": ${i}}`);
    await clock.advance(2_000);
    send('{"n": "last"}');
    const [kept] = await recorder.rejectionsOf('demo', 'prom');
    expect(kept).toMatchObject({
      count: 51,
      body: expect.stringContaining('last'),
      lastAt: '2026-03-01T10:01:02.000Z',
    });
  });

  it('of a flood of ever new words is the newest few, at little cost, and a stranger’s flood hides nothing of the sender', async () => {
    const { recorder, clock } = replica(undefined);
    const refusal = (message: string) => ({ reason: 'NotFound', status: 404, message });
    const started = performance.now();
    for (let i = 0; i < 20_000; i += 1) recorder.saw(arrival({ isKnown: false, refusal: refusal(`/${i}`) }));
    recorder.saw(arrival({ refusal: invalid('its own fault'), body: Buffer.from('{}') }));
    expect(performance.now() - started).toBeLessThan(1_000);
    await clock.advance(1_000);
    const kept = await recorder.rejectionsOf('demo', 'prom');
    expect(kept.filter(({ isKnown }) => !isKnown)).toHaveLength(3);
    expect(kept.find(({ isKnown }) => isKnown)).toMatchObject({ message: 'its own fault', body: '{}' });
    expect((await traffic(recorder)).rejected.NotFound).toBe(20_000);
  });
});

import type { AlertSource } from '@funnelai/crds/generated/types';
import { firingStartOf } from '@funnelai/domain/merge';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { afterEach, describe, expect, it } from 'vitest';
import { isAnswered } from '../intake/is-live.ts';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import { type AlertStore, createAlertStore, type StoreOutcome, type StoreRequest } from '../intake/store.ts';
import { DRAIN_ANSWER_MS, DRAIN_FIRSTS, DRAIN_HELD, DRAIN_PAGE, DRAIN_PAGE_BYTES } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { FakeAlerts } from '../testing/fake-alerts.ts';
import { MemoryInbox } from '../testing/memory-inbox.ts';
import { createApiServer } from './api-server.ts';
import { createDrain, type Drain } from './drain.ts';
import { createLane } from './lane.ts';
import { rowsOf } from './rows.ts';

let drains: Drain[] = [];
afterEach(async () => {
  await Promise.all(drains.map((drain) => drain.stop()));
  drains = [];
});

/** `stores` stands in for etcd where a story needs outcomes that the fake cannot give. */
function aDrain(
  o: {
    stores?: AlertStore;
    sources?: (name: string) => AlertSource | null | undefined;
    isNew?: (alertname: string) => boolean;
    /** Whether anybody waits for the operator's answers. */
    isAwaited?: true;
    /** What is said of that, where the fake's Alerts are not asked. */
    isAnswered?: (namespace: string) => boolean;
  } = {},
) {
  const fake = new FakeAlerts();
  const memory = new MemoryInbox();
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const log = silentLog();
  const metrics = createWebhookMetrics(createRegistry());
  const own = createAlertStore({ client: fake.client, alerts: fake.cache, clock, lock: createKeyedLock() });
  const read = async () => {
    if (fake.isAway) throw new Error('away');
  };
  const api = createApiServer({ read, clock, log, metrics });
  const drain = createDrain({
    inbox: memory.store,
    lock: memory.lock,
    etcd: o.stores ?? own,
    sourceOf: (namespace, name) =>
      o.sources === undefined ? anAlertSource({ namespace, name }) : o.sources(`${namespace}/${name}`),
    isNew: (_namespace, { labels }) => o.isNew?.(labels?.alertname ?? '') ?? false,
    ...(o.isAnswered && { isAnswered: o.isAnswered }),
    ...(o.isAwaited && { isAnswered: (namespace, name) => isAnswered(fake.cache.get(namespace, name)) }),
    api,
    lane: createLane({ clock }),
    clock,
    log,
    metrics,
  });
  drains.push(drain);
  const start = async (ms = 2_000) => {
    drain.start();
    await clock.advance(ms);
  };
  return { fake, memory, clock, drain, start };
}

let second = 0;
function put(
  memory: MemoryInbox,
  n: number,
  o: {
    state?: 'Firing' | 'Resolved';
    namespace?: string;
    source?: string;
    alertname?: string;
    isFirst?: boolean;
    isStored?: true;
  } = {},
) {
  second += 1;
  const fingerprint = String(n).padStart(16, '0').padEnd(64, '0');
  const at = `2026-01-01T12:${String(Math.floor(second / 60) % 60).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}.000000Z`;
  const state = o.state ?? 'Firing';
  const { spec } = anAlert({ spec: { fingerprint, state, startsAt: '2026-01-01T11:00:00.000000Z', receivedAt: at } });
  if (state === 'Resolved') spec.endsAt = at;
  const { namespace = 'demo', source = 'prom', alertname, isFirst = false } = o;
  if (alertname !== undefined) spec.labels = { alertname };
  const reports = JSON.stringify([{ spec, startNamed: true, endNamed: true, isStored: o.isStored }]);
  memory.add({ namespace, source, fingerprint, demo: false, receivedAt: at, reports, isFirst });
}
/** As a quota that is used up, or a policy. */
const DENIED: StoreOutcome = { kind: 'unavailable', message: 'denied', isAnswered: true };
const states = (fake: FakeAlerts) => [...fake.stored.values()].map(({ spec }) => spec.state);

describe('the drain', () => {
  it('holds no more of long rows than it has room for, and drains them all', async () => {
    const { fake, memory, clock, start } = aDrain();
    for (let n = 0; n < 60; n += 1) {
      put(memory, n);
      const row = memory.rows.at(-1);
      if (row !== undefined) row.reports = row.reports.padEnd(1024 * 1024);
    }
    await start();
    for (let n = 0; n < 10 && memory.rows.length > 0; n += 1) await clock.advance(1_000);
    expect([memory.rows.length, fake.stored.size]).toEqual([0, 60]);
    expect(memory.mostRead).toBeLessThanOrEqual(DRAIN_PAGE_BYTES / (1024 * 1024) + 1);
  });

  it('takes what waits to etcd, each fault with one write, and removes it', async () => {
    const { fake, memory, start } = aDrain();
    for (let n = 0; n < 40; n += 1) put(memory, n);
    for (let n = 0; n < 40; n += 2) put(memory, n, { state: 'Resolved' });
    await start();
    expect(memory.rows).toEqual([]);
    expect([fake.stored.size, fake.calls.filter((c) => c === 'create').length]).toEqual([40, 40]);
    expect(states(fake).filter((state) => state === 'Resolved')).toHaveLength(20);
  });

  it('tells what fired and is over in two steps, the second once the operator has answered the first', async () => {
    const { fake, memory, clock, start } = aDrain({ isAwaited: true });
    for (let n = 0; n < 3; n += 1) put(memory, n);
    for (let n = 0; n < 3; n += 1) put(memory, n, { state: 'Resolved' });
    await start(1_000);
    expect([states(fake), memory.rows.length]).toEqual([['Firing', 'Firing', 'Firing'], 3]);
    const [first] = fake.stored.values();
    if (first === undefined) throw new Error('nothing was stored');
    fake.put({ ...first, status: { episode: 1, episodeStartedAt: first.spec.startsAt } });
    await clock.advance(500);
    expect([states(fake), memory.rows.length]).toEqual([['Resolved', 'Firing', 'Firing'], 2]);
    // Nobody answers the others: they do not wait for ever.
    await clock.advance(DRAIN_ANSWER_MS);
    expect([states(fake), memory.rows.length]).toEqual([['Resolved', 'Resolved', 'Resolved'], 0]);
  });

  it('tells nothing anew of what ended before, and has left the cluster since', async () => {
    const { fake, memory, start } = aDrain({ isAwaited: true });
    put(memory, 1);
    put(memory, 1, { state: 'Resolved', isStored: true });
    await start(1_000);
    expect([states(fake), memory.rows, fake.calls.filter((c) => c !== 'get')]).toEqual([['Resolved'], [], ['create']]);
    // The operator would take what says that it had fired for news.
    expect([...fake.stored.values()].map(({ spec }) => firingStartOf(spec))).toEqual([undefined]);
  });

  it('waits no longer for one that flaps than for any other', async () => {
    const { fake, memory, clock, start } = aDrain({ isAwaited: true });
    for (let flap = 0; flap < 10; flap += 1) {
      put(memory, 1);
      put(memory, 1, { state: 'Resolved' });
    }
    await start(1_000);
    expect([states(fake), memory.rows.length]).toEqual([['Firing'], 19]);
    await clock.advance(DRAIN_ANSWER_MS);
    expect([states(fake), memory.rows.length]).toEqual([['Resolved'], 0]);
  });

  it('waits for no answer to what had ended before anyone told of it, nor to what fires on', async () => {
    const { fake, memory, start } = aDrain({ isAwaited: true });
    put(memory, 1, { state: 'Resolved' });
    put(memory, 2);
    put(memory, 2);
    await start(1_000);
    expect([states(fake), memory.rows.length]).toEqual([['Resolved', 'Firing'], 0]);
  });

  it('does nothing without the lock, and removes nothing once it is lost', async () => {
    const { fake, memory, clock, start } = aDrain();
    memory.holder = 2;
    put(memory, 1);
    await start();
    expect([fake.calls, memory.rows.length]).toEqual([[], 1]);
    memory.holder = 1;
    fake.beforeWrite = () => {
      memory.holder = 2;
    };
    await clock.advance(2_000);
    expect([fake.stored.size, memory.rows.length]).toEqual([1, 1]);
    fake.beforeWrite = undefined;
    memory.holder = 1;
    await clock.advance(2_000);
    expect([fake.stored.size, memory.rows.length]).toEqual([1, 0]);
  });

  it('waits for an API server that is away and goes on when it is back', async () => {
    const { fake, memory, clock, start } = aDrain();
    fake.isAway = true;
    for (let n = 0; n < 10; n += 1) put(memory, n);
    await start(20_000);
    expect([fake.stored.size, memory.rows.length]).toEqual([0, 10]);
    const { length } = fake.calls;
    await clock.advance(10_000);
    // Left alone, but for a probe now and then.
    expect(fake.calls.length - length).toBeLessThan(30);
    fake.isAway = false;
    await clock.advance(40_000);
    expect([fake.stored.size, memory.rows.length]).toEqual([10, 0]);
  });

  it('sets aside what is refused for good and what lost its source, and drains the rest', async () => {
    const { fake, memory, start } = aDrain({ sources: (name) => (name === 'demo/prom' ? anAlertSource() : null) });
    fake.faults = ['invalid', 'terminating'];
    for (let n = 0; n < 5; n += 1) put(memory, n);
    put(memory, 9, { source: 'gone' });
    await start();
    expect([fake.stored.size, memory.rows.length]).toEqual([3, 0]);
    expect(memory.aside.map(({ reason }) => reason).toSorted()).toEqual([
      'AlertSource gone in namespace demo is not there any more',
      'Invalid',
      'because it is being terminated',
    ]);
  });

  it('leaves rows where they are while nobody knows whether their source is there', async () => {
    const { memory, start } = aDrain({ sources: () => undefined });
    put(memory, 1);
    await start();
    expect([memory.rows.length, memory.aside.length]).toEqual([1, 0]);
  });

  it('sets aside the one row of a fault that is refused, not those beside it', async () => {
    const { fake, memory, start } = aDrain();
    put(memory, 1);
    memory.add({ ...(memory.rows[0] ?? expect.fail()), reports: '[{"no": "report"}]' });
    put(memory, 1, { state: 'Resolved' });
    // The three together are refused, then each by itself is taken.
    fake.faults = ['invalid'];
    await start(5_000);
    expect(memory.aside.map(({ reason }) => reason)).toEqual(['report 0 has not the shape that this version reads']);
    expect([memory.rows.length, states(fake)]).toEqual([0, ['Resolved']]);
  });

  it('is not held up by a namespace in which nothing can be stored, however much waits there', async () => {
    const outcome = (namespace: string): StoreOutcome =>
      namespace === 'full' ? DENIED : { kind: 'created', name: 'x' };
    const stored: string[] = [];
    const stores: AlertStore = {
      store: async ({ namespace, fingerprint }) => {
        if (namespace !== 'full') stored.push(fingerprint);
        return outcome(namespace);
      },
    };
    const { memory, start } = aDrain({ stores });
    for (let n = 0; n < DRAIN_HELD * 2; n += 1) put(memory, n, { namespace: 'full' });
    for (let n = 0; n < 20; n += 1) put(memory, n);
    await start(10_000);
    expect(new Set(stored).size).toBe(20);
    expect([memory.rows.length, memory.aside.length]).toEqual([DRAIN_HELD * 2, 0]);
  });

  it('is not held up by a source of which nothing can be stored, in the same namespace either', async () => {
    const stored = new Set<string>();
    const stores: AlertStore = {
      store: async ({ source, fingerprint }) => {
        if (source === 'denied') return DENIED;
        stored.add(fingerprint);
        return { kind: 'created', name: 'x' };
      },
    };
    const { memory, start } = aDrain({ stores });
    for (let n = 0; n < DRAIN_HELD * 2; n += 1) put(memory, n, { source: 'denied' });
    for (let n = 0; n < 20; n += 1) put(memory, n);
    await start(5_000);
    expect([stored.size, memory.rows.length, memory.aside.length]).toEqual([20, DRAIN_HELD * 2, 0]);
  });

  it('is not held up by alerts of one name that are refused, those of the same source neither, and asks about them seldom', async () => {
    const stored = new Set<string>();
    let isDenied = true;
    let tries = 0;
    const stores: AlertStore = {
      store: async ({ fingerprint, reports }) => {
        await clock.sleep(10);
        if (isDenied && reports[0].spec.labels?.alertname === 'Denied') {
          tries += 1;
          return DENIED;
        }
        stored.add(fingerprint);
        return { kind: 'created', name: 'x' };
      },
    };
    const { memory, clock, start } = aDrain({ stores });
    for (let n = 0; n < 500; n += 1) put(memory, n, { alertname: 'Denied' });
    for (let n = 500; n < 1_000; n += 1) put(memory, n, { alertname: 'Fine' });
    await start(15_000);
    expect(stored.size).toBe(500);
    tries = 0;
    await clock.advance(60_000);
    expect(tries).toBeLessThan(20);
    expect([memory.rows.length, memory.aside.length]).toEqual([500, 0]);
    isDenied = false;
    await clock.advance(60_000);
    expect([stored.size, memory.rows.length]).toEqual([1_000, 0]);
  });

  it('asks seldom about a source of which nothing can be stored, however many names its alerts have', async () => {
    let tries = 0;
    const stores: AlertStore = {
      store: async () => {
        tries += 1;
        return DENIED;
      },
    };
    const { memory, clock, start } = aDrain({ stores });
    for (let n = 0; n < 1_000; n += 1) put(memory, n, { alertname: `Name${n}` });
    await start(30_000);
    tries = 0;
    await clock.advance(60_000);
    expect([tries > 0, tries < 20]).toEqual([true, true]);
  });

  it('sets aside a row on which this version fails, and does not take that for a fault of the API server', async () => {
    const stores: AlertStore = {
      store: async ({ fingerprint }) => {
        if (/7000/.test(fingerprint)) throw new RangeError('cannot read it');
        return { kind: 'created', name: 'x' };
      },
    };
    const { memory, start } = aDrain({ stores });
    for (let n = 0; n < 20; n += 1) put(memory, n);
    await start();
    expect(memory.aside.map(({ reason }) => reason)).toEqual(Array(2).fill('this version fails on it: cannot read it'));
    expect(memory.rows).toEqual([]);
  });

  it.each([true, false])(
    'takes a first alert of a name before thousands that came before it, where it is marked: %s',
    async (isFirst) => {
      const stored: string[] = [];
      const stores: AlertStore = {
        store: async ({ reports }) => {
          await clock.sleep(50);
          stored.push(reports[0].spec.labels?.alertname ?? '');
          return { kind: 'created', name: 'x' };
        },
      };
      const { memory, clock, start } = aDrain({ stores, isNew: (alertname) => alertname === 'DiskFull' });
      for (let n = 0; n < 3 * DRAIN_HELD; n += 1) put(memory, n, { alertname: 'Storm' });
      put(memory, 3 * DRAIN_HELD, { alertname: 'DiskFull', isFirst });
      await start(2_000);
      expect(stored.length).toBeLessThan(DRAIN_HELD);
      expect(stored.includes('DiskFull')).toBe(isFirst);
      await clock.advance(60_000);
      expect([memory.rows.length, stored.length, new Set(stored).size]).toEqual([0, 3 * DRAIN_HELD + 1, 2]);
    },
  );

  it('holds no more of such than it has room for, and drains them all', async () => {
    const { fake, memory, clock, start } = aDrain({ isNew: () => true });
    fake.isAway = true;
    for (let n = 0; n < 2 * DRAIN_HELD; n += 1) put(memory, n, { alertname: `New${n}`, isFirst: true });
    await start(20_000);
    expect(memory.read.size).toBeLessThanOrEqual(DRAIN_HELD + DRAIN_PAGE + 2 * DRAIN_FIRSTS);
    fake.isAway = false;
    for (let n = 0; n < 100 && memory.rows.length > 0; n += 1) await clock.advance(2_000);
    expect([memory.rows.length, fake.stored.size]).toEqual([0, 2 * DRAIN_HELD]);
  });

  it('goes on once Postgres is back', async () => {
    const { fake, memory, clock, start } = aDrain();
    for (let n = 0; n < 5; n += 1) put(memory, n);
    memory.isAway = true;
    await start(5_000);
    expect(fake.stored.size).toBe(0);
    memory.isAway = false;
    await clock.advance(40_000);
    expect([fake.stored.size, memory.rows.length]).toEqual([5, 0]);
  });
});

describe('what was routed into another namespace', () => {
  const from = { namespace: 'infra', name: 'prom' };
  const home = anAlertSource(from);
  const platform = anAlertSource({ namespace: 'pay', name: 'platform', spec: { acceptFrom: from } });
  const request = (namespace: string, source: string, fingerprint: string): StoreRequest => ({
    namespace,
    source,
    fingerprint,
    demo: false,
    reports: [
      { spec: { ...anAlert().spec, sourceRef: { name: source }, fingerprint }, startNamed: true, endNamed: false },
    ],
  });
  const [there, here] = [request('pay', 'platform', 'a'.repeat(64)), request('infra', 'prom', 'b'.repeat(64))];

  /** One such row, drained while there are these sources. */
  async function drained(
    sources: AlertSource[],
    outcome: (namespace: string) => StoreOutcome['kind'] = () => 'created',
  ) {
    const stored: string[] = [];
    const stores: AlertStore = {
      store: async ({ namespace, source, fingerprint, reports }) => {
        const kind = outcome(namespace);
        if (kind !== 'created') return { kind: 'gone', message: 'it is being terminated' };
        expect(reports.map(({ spec }) => [spec.sourceRef.name, spec.fingerprint])).toEqual([[source, fingerprint]]);
        stored.push(`${namespace}/${source}`);
        return { kind, name: 'x' };
      },
    };
    const named = (name: string) =>
      sources.find(({ metadata }) => name === `${metadata.namespace}/${metadata.name}`) ?? null;
    const { memory, start } = aDrain({ stores, sources: named });
    for (const row of rowsOf({ ...there, keep: () => here })) memory.add(row);
    await start();
    expect(memory.rows).toEqual([]);
    return { stored, aside: memory.aside.map(({ reason }) => reason) };
  }

  it('goes there while the source there accepts it', async () => {
    expect(await drained([home, platform])).toEqual({ stored: ['pay/platform'], aside: [] });
    // Where it came is not asked about: what was answered is stored.
    expect(await drained([platform])).toEqual({ stored: ['pay/platform'], aside: [] });
  });

  it('stays where it came when the source there is gone, accepts no more, or its namespace goes away', async () => {
    const other = anAlertSource({ namespace: 'pay', name: 'platform', spec: { acceptFrom: { ...from, name: 'x' } } });
    const asItCame = { stored: ['infra/prom'], aside: [] };
    expect(await drained([home])).toEqual(asItCame);
    expect(await drained([home, other])).toEqual(asItCame);
    expect(await drained([home, platform], (namespace) => (namespace === 'pay' ? 'gone' : 'created'))).toEqual(
      asItCame,
    );
  });

  it('and fired and is over is told in two steps also where it stays where it came', async () => {
    const stored: string[] = [];
    const asked: string[] = [];
    const stores: AlertStore = {
      store: async ({ namespace, reports }) => {
        stored.push(`${namespace} ${reports.map(({ spec }) => spec.state)}`);
        return { kind: 'created', name: 'x' };
      },
    };
    const isAnswered = (namespace: string) => asked.push(namespace) > 3;
    const { memory, start } = aDrain({ stores, sources: (name) => (name === 'infra/prom' ? home : null), isAnswered });
    const over = ({ reports: [report], ...one }: StoreRequest): StoreRequest => ({
      ...one,
      reports: [{ ...report, spec: { ...report.spec, state: 'Resolved' } }],
    });
    for (const row of rowsOf({ ...there, keep: () => here })) memory.add(row);
    for (const row of rowsOf({ ...over(there), keep: () => over(here) })) memory.add(row);
    await start();
    expect(stored).toEqual(['infra Firing', 'infra Resolved']);
    expect(asked).toEqual(['infra', 'infra', 'infra', 'infra']);
  });

  it('is set aside only when neither takes it, with the reason', async () => {
    expect(await drained([])).toEqual({
      stored: [],
      aside: ['AlertSource platform in namespace pay is not there any more'],
    });
    expect(await drained([home, platform], () => 'gone')).toEqual({ stored: [], aside: ['it is being terminated'] });
    const isGone = (namespace: string) => (namespace === 'pay' ? 'gone' : 'created');
    expect(await drained([platform], isGone)).toEqual({ stored: [], aside: ['it is being terminated'] });
  });
});

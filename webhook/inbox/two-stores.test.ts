import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import type { Place } from '../intake/fair-queue.ts';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import type { Report } from '../intake/report.ts';
import { type AlertStore, createAlertStore, type StoreOutcome, type StoreRequest } from '../intake/store.ts';
import { createTurnedAway, notingTurnedAway } from '../intake/turned-away.ts';
import {
  ETCD_PATIENCE_MS,
  INBOX_AGAIN_MS,
  INBOX_LOOK_MS,
  INBOX_REST_MS,
  INBOX_ROW_BYTES,
  INBOX_ROWS,
  LANE_WAIT_CALM_MS,
  LANE_WAIT_MS,
  STORES_IN_FLIGHT,
} from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert } from '../testing/builders.ts';
import { FakeAlerts } from '../testing/fake-alerts.ts';
import { MemoryInbox } from '../testing/memory-inbox.ts';
import { createApiServer } from './api-server.ts';
import { FAILURES_TO_OPEN, FIRST_WAIT_MS, PROBES_TO_CLOSE } from './breaker.ts';
import { createInbox } from './inbox.ts';
import { createLane } from './lane.ts';
import { createReceiptClock } from './receipt-clock.ts';
import { planOf } from './rows.ts';
import { createTwoStores } from './two-stores.ts';

const fault = (n: number): string => String(n).padStart(16, '0').padEnd(64, '0');
function request(n: number, o: { state?: 'Firing' | 'Resolved'; second?: number } = {}): StoreRequest {
  const at = Temporal.Instant.from('2026-01-01T12:00:00Z')
    .add({ seconds: o.second ?? n })
    .toString();
  const { spec } = anAlert({
    spec: { fingerprint: fault(n), state: o.state ?? 'Firing', startsAt: at, receivedAt: at },
  });
  const report: Report = { spec, startNamed: true, endNamed: true };
  return { namespace: 'demo', source: 'prom', fingerprint: fault(n), reports: [report], demo: false };
}
const never = new AbortController().signal;

/** Both stores, each with its faults; `etcd` in place of the real one for those that hang. */
async function twoStores(o: { etcd?: AlertStore } = {}) {
  const fake = new FakeAlerts();
  const memory = new MemoryInbox();
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const log = silentLog();
  const registry = createRegistry();
  const metrics = createWebhookMetrics(registry);
  const inbox = createInbox({ clock, receipt: createReceiptClock({ clock, log }), log, metrics });
  const reads = { count: 0 };
  const read = async () => {
    reads.count += 1;
    if (fake.isAway) throw new Error('away');
  };
  const api = createApiServer({ read, clock, log, metrics });
  const own = createAlertStore({ client: fake.client, alerts: fake.cache, clock, lock: createKeyedLock() });
  const etcd = o.etcd ?? own;
  const store = createTwoStores({ etcd, inbox, api, lane: createLane({ clock }), clock, metrics });
  inbox.open(memory.store);
  await clock.advance(0);
  /** Stores one and lets the clock run as far as a request of ours may take. */
  async function send(one: StoreRequest, ms = ETCD_PATIENCE_MS): Promise<StoreOutcome> {
    const outcome = store.store(one, never);
    await clock.advance(ms);
    return outcome;
  }
  const giveUp = async () => {
    fake.isAway = true;
    for (let i = 0; i < FAILURES_TO_OPEN; i += 1) await send(request(900 + i));
  };
  /** Lets the clock run until it has ended. */
  async function ended<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    let isOpen = true;
    void work?.finally(() => {
      isOpen = false;
    });
    for (let n = 0; n < 100 && isOpen; n += 1) await clock.advance(50);
    return work;
  }
  /** And just now it was asked again, in vain. */
  const giveUpAnew = async () => {
    await giveUp();
    await clock.advance(FIRST_WAIT_MS);
    const asked = api.ask('demo');
    if (asked.may !== 'not') asked.ended(false);
    await clock.advance(0);
    expect(api.restMs('demo')).toBeGreaterThan(INBOX_REST_MS / 2);
  };
  return {
    fake,
    memory,
    clock,
    store,
    api,
    inbox,
    send,
    giveUp,
    giveUpAnew,
    ended,
    reads,
    metrics: () => registry.metrics(),
  };
}

describe('an alert', () => {
  it('goes to etcd while the API server is well, and Postgres hears nothing of it', async () => {
    const { memory, send, metrics } = await twoStores();
    expect(await send(request(1))).toMatchObject({ kind: 'created' });
    expect(await send(request(1, { state: 'Resolved', second: 60 }))).toMatchObject({ kind: 'updated' });
    expect(memory.rows).toEqual([]);
    expect(await metrics()).toContain('funnelai_webhook_stored_total{store="etcd"} 2');
  });

  it('goes to the inbox though counting what waits there takes too long, while storing does not', async () => {
    const { memory, inbox, clock } = await twoStores();
    let giveUp = (_: Error) => {};
    memory.beforeDepth = () =>
      new Promise((_, reject) => {
        giveUp = reject;
      });
    await clock.advance(INBOX_LOOK_MS);
    await inbox.put([request(1)]);
    giveUp(new Error('canceling statement due to statement timeout'));
    await clock.advance(0);
    await inbox.put([request(2)]);
    expect(memory.rows).toHaveLength(2);
    // Nor with nothing stored meanwhile, while what takes no time is answered.
    await clock.advance(INBOX_LOOK_MS);
    giveUp(new Error('canceling statement due to statement timeout'));
    await clock.advance(0);
    await inbox.put([request(3)]);
    // Else it is what tells that Postgres hangs.
    memory.beforeNow = () => Promise.reject(new Error('canceling statement due to statement timeout'));
    await clock.advance(INBOX_LOOK_MS + 1);
    giveUp(new Error('canceling statement due to statement timeout'));
    await clock.advance(0);
    await expect(inbox.put([request(4)])).rejects.toThrow('statement timeout');
  });

  it('is known to wait also when a look at the inbox ran past its row', async () => {
    const { memory, send, inbox, clock } = await twoStores();
    let commit = () => {};
    memory.beforeAppend = () =>
      new Promise((resolve) => {
        commit = resolve;
      });
    const put = inbox.put([request(1)]);
    await clock.advance(2 * INBOX_LOOK_MS);
    commit();
    await put;
    expect(await send(request(1, { state: 'Resolved', second: 9 }), 0)).toEqual({ kind: 'inbox' });
    expect(memory.rows).toHaveLength(2);
  });

  it('goes there with all others of its body while the API server is known to be away, and takes no probe from anyone', async () => {
    const { memory, store, giveUp, api, clock, metrics } = await twoStores();
    expect(store.together?.([request(1)])).toBeUndefined();
    await giveUp();
    const before = memory.rows.length;
    expect(await store.together?.([request(1), request(2)])).toEqual({ kind: 'inbox' });
    expect(memory.rows.slice(before).map(({ fingerprint }) => fingerprint)).toEqual([fault(1), fault(2)]);
    expect(await metrics()).toContain(`funnelai_webhook_stored_total{store="inbox"} ${before + 2}`);
    memory.isAway = true;
    expect(await store.together?.([request(3), request(4)])).toMatchObject({
      kind: 'unavailable',
      message: 'the API server is away, and so is the inbox: Postgres is not available: no answer',
      retryAfterMs: expect.any(Number),
    });
    await clock.advance(FIRST_WAIT_MS);
    // Now somebody may find out whether it is back: not who sends a whole body.
    expect([store.together?.([request(5)]), api.ask('demo').may]).toEqual([undefined, 'probe']);
  });

  it('that finds no room, nor a place among the folded, waits in the inbox; people hear only of what that does not take either', async () => {
    const full = { kind: 'unavailable', message: 'no room', isAnswered: true, isFull: true } as const;
    const { memory, store, clock, api, ended } = await twoStores({ etcd: { store: async () => full } });
    const turnedAway = createTurnedAway(clock);
    const noting = notingTurnedAway(store, turnedAway);
    expect(await noting.store(request(1), never)).toEqual({ kind: 'inbox' });
    expect(turnedAway.lately()).toBe(false);
    memory.isAway = true;
    expect(await ended(noting.store(request(2), never))).toMatchObject({ kind: 'unavailable', isFull: true });
    expect([turnedAway.lately(), api.isAway()]).toEqual([true, false]);
  });

  it('goes to the inbox when the API server refuses, and after a few without asking it first', async () => {
    const { fake, memory, send, giveUp, api, store } = await twoStores();
    await giveUp();
    expect([memory.rows.length, api.isAway()]).toEqual([FAILURES_TO_OPEN, true]);
    fake.calls.length = 0;
    expect(await store.store(request(1), never)).toEqual({ kind: 'inbox' });
    expect(fake.calls).toEqual([]);
    expect(await send(request(2), 0)).toEqual({ kind: 'inbox' });
  });

  it('waits for an API server that hangs no longer than patience, and those that wait beside it not even so long', async () => {
    const begun: AbortSignal[] = [];
    const hangs: AlertStore = {
      store: (_request, signal) =>
        new Promise((resolve) => {
          begun.push(signal);
          signal.addEventListener('abort', () => resolve({ kind: 'unavailable', message: 'no answer' }));
        }),
    };
    const { clock, store, memory } = await twoStores({ etcd: hangs });
    const first = [1, 2, 3].map((n) => store.store(request(n), never));
    await clock.advance(ETCD_PATIENCE_MS - 100);
    const later = [4, 5, 6].map((n) => store.store(request(n), never));
    await clock.advance(100);
    // The three have failed: it is given up, for all.
    expect(await Promise.all([...first, ...later])).toEqual(Array(6).fill({ kind: 'inbox' }));
    expect(begun.every((signal) => signal.aborted)).toBe(true);
    expect(await store.store(request(7), never)).toEqual({ kind: 'inbox' });
    expect([begun.length, memory.rows.length]).toEqual([6, 7]);
  });

  it('is in both when nobody can say whether etcd has it', async () => {
    const written: string[] = [];
    const forgetful: AlertStore = {
      async store({ fingerprint }) {
        written.push(fingerprint);
        return { kind: 'unavailable', message: 'the answer was lost' };
      },
    };
    const { memory, send } = await twoStores({ etcd: forgetful });
    expect(await send(request(1))).toEqual({ kind: 'inbox' });
    expect([written, memory.rows.map(({ fingerprint }) => fingerprint)]).toEqual([[fault(1)], [fault(1)]]);
  });

  it('of which something waits in the inbox is put behind it, though the API server is well, and not for ever', async () => {
    const { fake, memory, send, inbox, clock } = await twoStores();
    await inbox.put([request(1)]);
    expect(await send(request(1, { state: 'Resolved', second: 9 }), 0)).toEqual({ kind: 'inbox' });
    expect(await send(request(2))).toMatchObject({ kind: 'created' });
    expect([fake.stored.size, memory.rows.length]).toEqual([1, 2]);
    memory.rows = [];
    await clock.advance(2 * INBOX_LOOK_MS);
    expect(await send(request(1))).toMatchObject({ kind: 'created' });
  });

  it('is answered by nobody when both are away, with the time after which it is worth another try', async () => {
    const { memory, giveUpAnew, store, ended } = await twoStores();
    await giveUpAnew();
    memory.isAway = true;
    expect(await ended(store.store(request(1), never))).toMatchObject({ kind: 'unavailable' });
    // Postgres, too, is not waited for again and again.
    const asked = await store.store(request(2), never);
    expect(asked).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('Postgres is not available') });
    expect(asked).toMatchObject({ retryAfterMs: expect.any(Number) });
  });

  it('of which one body tells ten thousand times lies in rows of a bounded length, in their order', async () => {
    const { memory, giveUp, send } = await twoStores();
    await giveUp();
    const before = memory.rows.length;
    const [report] = request(1).reports;
    const many = Array.from({ length: 3_000 }, (_, n) => ({ ...report, spec: { ...report.spec, title: `${n}` } }));
    const reports: StoreRequest['reports'] = [report, ...many];
    expect(await send({ ...request(1), reports }, 0)).toEqual({ kind: 'inbox' });
    const rows = memory.rows.slice(before);
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(row.reports.length).toBeLessThan(INBOX_ROW_BYTES + 20_000);
    expect(planOf(rows)).toMatchObject({ unreadable: [], requests: [{ reports }] });
  });

  it('is not put into an inbox that holds as much as it may, and that is counted', async () => {
    const { memory, clock, giveUp, send, metrics } = await twoStores();
    await giveUp();
    memory.pretendRows = INBOX_ROWS - 1;
    await clock.advance(2 * INBOX_LOOK_MS);
    const outcomes = [await send(request(1), 0), await send(request(2))];
    expect(outcomes.map(({ kind }) => kind)).toEqual(['inbox', 'unavailable']);
    expect(await metrics()).toContain('funnelai_webhook_limit_reached_total{limit="INBOX_ROWS"}');
  });

  it('is marked there as the first of its kind where nothing of that fires, once it is stored', async () => {
    const { memory, giveUp, send, clock, store, ended } = await twoStores();
    await giveUp();
    memory.rows = [];
    const place: Place = { source: 'demo/prom', name: 'DiskFull', request: 1, severity: 'High', isNew: true };
    memory.isAway = true;
    expect(await ended(store.store({ ...request(1), place }, never))).toMatchObject({ kind: 'unavailable' });
    memory.isAway = false;
    await clock.advance(2 * INBOX_REST_MS);
    for (const [n, isNew] of [true, true, false].entries())
      expect(await send({ ...request(n), place: { ...place, isNew } }, 0)).toEqual({ kind: 'inbox' });
    expect(memory.rows.map(({ isFirst = false }) => isFirst)).toEqual([true, false, false]);
  });

  it('that the API server refuses for good, or whose namespace ends, is not put into the inbox', async () => {
    const { fake, memory, send } = await twoStores();
    fake.faults = ['invalid', 'terminating'];
    expect(await send(request(1))).toMatchObject({ kind: 'refused' });
    expect(await send(request(1))).toMatchObject({ kind: 'gone' });
    expect(memory.rows).toEqual([]);
  });

  it('waits in the inbox where rights or quota are missing, and does not make the API server look away', async () => {
    const { fake, memory, send, api } = await twoStores();
    fake.faults = Array(FAILURES_TO_OPEN + 2).fill('forbidden');
    for (let n = 0; n < FAILURES_TO_OPEN + 2; n += 1) expect(await send(request(n))).toEqual({ kind: 'inbox' });
    expect([memory.rows.length, api.isAway()]).toEqual([FAILURES_TO_OPEN + 2, false]);
  });

  it('that changes nothing in etcd is kept in the inbox while older reports may wait there, and only then', async () => {
    const { memory, send, clock } = await twoStores();
    await send(request(1));
    expect(await send(request(1))).toMatchObject({ kind: 'unchanged' });
    expect(memory.rows).toEqual([]);
    const { reports, ...row } = request(2);
    memory.add({ ...row, receivedAt: reports[0].spec.receivedAt, reports: JSON.stringify(reports) });
    await clock.advance(2_000);
    expect(await send(request(1))).toMatchObject({ kind: 'unchanged' });
    expect(memory.rows).toHaveLength(2);
    memory.isAway = true;
    expect(await send(request(1))).toMatchObject({ kind: 'unchanged' });
  });

  it('that changes nothing in etcd is noted there while what came before it waits in an inbox that is away', async () => {
    const { memory, fake, send, clock } = await twoStores();
    await send(request(1));
    const { reports, ...row } = request(1, { state: 'Resolved', second: 60 });
    memory.add({ ...row, receivedAt: reports[0].spec.receivedAt, reports: JSON.stringify(reports) });
    await clock.advance(2 * INBOX_LOOK_MS);
    memory.isAway = true;
    // It fires again, as senders say it that name no start, and that say it once.
    const again = request(1, { second: 70 });
    const [report] = again.reports;
    again.reports = [{ ...report, startNamed: false }];
    expect(await send(again)).toMatchObject({ kind: 'updated' });
    expect([...fake.stored.values()].map(({ spec }) => spec.receivedAt)).toEqual([report.spec.receivedAt]);
    const writes = fake.calls.length;
    await send(again);
    expect(fake.calls.length).toBe(writes);
  });
});

describe('a lane that is full', () => {
  it('sends what comes beyond it to the inbox, soon', async () => {
    let underWay = 0;
    const slow: AlertStore = {
      store: () =>
        new Promise(() => {
          underWay += 1;
        }),
    };
    const { clock, store } = await twoStores({ etcd: slow });
    const outcomes: StoreOutcome[] = [];
    for (let n = 0; n < STORES_IN_FLIGHT; n += 1) void store.store(request(n), never).then((o) => outcomes.push(o));
    await clock.advance(LANE_WAIT_CALM_MS);
    expect(underWay).toBeLessThan(STORES_IN_FLIGHT);
    expect(outcomes).toEqual(Array(STORES_IN_FLIGHT - underWay).fill({ kind: 'inbox' }));
    void store.store(request(STORES_IN_FLIGHT), never).then((o) => outcomes.push(o));
    await clock.advance(LANE_WAIT_MS);
    expect(outcomes).toHaveLength(STORES_IN_FLIGHT - underWay + 1);
  });
});

describe('an inbox that does not answer for a moment', () => {
  it('whose connection broke is asked once more, and nobody hears of it', async () => {
    const { memory, inbox } = await twoStores();
    memory.breaks = 1;
    await Promise.all([inbox.put([request(1)]), inbox.put([request(2)])]);
    expect([memory.rows.length, inbox.isAway()]).toEqual([2, false]);
    memory.breaks = 2;
    await expect(inbox.put([request(3)])).rejects.toThrow('Connection terminated');
    expect(inbox.isAway()).toBe(true);
  });

  it('is not given up for one statement that took too long beside one that did not: that is tried again', async () => {
    const { memory, inbox, clock } = await twoStores();
    let fail = (_: Error) => {};
    memory.beforeAppend = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    const slow = inbox.put([request(1)]);
    await clock.advance(INBOX_AGAIN_MS);
    await inbox.put([request(2)]);
    fail(new Error('canceling statement due to statement timeout'));
    await slow;
    expect([memory.rows.map(({ fingerprint }) => fingerprint), inbox.isAway()]).toEqual([[fault(2), fault(1)], false]);
  });

  it('takes what waits for a place at the API server as soon as it is back', async () => {
    let underWay = 0;
    const busy: AlertStore = {
      store: () =>
        new Promise(() => {
          underWay += 1;
        }),
    };
    const { memory, store, clock } = await twoStores({ etcd: busy });
    memory.isAway = true;
    const outcomes: StoreOutcome[] = [];
    for (let n = 0; n < STORES_IN_FLIGHT; n += 1) void store.store(request(n), never).then((o) => outcomes.push(o));
    await clock.advance(2 * LANE_WAIT_CALM_MS);
    expect(outcomes).toEqual([]);
    memory.isAway = false;
    await clock.advance(3 * INBOX_REST_MS);
    expect(outcomes).toEqual(Array(STORES_IN_FLIGHT - underWay).fill({ kind: 'inbox' }));
    expect(memory.rows).toHaveLength(STORES_IN_FLIGHT - underWay);
  });
});

describe('with the API server away, an inbox that has just failed', () => {
  it('is waited for until its rest is over, and those that come meanwhile wait with it: nobody is answered 503', async () => {
    const { memory, giveUp, store, clock } = await twoStores();
    await giveUp();
    const before = memory.rows.length;
    memory.breaks = 2;
    const first = store.store(request(1), never);
    await clock.advance(INBOX_REST_MS / 2);
    const second = store.store(request(2), never);
    // A whole body is not put there together meanwhile: nobody would hold it.
    expect(store.together?.([request(3)])).toBeUndefined();
    await clock.advance(INBOX_REST_MS);
    expect(await Promise.all([first, second])).toEqual([{ kind: 'inbox' }, { kind: 'inbox' }]);
    expect(memory.rows).toHaveLength(before + 2);
  });

  it('is asked as soon as a look finds that it is back', async () => {
    const { memory, giveUpAnew, store, clock, ended } = await twoStores();
    await giveUpAnew();
    memory.breaks = 2;
    const beganMs = clock.monotonicMs();
    expect(await ended(store.store(request(1), never))).toEqual({ kind: 'inbox' });
    // It looks every second, and not just now.
    expect(clock.monotonicMs() - beganMs).toBeLessThan(INBOX_REST_MS);
  });

  it('is not waited for once it has failed again, and by no request whose time is over', async () => {
    const { memory, giveUpAnew, store, clock, ended } = await twoStores();
    await giveUpAnew();
    memory.isAway = true;
    const over = new AbortController();
    const [first, second] = [store.store(request(1), never), store.store(request(2), over.signal)];
    over.abort();
    for (const one of [first, second]) expect(await ended(one)).toMatchObject({ kind: 'unavailable' });
    // Now it is known to be away.
    const beganMs = clock.monotonicMs();
    expect(await ended(store.together?.([request(4)]))).toMatchObject({ kind: 'unavailable' });
    expect(await ended(store.store(request(3), never))).toMatchObject({ kind: 'unavailable' });
    expect(clock.monotonicMs() - beganMs).toBeLessThan(INBOX_REST_MS);
  });

  it('is not needed where the API server is back by then', async () => {
    const { fake, memory, giveUpAnew, store, ended } = await twoStores();
    await giveUpAnew();
    memory.isAway = true;
    fake.isAway = false;
    expect(await ended(store.store(request(1), never))).toMatchObject({ kind: 'created' });
  });
});

describe('an API server that is back', () => {
  it('is found out by probes for which no request waits, and then has all of them again', async () => {
    const { fake, clock, send, giveUp, api, store } = await twoStores();
    await giveUp();
    fake.isAway = false;
    await clock.advance(FIRST_WAIT_MS);
    for (let n = 0; n < PROBES_TO_CLOSE; n += 1) {
      expect(await store.store(request(n), never)).toEqual({ kind: 'inbox' });
      await clock.advance(0);
    }
    expect(api.isAway()).toBe(false);
    expect(fake.stored.size).toBe(PROBES_TO_CLOSE);
    expect(await send(request(50))).toMatchObject({ kind: 'created' });
  });

  it('is found out by a read now and then where nobody sends anything', async () => {
    const { fake, clock, giveUp, api, reads } = await twoStores();
    await giveUp();
    await clock.advance(30_000);
    expect([api.isAway(), reads.count > 2]).toEqual([true, true]);
    fake.isAway = false;
    await clock.advance(30_000);
    expect(api.isAway()).toBe(false);
    const { count } = reads;
    await clock.advance(60_000);
    expect(reads.count).toBe(count);
  });
});

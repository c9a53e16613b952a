/** What is said again and again of what waits in the inbox takes no room there, and loses nothing by it. */
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import { createAlertStore, type StoreRequest } from '../intake/store.ts';
import { INBOX_LOOK_MS, INBOX_ROWS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert } from '../testing/builders.ts';
import { FakeAlerts } from '../testing/fake-alerts.ts';
import { MemoryInbox } from '../testing/memory-inbox.ts';
import { createInbox } from './inbox.ts';
import { createReceiptClock } from './receipt-clock.ts';
import { planOf } from './rows.ts';

const time = (second: number): string =>
  Temporal.Instant.from('2026-01-01T12:00:00Z').add({ seconds: second }).toString({ fractionalSecondDigits: 6 });
const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
const never = new AbortController().signal;

interface Said {
  state: 'Firing' | 'Resolved';
  severity?: 'High' | 'Low';
}
type Step =
  | { kind: 'put'; replica: number; state: Said['state'] }
  /** By the drain: a killed one may stop after each. */
  | { kind: 'read' | 'write' | 'remove' };

/** Of one fault, with times that its sender names, or without any. */
function report(second: number, { state, severity = 'High' }: Said, since?: number): StoreRequest {
  const named = since !== undefined;
  const spec = {
    ...anAlert().spec,
    state,
    severity,
    startsAt: time(since ?? second),
    receivedAt: time(second),
    leaseUntil: time(second + 60),
    ...(state === 'Resolved' ? { endsAt: time(second) } : {}),
  };
  const reports: StoreRequest['reports'] = [{ spec, startNamed: named, endNamed: named }];
  return { namespace: 'demo', source: 'prom', fingerprint: spec.fingerprint, reports, demo: false };
}

async function aWorld() {
  const clock = new FakeClock();
  const memory = new MemoryInbox();
  const fake = new FakeAlerts();
  const log = silentLog();
  const metrics = createWebhookMetrics(createRegistry());
  const etcd = createAlertStore({ client: fake.client, alerts: fake.cache, clock, lock: createKeyedLock() });
  const replicas = [0, 1].map(() => createInbox({ clock, receipt: createReceiptClock({ clock, log }), log, metrics }));
  for (const inbox of replicas) inbox.open(memory.store);
  await clock.advance(0);
  const put = (replica: number, request: StoreRequest) => replicas[replica]?.put([request]);
  const store = async (rows: typeof memory.rows) => {
    for (const request of planOf(rows).requests) await etcd.store(request, never);
  };
  const only = () => [...fake.stored.values()][0]?.spec;
  return { clock, memory, put, store, only };
}

describe('what is said again of what waits', () => {
  it.each([undefined, 0])(
    'takes no more rows for that, and the last word counts (said to have begun: %s)',
    async (since) => {
      const { memory, put, store, only, clock } = await aWorld();
      for (let second = 0; second < 50; second += 1) {
        await put(0, report(second, { state: 'Firing' }, since));
        await clock.advance(INBOX_LOOK_MS);
      }
      expect(memory.rows.length).toBeLessThanOrEqual(3);
      await store(memory.rows);
      expect(only()).toMatchObject({ startsAt: time(0), receivedAt: time(49), leaseUntil: time(109) });
    },
  );

  it('takes another where it says something else, or that it is over', async () => {
    const { memory, put, store, only } = await aWorld();
    const words: Said[] = [{ state: 'Firing' }, { state: 'Firing', severity: 'Low' }, { state: 'Resolved' }];
    for (let second = 0; second < 12; second += 1) {
      const word = words[Math.floor(second / 4)];
      if (word !== undefined) await put(0, report(second, word, 0));
    }
    await store(memory.rows);
    expect(only()).toMatchObject({ state: 'Resolved', severity: 'High', receivedAt: time(11) });
    expect(memory.rows.length).toBeLessThanOrEqual(9);
  });

  it('is taken by an inbox that is full, which takes nothing else', async () => {
    const { memory, put, clock } = await aWorld();
    for (let second = 0; second < 3; second += 1) await put(0, report(second, { state: 'Firing' }, 0));
    memory.pretendRows = INBOX_ROWS;
    await clock.advance(INBOX_LOOK_MS);
    await put(0, report(9, { state: 'Firing' }, 0));
    expect(memory.rows.at(-1)?.receivedAt).toBe(time(9));
    await expect(put(0, report(10, { state: 'Resolved' }, 0))).rejects.toThrow('alerts already');
  });

  it('ends in its latest state, whoever of two replicas put it there, and also where it is renewed while it is drained', async () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('put' as const),
          replica: fc.integer({ min: 0, max: 1 }),
          state: fc.constantFrom('Firing' as const, 'Firing' as const, 'Resolved' as const),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'write' as const, 'remove' as const) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 24 }), fc.boolean(), async (steps, named) => {
        const { memory, put, store, only } = await aWorld();
        let since = 0;
        let last: Said['state'] | undefined;
        let read: typeof memory.rows = [];
        let written: typeof memory.rows = [];
        for (const [second, one] of steps.entries()) {
          if (one.kind === 'put') {
            if (last !== 'Firing') since = second;
            last = one.state;
            await put(one.replica, report(second, one, named ? since : undefined));
          } else if (one.kind === 'read') read = memory.rows.slice(0, 2);
          else if (one.kind === 'write') {
            await store(read);
            written = read;
          } else await memory.store.remove(idsOf(written), 1);
        }
        while (memory.rows.length > 0) {
          const rows = memory.rows.slice(0, 1);
          await store(rows);
          await memory.store.remove(idsOf(rows), 1);
        }
        expect(only()?.state).toBe(last);
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});

/**
 * The order of stores does not matter: whatever part of an alert's reports went by the inbox and whenever that was drained, in the end it is
 * as if all had gone straight to etcd.
 */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { firingStartOf } from '@funnelai/domain/merge';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import type { Report } from '../intake/report.ts';
import { createAlertStore, type StoreRequest } from '../intake/store.ts';
import { INBOX_LOOK_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert } from '../testing/builders.ts';
import { FakeAlerts } from '../testing/fake-alerts.ts';
import { MemoryInbox } from '../testing/memory-inbox.ts';
import { createApiServer } from './api-server.ts';
import { createInbox } from './inbox.ts';
import { createLane } from './lane.ts';
import { createReceiptClock } from './receipt-clock.ts';
import { planOf } from './rows.ts';
import { createTwoStores } from './two-stores.ts';

const time = (second: number): string =>
  Temporal.Instant.from('2026-01-01T12:00:00Z').add({ seconds: second }).toString({ fractionalSecondDigits: 6 });
const fingerprint = anAlert().spec.fingerprint;
const never = new AbortController().signal;

/** What a sender says at one second, and which way it goes. `drains`: before that, so many of the rows that wait are drained. */
interface Step {
  state: 'Firing' | 'Resolved';
  byInbox: boolean;
  drains: number;
}

/** Reports of one fault in the order of receipt: with times named by the sender, or without any, as many senders do. */
function reportsOf(steps: readonly Step[], named: boolean): Report[] {
  let start = 0;
  let end: number | undefined;
  return steps.map(({ state }, second) => {
    if (state === 'Firing') {
      if (end !== undefined || second === 0) start = second;
      end = undefined;
    } else end ??= second;
    const startsAt = named || state === 'Firing' ? (named ? start : second) : second;
    const spec: AlertSpec = {
      ...anAlert().spec,
      state,
      startsAt: time(startsAt),
      receivedAt: time(second),
      ...(state === 'Resolved' ? { endsAt: time(named ? (end ?? second) : second) } : {}),
    };
    return { spec, startNamed: named, endNamed: named };
  });
}

const metrics = createWebhookMetrics(createRegistry());
const log = silentLog();

/** `knows`: this replica knows what waits; else other replicas have put it there, and more than it can look at. */
async function world(knows: boolean, overtakes = false) {
  const fake = new FakeAlerts();
  const memory = new MemoryInbox();
  const clock = new FakeClock();
  const inbox = createInbox({ clock, receipt: createReceiptClock({ clock, log }), log, metrics });
  const api = createApiServer({ read: async () => undefined, clock, log, metrics });
  const etcd = createAlertStore({ client: fake.client, alerts: fake.cache, clock, lock: createKeyedLock() });
  const view = knows ? inbox : { ...inbox, isWaiting: () => false };
  const two = createTwoStores({ etcd, inbox: view, api, lane: createLane({ clock }), clock, metrics });
  inbox.open(memory.store);
  await clock.advance(0);
  const request = (report: Report): StoreRequest => ({
    namespace: 'demo',
    source: 'prom',
    fingerprint,
    reports: [report],
    demo: false,
  });
  const only = (): AlertSpec | undefined => [...fake.stored.values()][0]?.spec;
  async function drain(count: number): Promise<void> {
    const rows = memory.rows.slice(0, count);
    if (rows.length === 0) return;
    for (const all of planOf(rows).requests) await etcd.store(all, never);
    memory.rows = memory.rows.slice(rows.length);
    await clock.advance(2 * INBOX_LOOK_MS);
  }
  async function send(report: Report, byInbox: boolean): Promise<void> {
    const one = request(report);
    // As where its source has a rate: what ends an Alert that fires, or acknowledges it first, goes before what waits.
    const isOnce = report.spec.state === 'Resolved' || report.only === 'Acknowledgement';
    if (overtakes && isOnce && only()?.state === 'Firing') one.mayOvertake = true;
    if (byInbox) await inbox.put([one]);
    else await two.store(one, never);
  }
  /** The operator takes what has ended out of the cluster; of a crowded source ten seconds after that. */
  const leave = (): void => {
    if (only()?.state === 'Resolved') fake.stored.clear();
  };
  return { memory, drain, send, only, leave };
}

const steps = fc.array(
  fc.record({
    state: fc.constantFrom('Firing' as const, 'Resolved' as const),
    byInbox: fc.boolean(),
    drains: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 7 },
);

/** An end passes a firing that waits, of which nothing is in the cluster, or what fired before. */
const PASSED_BY: Step[][] = [
  [
    { state: 'Firing', byInbox: true, drains: 0 },
    { state: 'Resolved', byInbox: false, drains: 0 },
  ],
  [
    { state: 'Firing', byInbox: false, drains: 0 },
    { state: 'Firing', byInbox: true, drains: 0 },
    { state: 'Resolved', byInbox: false, drains: 0 },
  ],
];
const LEAVES_LAST = Array.from({ length: 8 }, (_, place) => place === 7);

async function result(
  story: readonly Step[],
  reports: readonly Report[],
  knows: boolean,
): Promise<AlertSpec | undefined> {
  const { memory, drain, send, only } = await world(knows);
  for (const [place, report] of reports.entries()) {
    await drain(story[place]?.drains ?? 0);
    await send(report, story[place]?.byInbox ?? false);
  }
  // One by one at the end, as a drain that is killed again and again.
  while (memory.rows.length > 0) await drain(1);
  return only();
}

describe('reports of one fault, some by the inbox', () => {
  it.each([
    { named: true, knows: true },
    { named: true, knows: false },
    { named: false, knows: true },
    { named: false, knows: false },
  ])(
    'end as if all had gone straight to etcd: %j',
    async ({ named, knows }) => {
      await fc.assert(
        fc.asyncProperty(steps, async (story) => {
          const reports = reportsOf(story, named);
          const straight = await result(
            story.map((step) => ({ ...step, byInbox: false, drains: 0 })),
            reports,
            true,
          );
          const mixed = await result(story, reports, knows);
          expect(mixed?.state).toBe(straight?.state);
          // Whoever finds it knows that it had fired, if it ever had, whichever way that came.
          const everFired = story.some(({ state }) => state === 'Firing');
          expect(mixed && firingStartOf(mixed) !== undefined).toBe(everFired);
          if (named) expect(mixed && firingStartOf(mixed)).toBe(straight && firingStartOf(straight));
          // Of several ends that nobody named each is as good.
          if (named && mixed?.state === 'Resolved') expect(mixed.endsAt).toBe(straight?.endsAt);
          // Overtaken, an earlier firing is taken for the beginning of the present episode.
          if (named && knows) expect(mixed?.startsAt).toBe(straight?.startsAt);
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );

  it.each([
    { named: true, knows: true, overtakes: true },
    { named: true, knows: false, overtakes: false },
    { named: false, knows: true, overtakes: true },
    { named: false, knows: false, overtakes: false },
  ])(
    'fire in the end only where they would have, also where what has ended leaves the cluster before all is drained: %j',
    async ({ named, knows, overtakes }) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), async (story, leaves) => {
          const reports = reportsOf(story, named);
          const { memory, drain, send, only, leave } = await world(knows, overtakes);
          for (const [place, report] of reports.entries()) {
            await drain(story[place]?.drains ?? 0);
            if (leaves[place]) leave();
            await send(report, story[place]?.byInbox ?? false);
          }
          while (memory.rows.length > 0) {
            if (leaves[7]) leave();
            await drain(1);
          }
          expect(only()?.state === 'Firing').toBe(reports.at(-1)?.spec.state === 'Firing');
        }),
        { numRuns: 200, examples: PASSED_BY.map((story) => [story, LEAVES_LAST]) },
      );
    },
    60_000,
  );

  it('that resolved straight while the firing still waits stay resolved', async () => {
    const { drain, send, only } = await world(false);
    const [firing, resolved] = reportsOf(
      [
        { state: 'Firing', byInbox: true, drains: 0 },
        { state: 'Resolved', byInbox: false, drains: 0 },
      ],
      true,
    );
    if (firing === undefined || resolved === undefined) throw new Error('two reports');
    await send(firing, true);
    await send(resolved, false);
    await drain(1);
    expect(only()).toMatchObject({ state: 'Resolved', startsAt: time(0), endsAt: time(1) });
  });

  it('of which one is an acknowledgement that went before what waits keep it, also where the Alert leaves meanwhile', async () => {
    const word = { at: time(3), by: 'Icinga' };
    const story = (['Firing', 'Resolved', 'Firing'] as const).map((state) => ({ state, byInbox: true, drains: 0 }));
    const { memory, drain, send, only, leave } = await world(true, true);
    const reports = reportsOf(story, true);
    for (const [place, report] of reports.entries()) await send(report, place > 0);
    const [first] = reports;
    if (first === undefined) throw new Error('three reports');
    const spec = { ...first.spec, receivedAt: time(3), acknowledgedUpstream: { ...word, trusted: word } };
    await send({ ...first, spec, only: 'Acknowledgement' }, false);
    expect(only()?.acknowledgedUpstream?.trusted).toEqual(word);
    while (memory.rows.length > 0) {
      await drain(1);
      leave();
    }
    expect(only()).toMatchObject({ state: 'Firing', startsAt: time(2), acknowledgedUpstream: { trusted: word } });
  });

  it('of which one is an acknowledgement keep it, whether it overtakes the firing or waits with it', async () => {
    const word = { at: time(1), by: 'Icinga' };
    const [firing] = reportsOf([{ state: 'Firing', byInbox: true, drains: 0 }], false);
    if (firing === undefined) throw new Error('one report');
    const spec = { ...firing.spec, receivedAt: time(1), acknowledgedUpstream: { ...word, trusted: word } };
    for (const byInbox of [true, false]) {
      const { memory, drain, send, only } = await world(false);
      await send(firing, true);
      await send({ ...firing, spec, only: 'Acknowledgement' }, byInbox);
      while (memory.rows.length > 0) await drain(1);
      expect(only()).toMatchObject({ state: 'Firing', acknowledgedUpstream: { at: time(1), trusted: word } });
    }
  });
});

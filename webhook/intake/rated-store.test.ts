import type { AlertSource } from '@funnelai/crds/generated/types';
import { HEARTBEAT_FINGERPRINT } from '@funnelai/domain/heartbeat';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { afterEach, describe, expect, it } from 'vitest';
import type { Drain } from '../inbox/drain.ts';
import { planOf } from '../inbox/rows.ts';
import { DRAIN_HELD, INBOX_LOOK_MS, INBOX_ROWS_OVER_RATE } from '../limits.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { aRatedWorld } from '../testing/rated-world.ts';
import type { StoreRequest } from './store.ts';

const drains: Drain[] = [];
afterEach(async () => {
  await Promise.all(drains.splice(0).map((drain) => drain.stop()));
});

const never = new AbortController().signal;
const START = Temporal.Instant.from('2026-01-01T12:00:00Z');
const time = (second: number) => START.add({ seconds: second }).toString({ fractionalSecondDigits: 6 });

/** What is said of a fault at a second. Each begins at 12:00. */
function report(
  n: number,
  o: { second?: number; resolved?: boolean; name?: string; namespace?: string; source?: string } = {},
): StoreRequest {
  const { second = 0, resolved = false, name = 'Storm', namespace = 'demo', source = 'prom' } = o;
  const fingerprint = String(n).padStart(16, '0').padEnd(64, '0');
  const { spec } = anAlert({
    spec: {
      sourceRef: { name: source },
      fingerprint,
      state: resolved ? 'Resolved' : 'Firing',
      labels: { alertname: name },
      startsAt: time(0),
      receivedAt: time(second),
      ...(resolved ? { endsAt: time(second) } : {}),
    },
  });
  const place = { source: `${namespace}/${source}`, name, request: n, severity: spec.severity, isNew: !resolved };
  return {
    namespace,
    source,
    fingerprint,
    demo: false,
    place,
    reports: [{ spec, startNamed: true, endNamed: true }],
  };
}

const rated = (ratePerSecond: number, burst: number) => anAlertSource({ spec: { limits: { ratePerSecond, burst } } });

async function aWorld(o: Parameters<typeof aRatedWorld>[0]) {
  const world = await aRatedWorld(o);
  drains.push(world.drain);
  const send = (...requests: StoreRequest[]) => Promise.all(requests.map((one) => world.store.store(one, never)));
  const storm = (from: number, to: number, more?: Parameters<typeof report>[1]) =>
    send(...Array.from({ length: to - from }, (_, i) => report(from + i, more)));
  const states = () => [...world.fake.stored.values()].map(({ spec }) => spec.state);
  const firing = () => states().filter((state) => state === 'Firing').length;
  return { ...world, send, storm, states, firing };
}

describe('a source with a rate', () => {
  it('has what is over in the inbox, and all of it becomes Alerts at that rate', async () => {
    const { storm, fake, memory, clock, drain, metrics } = await aWorld({ sources: [rated(5, 20)] });
    const outcomes = await storm(0, 100);
    expect(outcomes.filter(({ kind }) => kind === 'created')).toHaveLength(20);
    expect(outcomes.filter(({ kind }) => kind === 'inbox')).toHaveLength(80);
    expect([fake.stored.size, memory.rows.length]).toEqual([20, 80]);
    expect(await metrics()).toContain('funnelai_webhook_over_rate_total{outcome="inbox"} 80');
    drain.start();
    // The drain has a burst of its own, and from then on the rate.
    await clock.advance(1_000);
    for (let second = 1; second <= 14; second += 1) {
      expect(fake.stored.size).toBeLessThanOrEqual(20 + 20 + 5 * second);
      await clock.advance(1_000);
    }
    await clock.advance(1_000);
    expect([fake.stored.size, memory.rows.length, memory.aside]).toEqual([100, 0, []]);
  });

  it('pays for nothing that writes nothing, nor for the end of what fires, however much it is over', async () => {
    const { storm, send, states, clock } = await aWorld({ sources: [rated(1, 10)] });
    await storm(0, 10);
    await clock.advance(1_000);
    const repeats = await storm(0, 10, { second: 1 });
    expect(repeats.map(({ kind }) => kind)).toEqual(Array(10).fill('unchanged'));
    // One has come up meanwhile.
    const more = await storm(10, 12);
    expect(more.map(({ kind }) => kind).toSorted()).toEqual(['created', 'inbox']);
    const ends = await storm(0, 10, { second: 2, resolved: true });
    expect(ends.map(({ kind }) => kind)).toEqual(Array(10).fill('updated'));
    expect(states().filter((state) => state === 'Resolved')).toHaveLength(10);
    expect((await send(report(0, { second: 3 })))[0]?.kind).not.toBe('created');
  });

  it('ends what fires at once, also where a repeat of it waits in the inbox behind a storm', async () => {
    const { storm, send, states, memory, drain, clock } = await aWorld({ sources: [rated(1, 1)] });
    await storm(0, 50);
    // While anything waits a repeat lies there, too, as nobody knows whether something of the same fault does.
    expect(await send(report(0, { second: 1 }))).toMatchObject([{ kind: 'unchanged' }]);
    expect(memory.rows).toHaveLength(50);
    expect(await send(report(0, { second: 2, resolved: true }))).toMatchObject([{ kind: 'updated' }]);
    expect(states()).toEqual(['Resolved']);
    drain.start();
    await clock.advance(90_000);
    expect(memory.rows).toEqual([]);
    expect(states().toSorted()).toEqual([...Array(49).fill('Firing'), 'Resolved']);
  });

  it('ends at once what fires and is folded, and asks about nothing but ends', async () => {
    const asked: string[] = [];
    const folded = report(0).fingerprint;
    const firesFolded = ({ fingerprint }: StoreRequest) => {
      asked.push(fingerprint);
      return fingerprint === folded;
    };
    const { storm, send } = await aWorld({ sources: [rated(1, 1)], firesFolded });
    await storm(10, 50);
    expect(await send(report(0, { second: 1 }))).toMatchObject([{ kind: 'inbox' }]);
    expect(asked).toEqual([]);
    const ends = [report(0, { second: 2, resolved: true }), report(1, { second: 2, resolved: true })];
    // Nothing of the second one is known: its end waits like anything else.
    expect((await send(...ends)).map(({ kind }) => kind)).toEqual(['created', 'inbox']);
  });

  it('has the first trusted acknowledgement of what fires at once, and keeps it, whatever of that waits in the inbox', async () => {
    const { storm, send, fake, memory, drain, clock } = await aWorld({ sources: [rated(1, 1)] });
    await storm(0, 50);
    await send(report(0, { second: 1 }));
    const acknowledged = (second: number): StoreRequest => {
      const said = report(0, { second });
      const word = { at: time(second), by: 'Icinga' };
      const spec = { ...said.reports[0].spec, acknowledgedUpstream: { ...word, trusted: word } };
      return { ...said, reports: [{ ...said.reports[0], spec, only: 'Acknowledgement' }] };
    };
    const only = () => [...fake.stored.values()].find(({ spec }) => spec.fingerprint === report(0).fingerprint)?.spec;
    expect(await send(acknowledged(2))).toMatchObject([{ kind: 'updated' }]);
    expect(only()?.acknowledgedUpstream?.trusted?.at).toBe(time(2));
    // A word that comes again is news each time: who says it a thousand times a second is over his rate.
    expect(await send(acknowledged(3))).toMatchObject([{ kind: 'inbox' }]);
    drain.start();
    await clock.advance(90_000);
    expect(memory.rows).toEqual([]);
    expect(only()).toMatchObject({ state: 'Firing', acknowledgedUpstream: { at: time(2), trusted: { at: time(3) } } });
  });

  it('is told 503 and when to come back where the inbox is away too, and loses nothing that was answered', async () => {
    const { storm, fake, memory, clock, metrics } = await aWorld({ sources: [rated(2, 4)] });
    memory.isAway = true;
    const outcomes = await storm(0, 6);
    const refused = outcomes.filter(({ kind }) => kind === 'unavailable');
    expect([fake.stored.size, refused.length]).toEqual([4, 2]);
    expect(refused[0]).toMatchObject({ retryAfterMs: 500, isOverRate: true });
    expect('message' in (refused[0] ?? {}) && refused[0]).toMatchObject({
      message: expect.stringMatching(
        /^source demo\/prom is over limits\.ratePerSecond \(2 alerts a second, burst 4\), and the inbox, in which it could wait, is away/,
      ),
    });
    expect(await metrics()).toContain('funnelai_webhook_over_rate_total{outcome="refused"} 2');
    await clock.advance(1_000);
    expect((await storm(4, 6)).map(({ kind }) => kind)).toEqual(['created', 'created']);
  });

  it('is told 503 where there is no inbox', async () => {
    const { storm, fake } = await aWorld({ sources: [rated(2, 4)], hasInbox: false });
    const outcomes = await storm(0, 5);
    expect([fake.stored.size, outcomes.at(-1)]).toMatchObject([4, { kind: 'unavailable', retryAfterMs: 500 }]);
    expect(outcomes.at(-1)).toMatchObject({ message: expect.stringContaining('no database was given') });
  });

  it('leaves most of the inbox to what comes while the API server is away', async () => {
    const { storm, send, memory, clock, metrics } = await aWorld({
      sources: [rated(2, 2), anAlertSource({ name: 'other' })],
    });
    memory.pretendRows = INBOX_ROWS_OVER_RATE;
    await clock.advance(INBOX_LOOK_MS);
    expect((await storm(0, 3)).map(({ kind }) => kind)).toEqual(['created', 'created', 'unavailable']);
    expect(await metrics()).toContain('limit="INBOX_ROWS_OVER_RATE"} 1');
    expect(await send(report(0, { source: 'other' }))).toMatchObject([{ kind: 'created' }]);
  });

  it('leaves it its repeats, too: they are stored already, and what waits of the same alert is not passed by', async () => {
    const { storm, send, memory, clock, fake } = await aWorld({ sources: [rated(2, 4)] });
    expect((await storm(0, 5)).at(-1)).toMatchObject({ kind: 'inbox' });
    await storm(0, 2, { second: 1 });
    memory.pretendRows = INBOX_ROWS_OVER_RATE;
    await clock.advance(INBOX_LOOK_MS);
    const { length } = memory.rows;
    const writes = () => fake.calls.filter((call) => call !== 'get').length;
    const before = writes();
    expect(await send(report(2, { second: 2 }))).toMatchObject([{ kind: 'unchanged' }]);
    expect([memory.rows.length, writes()]).toEqual([length, before]);
    // Two have come up; for the next there is neither rate nor room.
    const behind = [...(await storm(0, 2, { second: 3 })), ...(await storm(0, 2, { second: 4 }))];
    expect(behind.map(({ kind }) => kind)).toEqual(['updated', 'updated', 'unavailable', 'unavailable']);
    expect(memory.rows).toHaveLength(length);
  });

  it('counts what it routes to others to itself, whoever accepts it', async () => {
    const accepting = (namespace: string) =>
      anAlertSource({ namespace, name: 'own', spec: { acceptFrom: { namespace: 'demo', name: 'prom' } } });
    const { storm, drain, fake, clock } = await aWorld({ sources: [rated(1, 3), accepting('pay'), accepting('web')] });
    const routed = [
      ...(await storm(0, 2, { namespace: 'pay', source: 'own' })),
      ...(await storm(2, 4, { namespace: 'web', source: 'own' })),
    ];
    expect(routed.map(({ kind }) => kind)).toEqual(['created', 'created', 'created', 'inbox']);
    // The drain's own burst lets three through, and the next a second.
    await storm(4, 10, { namespace: 'web', source: 'own' });
    drain.start();
    await clock.advance(900);
    expect(fake.stored.size).toBe(6);
    await clock.advance(6_000);
    expect(fake.stored.size).toBe(10);
  });

  it('is left alone where it has none, and the alert that says it is silent is never held back', async () => {
    const { storm, fake, metrics } = await aWorld({ sources: [anAlertSource()] });
    for (let n = 0; n < 100; n += 10) await storm(n, n + 10);
    expect(fake.stored.size).toBe(100);
    expect(await metrics()).not.toContain('funnelai_webhook_over_rate_total{');
    const bounded = await aWorld({ sources: [rated(1, 1)] });
    await bounded.storm(0, 5);
    const silent = report(9);
    const { spec } = silent.reports[0];
    const own = { ...silent, fingerprint: HEARTBEAT_FINGERPRINT };
    own.reports = [{ ...silent.reports[0], spec: { ...spec, fingerprint: HEARTBEAT_FINGERPRINT } }];
    expect(await bounded.send(own)).toMatchObject([{ kind: 'created' }]);
  });
});

describe('the inbox, while a source is over its rate', () => {
  it('drains what others have put there at once, however much of that source lies before it', async () => {
    const { storm, send, fake, memory, drain, clock } = await aWorld({
      sources: [rated(1, 1), anAlertSource({ name: 'other' })],
    });
    await storm(0, 3 * DRAIN_HELD);
    fake.isAway = true;
    // The API server is away for a moment: what others send waits behind the storm.
    for (let n = 0; n < 5; n += 1) {
      const sent = send(report(n, { source: 'other', name: 'DiskFull' }));
      await clock.advance(1_000);
      expect(await sent).toEqual([{ kind: 'inbox' }]);
    }
    fake.isAway = false;
    await clock.advance(10_000);
    drain.start();
    await clock.advance(5_000);
    const names = () => [...fake.stored.values()].map(({ spec }) => spec.labels?.alertname);
    expect(names().filter((name) => name === 'DiskFull')).toHaveLength(5);
    expect(memory.rows.length).toBeGreaterThan(3 * DRAIN_HELD - 20);
  });

  it('drains what others have put there also where the rate was set in the middle of the storm', async () => {
    const sources = [anAlertSource(), anAlertSource({ name: 'other' })];
    const { storm, send, fake, memory, drain, clock } = await aWorld({ sources });
    fake.isAway = true;
    const sent = [storm(0, 5), storm(5, 2 * DRAIN_HELD)];
    await clock.advance(2_000);
    await Promise.all(sent);
    for (let n = 0; n < 5; n += 1) await send(report(n, { source: 'other', name: 'DiskFull' }));
    fake.isAway = false;
    // The drain holds as much of the storm as it may when somebody bounds that source.
    fake.beforeWrite = () => {
      if (memory.read.size > DRAIN_HELD + 1) sources[0] = rated(1, 1);
    };
    drain.start();
    await clock.advance(15_000);
    const names = [...fake.stored.values()].map(({ spec }) => spec.labels?.alertname);
    expect(names.filter((name) => name === 'DiskFull')).toHaveLength(5);
    expect(memory.rows.length).toBeGreaterThan(DRAIN_HELD);
  });

  it('has its burst ready when the API server is back, however often it was tried meanwhile', async () => {
    const { storm, fake, memory, drain, clock } = await aWorld({ sources: [rated(1, 20)] });
    fake.isAway = true;
    drain.start();
    for (let n = 0; n < 40; n += 1) {
      const sent = storm(n, n + 1);
      await clock.advance(1_000);
      await sent;
    }
    expect(memory.rows).toHaveLength(40);
    fake.isAway = false;
    await clock.advance(10_000);
    expect(fake.stored.size).toBeGreaterThanOrEqual(20);
  });

  it('lets a new name of that source go before more of the same', async () => {
    const { storm, send, fake, drain, clock } = await aWorld({ sources: [rated(2, 2)] });
    await storm(0, DRAIN_HELD);
    drain.start();
    await clock.advance(5_000);
    // What has come up meanwhile is used by more of the same.
    await storm(DRAIN_HELD, DRAIN_HELD + 5);
    expect(await send(report(5_000, { name: 'DiskFull' }))).toEqual([{ kind: 'inbox', isOverRate: true }]);
    await clock.advance(3_000);
    const names = [...fake.stored.values()].map(({ spec }) => spec.labels?.alertname);
    expect(names).toContain('DiskFull');
    expect(names.length).toBeLessThan(40);
  });

  it('lets more repeats through than the rate, as they write nothing', async () => {
    const { storm, memory, fake, drain, clock, metrics } = await aWorld({ sources: [rated(1, 50)] });
    for (let n = 0; n < 50; n += 10) await storm(n, n + 10);
    const before = fake.calls.length;
    await storm(50, 51);
    for (let minute = 1; minute <= 8; minute += 1) await storm(0, 50, { second: 60 * minute });
    // What stands behind another of its fault is not called over for that.
    expect(await storm(50, 51, { second: 1 })).toEqual([{ kind: 'inbox' }]);
    expect(await metrics()).toContain('funnelai_webhook_over_rate_total{outcome="inbox"} 1');
    // However often they come, they take three rows each.
    expect(memory.rows).toHaveLength(1 + 3 * 50 + 1);
    drain.start();
    await clock.advance(10_000);
    expect(memory.rows).toEqual([]);
    expect(fake.calls.length - before).toBe(1);
  });

  it('keeps no place in the lane for what only waits for its rate', async () => {
    const { storm, lane, drain, clock } = await aWorld({ sources: [rated(1, 1)] });
    await storm(0, 100);
    drain.start();
    await clock.advance(2_450);
    const places = await Promise.all(Array.from({ length: lane.limit }, () => lane.enter({ waitMs: 0 })));
    expect(places.every((leave) => leave !== undefined)).toBe(true);
  });
});

describe('reports of faults of which some were over the rate', () => {
  interface Step {
    fault: number;
    resolved: boolean;
    /** A second passes before it comes, in which one more may. */
    waits: boolean;
    /** So many rows are drained before it comes. */
    drains: number;
  }
  const step: fc.Arbitrary<Step> = fc.record({
    fault: fc.integer({ min: 0, max: 2 }),
    resolved: fc.boolean(),
    waits: fc.boolean(),
    drains: fc.integer({ min: 0, max: 2 }),
  });

  async function endOf(steps: readonly Step[], source: AlertSource) {
    const { send, memory, fake, etcd, clock } = await aWorld({ sources: [source] });
    async function drain(count: number): Promise<void> {
      const rows = memory.rows.slice(0, count);
      for (const request of planOf(rows).requests) await etcd.store(request, never);
      memory.rows = memory.rows.slice(rows.length);
      if (rows.length > 0) await clock.advance(2 * INBOX_LOOK_MS);
    }
    for (const [second, { fault, resolved, waits, drains: count }] of steps.entries()) {
      await drain(count);
      if (waits) await clock.advance(1_000);
      await send(report(fault, { second, resolved }));
    }
    while (memory.rows.length > 0) await drain(1);
    return [...fake.stored.values()].map(({ spec }) => `${spec.fingerprint} ${spec.state}`).toSorted();
  }

  it('end as if none had been, whatever came in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        expect(await endOf(steps, rated(1, 1))).toEqual(await endOf(steps, anAlertSource()));
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

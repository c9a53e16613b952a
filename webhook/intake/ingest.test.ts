import type { AlertSource } from '@funnelai/crds/generated/types';
import { identityOf } from '@funnelai/domain/alert-input';
import { type Clock, systemClock } from '@funnelai/kube/clock';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { Temporal } from 'temporal-polyfill';
import { expect, it } from 'vitest';
import { INTAKE_DEADLINE_MS, INTAKE_PROBLEMS_LISTED } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import type { Received } from '../receivers/receiver.ts';
import { anAlertSource } from '../testing/builders.ts';
import { createIngest } from './ingest.ts';
import { mergeReports, type StoreOutcome, type StoreRequest } from './store.ts';

const many = (count: number): Received[] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    input: { labels: { pod: `p${index}` }, annotations: {}, links: [], state: 'Firing' },
  }));

it('stores what it can of a body that took long to make ready', async () => {
  const clock = new FakeClock();
  let ms = 0;
  let stored = 0;
  const ingest = createIngest({
    clock: Object.assign(clock, {
      // Each pause takes as long as a whole request may.
      sleep: async () => clock.advance(INTAKE_DEADLINE_MS),
      monotonicMs: () => ms++,
    }),
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    store: {
      store: async ({ fingerprint }, signal) => {
        if (signal.aborted) return { kind: 'unavailable', message: 'too late' };
        stored += 1;
        return { kind: 'created', name: fingerprint };
      },
    },
  });
  expect(await ingest.ingest(anAlertSource(), many(200))).toMatchObject({ created: 200 });
  expect(stored).toBe(200);
});

it('lets others have their turn while it makes many alerts ready', async () => {
  let ms = 0;
  const clock: Clock = {
    now: () => systemClock.now(),
    after: (delay, fn) => systemClock.after(delay, fn),
    sleep: (delay, signal) => systemClock.sleep(delay, signal),
    // Each look at the clock is a millisecond of work.
    monotonicMs: () => ms++,
  };
  let turns = 0;
  let turnsAtFirstStore: number | undefined;
  const ingest = createIngest({
    clock,
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    store: {
      store: async ({ fingerprint }) => {
        turnsAtFirstStore ??= turns;
        return { kind: 'created', name: fingerprint };
      },
    },
  });
  const probe = () => {
    turns += 1;
    if (turnsAtFirstStore === undefined) setImmediate(probe);
  };
  setImmediate(probe);
  expect(await ingest.ingest(anAlertSource(), many(200))).toMatchObject({ created: 200, unavailable: 0 });
  expect(turnsAtFirstStore).toBeGreaterThanOrEqual(5);
});

const FIRING: Received = {
  index: 0,
  input: { labels: { alertname: 'A' }, annotations: {}, links: [], state: 'Firing' },
};
const from = { namespace: 'infra', name: 'prom' };
const home = anAlertSource({ namespace: 'infra' });
const pay = anAlertSource({ namespace: 'pay', name: 'platform', spec: { acceptFrom: from, labels: { team: 'pay' } } });

/** An ingest whose alerts go to these places; what it stored, and where. */
function routed(
  places: AlertSource[],
  outcome: (request: StoreRequest) => StoreOutcome,
  o: Pick<Parameters<typeof createIngest>[0], 'isNew'> = {},
) {
  const stored: StoreRequest[] = [];
  const ingest = createIngest({
    ...o,
    clock: systemClock,
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    routing: { of: async () => () => ({ places, why: { kind: 'NoRoute' } }) },
    store: {
      store: async (request) => {
        stored.push(request);
        return outcome(request);
      },
    },
  });
  return { ingest, stored, where: () => stored.map(({ namespace, source }) => `${namespace}/${source}`) };
}
const created = ({ fingerprint }: StoreRequest): StoreOutcome => ({ kind: 'created', name: fingerprint });

it('stores what is routed as an alert of the source that accepts, which says whence it came', async () => {
  const { ingest, stored, where } = routed([pay], created);
  expect(await ingest.ingest(home, [FIRING, { ...FIRING, index: 1 }])).toMatchObject({ created: 1, unchanged: 1 });
  expect(where()).toEqual(['pay/platform']);
  expect(stored[0]?.reports).toHaveLength(2);
  expect(stored[0]?.reports[0].spec).toMatchObject({
    sourceRef: { name: 'platform' },
    labels: { alertname: 'A', team: 'pay' },
    notes: ['routed here by AlertSource infra/prom'],
  });
});

it('counts an alert once that is told in two places, and is not content until both have it', async () => {
  const both = routed([home, pay], created);
  expect(await both.ingest.ingest(home, [FIRING])).toMatchObject({ created: 1, unchanged: 0, unavailable: 0 });
  expect(both.where()).toEqual(['infra/prom', 'pay/platform']);
  const one = routed([home, pay], (request) =>
    request.namespace === 'pay' ? { kind: 'unavailable', message: 'away' } : created(request),
  );
  expect(await one.ingest.ingest(home, [FIRING])).toMatchObject({ created: 1, unavailable: 1 });
});

it('tells the store what it would be here, report by report, of what is routed elsewhere', async () => {
  const { ingest, stored } = routed([home, pay], created);
  await ingest.ingest(home, [FIRING, { ...FIRING, index: 1 }]);
  const [own, there] = stored;
  expect(own?.keep).toBeUndefined();
  const kept = there?.keep?.();
  expect(kept).toMatchObject({ namespace: 'infra', source: 'prom', fingerprint: own?.fingerprint });
  expect(kept?.reports).toEqual(own?.reports);
  const often = routed([pay], created);
  await often.ingest.ingest(home, Array(10_000).fill(FIRING));
  expect(often.stored[0]?.keep?.().reports).toHaveLength(10_000);
});

it('keeps here what is routed into a namespace that is going away', async () => {
  const { ingest, stored, where } = routed([pay], (request) =>
    request.namespace === 'pay' ? { kind: 'gone', message: 'terminating' } : created(request),
  );
  const result = await ingest.ingest(home, [FIRING, { ...FIRING, index: 1 }]);
  expect(result).toMatchObject({ created: 1, unchanged: 1 });
  expect(result.gone).toBeUndefined();
  expect(where()).toEqual(['pay/platform', 'infra/prom']);
  expect(stored[1]?.reports).toHaveLength(2);
  expect(stored[1]?.reports[0].spec.sourceRef.name).toBe('prom');
});

it('notes when alerts were heard of that write nothing in etcd: what was written says so itself', async () => {
  const seen: string[] = [];
  const heard: string[] = [];
  const kinds = ['created', 'updated', 'unchanged', 'unavailable', 'refused'] as const;
  let n = 0;
  const ingest = createIngest({
    clock: new FakeClock(),
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    leases: {
      seen: (namespace, { fingerprint }) => seen.push(`${namespace}/${fingerprint}`),
      heard: ({ metadata }) => heard.push(metadata.name),
      missed: () => {},
    },
    store: {
      store: async () => {
        const kind = kinds[n++ % kinds.length] ?? 'created';
        return kind === 'unavailable' || kind === 'refused' ? { kind, message: kind } : { kind, name: kind };
      },
    },
  });
  await ingest.ingest(anAlertSource(), many(5));
  const fingerprints = many(5).map(({ input }) => identityOf(input, anAlertSource()).fingerprint);
  expect(seen).toEqual([`demo/${fingerprints[2]}`, `demo/${fingerprints[3]}`]);
  expect(heard).toEqual([]);
  const over = many(5).map((one) => ({ ...one, input: { ...one.input, state: 'Resolved' as const } }));
  await ingest.ingest(anAlertSource({ spec: { heartbeat: { every: '5m' } } }), over);
  expect(seen).toHaveLength(2);
  expect(heard).toEqual(['prom']);
});

it('takes no word of ours for a sign that the sender of a source lives', async () => {
  const heard: string[] = [];
  const ingest = createIngest({
    clock: new FakeClock(),
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    leases: { seen: () => {}, heard: ({ metadata }) => heard.push(metadata.name), missed: () => {} },
    store: { store: async () => ({ kind: 'created', name: 'test' }) },
  });
  const beating = anAlertSource({ spec: { heartbeat: { every: '5m' } } });
  await ingest.ingest(beating, many(1), { isOurs: true });
  expect(heard).toEqual([]);
  await ingest.ingest(beating, many(1));
  expect(heard).toEqual(['prom']);
});

it('takes the order in which a body says things of one fault for the order in which they happened', async () => {
  const over: Received['input'] = { ...FIRING.input, state: 'Resolved' };
  const stateAfter = async (...inputs: Received['input'][]) => {
    const { ingest, stored } = routed([home], created);
    await ingest.ingest(
      home,
      inputs.map((input, index) => ({ index, input })),
    );
    return mergeReports(undefined, stored[0]?.reports ?? expect.fail())?.state;
  };
  expect(await stateAfter(FIRING.input, over)).toBe('Resolved');
  expect(await stateAfter(over, FIRING.input)).toBe('Firing');
  expect(await stateAfter(over, FIRING.input, over)).toBe('Resolved');
  const since = { startsAt: Temporal.Instant.from('2026-01-01T12:00:00Z') };
  expect(await stateAfter({ ...over, ...since }, { ...FIRING.input, ...since })).toBe('Firing');
});

it('lets a fault of which a body says several things stand as the worst of them, and as new only where it fires', async () => {
  const source = anAlertSource({ spec: { dedup: { labels: ['alertname'] } } });
  const standing = async (...said: [severity: string, state?: 'Firing' | 'Resolved'][]) => {
    const { ingest, stored } = routed([source], created, { isNew: () => true });
    const told = said.map(([severity, state = 'Firing'], index) => ({
      index,
      input: { ...FIRING.input, state, labels: { alertname: 'A', severity } },
    }));
    await ingest.ingest(source, told);
    expect(stored).toHaveLength(1);
    return [stored[0]?.place?.severity, stored[0]?.place?.isNew];
  };
  expect(await standing(['low'], ['critical'], ['info'])).toEqual(['Critical', true]);
  expect(await standing(['low'], ['info'])).toEqual(['Low', true]);
  expect(await standing(['critical', 'Resolved'])).toEqual(['Critical', false]);
});

it('tells the sender which alerts lack a label of their identity, or name a time that cannot be, within a bound', async () => {
  const source = anAlertSource({ spec: { dedup: { labels: ['alertname', 'pod'] } } });
  const ahead = { startsAt: systemClock.now().add({ hours: 24 * 365 * 10 }) };
  const { ingest } = routed([source], created);
  const { warnings } = await ingest.ingest(source, [
    { index: 0, input: { ...FIRING.input, labels: { alertname: 'A', pod: 'p' } } },
    { index: 3, input: { ...FIRING.input, ...ahead } },
  ]);
  expect(warnings?.alerts).toBe(1);
  expect(warnings?.listed).toMatchObject([
    { index: 3, field: 'labels["pod"]', found: 'nothing', done: 'left out of the identity' },
    { index: 3, field: 'startsAt', found: ahead.startsAt.toString(), done: 'left out' },
  ]);
  const all = await ingest.ingest(
    source,
    many(500).map(({ index }) => ({ index, input: FIRING.input })),
  );
  expect([all.warnings?.alerts, all.warnings?.listed.length]).toEqual([500, INTAKE_PROBLEMS_LISTED]);
  expect((await routed([home], created).ingest.ingest(home, [FIRING])).warnings).toBeUndefined();
});

it('gives all of a body to a store that takes them together, and tells each what became of all', async () => {
  const given: StoreRequest[] = [];
  const seen: string[] = [];
  let outcome: StoreOutcome | undefined = { kind: 'inbox' };
  const ingest = createIngest({
    clock: new FakeClock(),
    log: silentLog(),
    metrics: createWebhookMetrics(createRegistry()),
    isBounded: true,
    leases: { seen: (_namespace, { fingerprint }) => seen.push(fingerprint), heard: () => {}, missed: () => {} },
    store: {
      store: async () => ({ kind: 'created', name: 'by-itself' }),
      together(requests) {
        given.push(...requests);
        return outcome && Promise.resolve(outcome);
      },
    },
  });
  const body = [...many(300), ...many(1)];
  expect(await ingest.ingest(anAlertSource(), body)).toMatchObject({ inbox: 301, created: 0, unavailable: 0 });
  expect(given.map(({ fingerprint }) => fingerprint)).toEqual(seen);
  expect([given.length, given[0]?.reports.length, given.every(({ place }) => place !== undefined)]).toEqual([
    300,
    2,
    true,
  ]);
  outcome = { kind: 'unavailable', message: 'both are away', retryAfterMs: 500 };
  expect(await ingest.ingest(anAlertSource(), many(3))).toMatchObject({ unavailable: 3, why: 'both are away' });
  outcome = undefined;
  expect(await ingest.ingest(anAlertSource(), many(3))).toMatchObject({ created: 3, unavailable: 0 });
});

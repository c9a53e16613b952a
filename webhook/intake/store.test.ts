import { toAlertSpec } from '@funnelai/domain/alert-input';
import { systemClock } from '@funnelai/kube/clock';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { FakeAlerts } from '../testing/fake-alerts.ts';
import { createKeyedLock } from './keyed-lock.ts';
import type { Report } from './report.ts';
import { createAlertStore, type StoreRequest } from './store.ts';

const minute = (n: number) => Temporal.Instant.from('2026-01-01T12:00:00Z').add({ minutes: n });
const START = minute(0);

function report(
  at: number,
  o: { state?: 'Firing' | 'Resolved'; startsAt?: Temporal.Instant | undefined } = {},
): Report {
  const input = {
    labels: { alertname: 'Down' },
    annotations: {},
    links: [],
    state: o.state ?? ('Firing' as const),
    startsAt: 'startsAt' in o ? o.startsAt : START,
    ...(o.state === 'Resolved' ? { endsAt: minute(at) } : {}),
  };
  return {
    spec: toAlertSpec(input, anAlertSource(), minute(at)).spec,
    startNamed: input.startsAt !== undefined,
    endNamed: o.state === 'Resolved',
  };
}

function aStore(fake = new FakeAlerts()) {
  const store = createAlertStore({
    client: fake.client,
    alerts: fake.cache,
    clock: systemClock,
    lock: createKeyedLock(),
  });
  const request = (...reports: [Report, ...Report[]]): StoreRequest => ({
    namespace: 'demo',
    source: 'prom',
    fingerprint: reports[0].spec.fingerprint,
    reports,
    demo: false,
  });
  const send = (...reports: [Report, ...Report[]]) => store.store(request(...reports), new AbortController().signal);
  return { fake, send, store, request };
}
const only = (fake: FakeAlerts) => [...fake.stored.values()][0];

describe('storing an alert', () => {
  it('never writes into an alert of another source, whatever its name', async () => {
    const { fake, send } = aStore();
    const mine = report(1);
    const name = `prom-${mine.spec.fingerprint.slice(0, 16)}`;
    fake.put(anAlert({ name, spec: { ...mine.spec, sourceRef: { name: 'other' } } }));
    expect(await send(mine)).toEqual({ kind: 'created', name: `prom-${mine.spec.fingerprint.slice(0, 24)}` });
    expect(fake.stored.get(name)?.spec.sourceRef.name).toBe('other');
  });

  it('creates it, writes a change, and makes no request at all for a repeat', async () => {
    const { fake, send } = aStore();
    expect(await send(report(1))).toMatchObject({ kind: 'created' });
    expect(await send(report(2))).toMatchObject({ kind: 'unchanged' });
    expect(await send(report(3, { startsAt: undefined }))).toMatchObject({ kind: 'unchanged' });
    expect(fake.calls).toEqual(['create']);
    expect(await send(report(4, { state: 'Resolved' }))).toMatchObject({ kind: 'updated' });
    expect(fake.calls).toEqual(['create', 'patch']);
    expect(only(fake)?.spec).toMatchObject({ state: 'Resolved', endsAt: '2026-01-01T12:04:00.000000Z' });
  });

  it('writes nothing for a report that alone makes no alert', async () => {
    const { fake, send } = aStore();
    const ending: Report = { ...report(1, { state: 'Resolved' }), only: 'Ending' };
    expect(await send(ending)).toMatchObject({ kind: 'unchanged' });
    expect(fake.calls).toEqual([]);
    expect(await send(ending, report(2), { ...ending, only: 'State' })).toMatchObject({ kind: 'created' });
    expect(only(fake)?.spec.state).toBe('Firing');
  });

  it('asks the API server when the cache may be old', async () => {
    const { fake, send } = aStore();
    fake.isFresh = false;
    await send(report(1));
    expect(await send(report(2))).toMatchObject({ kind: 'unchanged' });
    expect(fake.calls).toEqual(['get', 'create', 'get']);
  });

  it('joins one that another replica made in between, however late the cache hears of it', async () => {
    const { fake, send } = aStore();
    fake.cached = new Map();
    await send(report(1));
    expect(await send(report(2, { state: 'Resolved' }))).toMatchObject({ kind: 'updated' });
    expect(fake.stored.size).toBe(1);
    expect(fake.calls).toEqual(['create', 'create', 'get', 'patch']);
  });

  it('reads anew when someone changed it between read and write, and loses neither', async () => {
    const { fake, send } = aStore();
    await send(report(1));
    const held = only(fake);
    fake.beforeWrite = () => {
      fake.beforeWrite = undefined;
      if (held !== undefined) fake.put({ ...held, status: { explanation: 'someone was here' } });
    };
    expect(await send(report(2, { state: 'Resolved' }))).toMatchObject({ kind: 'updated' });
    expect(only(fake)).toMatchObject({ spec: { state: 'Resolved' }, status: { explanation: 'someone was here' } });
  });

  it('takes a lost answer for "perhaps stored": it looks, and does not write twice', async () => {
    const { fake, send } = aStore();
    fake.faults = ['lostAnswer'];
    expect(await send(report(1))).toMatchObject({ kind: 'unchanged' });
    expect(fake.calls).toEqual(['create', 'get']);
    fake.faults = ['lostAnswer'];
    fake.calls.length = 0;
    expect(await send(report(2, { state: 'Resolved' }))).toMatchObject({ kind: 'unchanged' });
    expect(fake.calls).toEqual(['patch', 'get']);
  });

  it('creates it when it was deleted while it was being changed', async () => {
    const { fake, send } = aStore();
    await send(report(1));
    fake.beforeWrite = () => {
      fake.beforeWrite = undefined;
      fake.stored.clear();
    };
    expect(await send(report(2, { state: 'Resolved' }))).toMatchObject({ kind: 'created' });
    expect(only(fake)?.spec.state).toBe('Resolved');
  });

  it('takes a longer name when another fingerprint holds the usual one', async () => {
    const { fake, send } = aStore();
    const mine = report(1);
    const usual = `prom-${mine.spec.fingerprint.slice(0, 16)}`;
    fake.put(anAlert({ name: usual, spec: { fingerprint: `${mine.spec.fingerprint.slice(0, 16)}${'0'.repeat(48)}` } }));
    expect(await send(mine)).toEqual({ kind: 'created', name: `prom-${mine.spec.fingerprint.slice(0, 24)}` });
    expect(await send(report(2))).toMatchObject({
      kind: 'unchanged',
      name: `prom-${mine.spec.fingerprint.slice(0, 24)}`,
    });
  });

  it('merges what came twice in one body into one write', async () => {
    const { fake, send } = aStore();
    expect(await send(report(1), report(1), report(1, { state: 'Resolved' }))).toMatchObject({ kind: 'created' });
    expect(fake.calls).toEqual(['create']);
    expect(only(fake)?.spec.state).toBe('Resolved');
  });

  it('lets a hundred senders of one new fault make one object with one write', async () => {
    const { fake, send } = aStore();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => send(report(1))));
    expect(outcomes.filter((o) => o.kind === 'created')).toHaveLength(1);
    expect(fake.calls).toEqual(['create']);
  });
});

describe('what cannot be stored', () => {
  it('is to be sent again while the API server is away, or our own rights are missing', async () => {
    const away = aStore();
    away.fake.isAway = true;
    expect(await away.send(report(1))).toMatchObject({ kind: 'unavailable' });
    const forbidden = aStore();
    forbidden.fake.faults = ['forbidden'];
    expect(await forbidden.send(report(1))).toMatchObject({ kind: 'unavailable' });
    expect(forbidden.fake.calls).toHaveLength(1);
  });

  it('is refused for good when the API server will never take it, and gone with its namespace', async () => {
    const { fake, send } = aStore();
    fake.faults = ['invalid', 'terminating'];
    expect(await send(report(1))).toMatchObject({ kind: 'refused' });
    expect(await send(report(1))).toMatchObject({ kind: 'gone' });
    expect(fake.calls).toEqual(['create', 'create']);
  });

  it('gets through a short outage within one request', async () => {
    const { fake, send } = aStore();
    fake.faults = ['refusedConnection', 'refusedConnection'];
    expect(await send(report(1))).toMatchObject({ kind: 'created' });
  });

  it('is never said to be stored on an object that is being deleted', async () => {
    const { fake, send } = aStore();
    await send(report(1));
    const held = only(fake);
    if (held !== undefined)
      fake.put({ ...held, metadata: { ...held.metadata, deletionTimestamp: '2026-01-01T12:01:00Z' } });
    expect(await send(report(2))).toMatchObject({ kind: 'unavailable' });
  });

  it('is given up when the time is over', async () => {
    const { fake, store, request } = aStore();
    const abort = new AbortController();
    abort.abort();
    expect(await store.store(request(report(1)), abort.signal)).toMatchObject({ kind: 'unavailable' });
    expect(fake.calls).toEqual([]);
  });
});

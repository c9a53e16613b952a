/** Two replicas, a storm at one source with room for forty, alerts that come and go, Postgres that goes away: whatever the order, each alert is one. */
import type { Alert, AlertSpec, CorrelationRule } from '@funnelai/crds/generated/types';
import { fingerprintOf } from '@funnelai/domain/fingerprint';
import { silentReport } from '@funnelai/domain/heartbeat';
import { formatMicros } from '@funnelai/domain/instants';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { FoldedAlert, FoldKey, FoldStore } from '@funnelai/history/folded';
import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';
import { IndexedCache } from '@funnelai/kube/indexed-cache';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ETCD_PATIENCE_MS } from '../limits.ts';
import { anAlertSource } from '../testing/builders.ts';
import { createFoldingStore } from './folding-store.ts';
import { createFolds } from './folds.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { createLiveBook } from './live-book.ts';
import { createOverflows } from './overflows.ts';
import type { Report } from './report.ts';
import { createAlertStore, type StoreOutcome, type StoreRequest } from './store.ts';

const MOST = 40;
const COUNTED_MS = 40_000;

/** An API server for Alerts in memory; each replica's cache is told of changes when it catches up. */
function aCluster() {
  const stored = new Map<string, Alert>();
  const caches: IndexedCache<Alert>[] = [];
  const untold: { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Alert }[][] = [];
  let version = 10;
  const fate = { isNamespaceGone: false };
  const refuse = (status: number, reason: string): never => {
    throw new KubeError({ status, reason, message: reason, transient: reason === 'Conflict' });
  };
  function tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Alert): void {
    for (const list of untold) list.push({ type, object });
  }
  function write(type: 'ADDED' | 'MODIFIED', alert: Alert): Alert {
    version += 1;
    const { uid = `uid-${version}` } = alert.metadata;
    const next = { ...alert, metadata: { ...alert.metadata, uid, resourceVersion: String(version) } };
    stored.set(alert.metadata.name, next);
    tell(type, next);
    return next;
  }
  const client = {
    get: async (_r: unknown, { name }: { name: string }) => stored.get(name) ?? refuse(404, 'NotFound'),
    create: async (_r: unknown, alert: Alert) => {
      if (fate.isNamespaceGone) throw namespaceGone();
      return stored.has(alert.metadata.name) ? refuse(409, 'AlreadyExists') : write('ADDED', alert);
    },
    mergePatch: async (_r: unknown, { name }: { name: string }, patch: Alert) => {
      const held = stored.get(name) ?? refuse(404, 'NotFound');
      if (held.metadata.resourceVersion !== patch.metadata.resourceVersion) refuse(409, 'Conflict');
      return write('MODIFIED', { ...held, spec: merged(held.spec, patch.spec) as AlertSpec });
    },
  } as unknown as KubeClient;
  return {
    client,
    stored,
    fate,
    aCache(clock: FakeClock): IndexedCache<Alert> {
      const cache = new IndexedCache<Alert>({ name: 'alerts', clock, log: silentLog(), fresh: () => true });
      cache.replace([], '10');
      caches.push(cache);
      untold.push([]);
      return cache;
    },
    catchUp(replica: number): void {
      for (const { type, object } of untold[replica]?.splice(0) ?? []) caches[replica]?.applyEvent(type, object);
    },
    /** Deletes them, as retention does with what has resolved. */
    clear(isGoing = ({ spec }: Alert) => spec.state !== 'Firing'): void {
      for (const alert of [...stored.values()].filter(isGoing)) {
        version += 1;
        stored.delete(alert.metadata.name);
        tell('DELETED', { ...alert, metadata: { ...alert.metadata, resourceVersion: String(version) } });
      }
    },
  };
}

const namespaceGone = () =>
  new KubeError({
    status: 404,
    reason: 'NotFound',
    message: 'namespaces "demo" not found',
    transient: false,
    details: { kind: 'namespaces', name: 'demo' },
  });

/** A merge patch (RFC 7396). */
function merged(held: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const next = new Map(Object.entries((held as object | undefined) ?? {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) next.delete(key);
    else next.set(key, merged(next.get(key), value));
  }
  return Object.fromEntries(next);
}

/** Postgres in memory, as far as folded alerts go. */
function aFoldStore() {
  const rows = new Map<string, FoldedAlert>();
  const textOf = (key: FoldKey) => `${key.namespace}/${key.source}/${key.fingerprint}`;
  const state = { isAway: false, isMute: false };
  const ask =
    <T>(work: () => T) =>
    async (): Promise<T> => {
      if (state.isMute) await new Promise(() => {});
      if (state.isAway) throw new HistoryUnavailable('away');
      return work();
    };
  const isCounted = (row: FoldedAlert) => row.leftAt === undefined;
  const store: Pick<FoldStore, 'put' | 'find' | 'leave' | 'counts' | 'firing' | 'abandon'> = {
    put: (folds, at) =>
      ask(() =>
        folds.map((fold) => {
          const row = rows.get(textOf(fold));
          const counted = row !== undefined && isCounted(row);
          const spec = fold.merge(row?.spec);
          const before = counted ? row.spec.state : undefined;
          const overflow = before === 'Firing' && row !== undefined ? row.overflow : fold.overflow;
          if (counted && fold.isSame(row.spec, spec))
            return { outcome: 'unchanged' as const, spec, before, overflow: row.overflow };
          const { namespace, source, fingerprint, name } = fold;
          rows.set(textOf(fold), { namespace, source, fingerprint, name, overflow, spec, foldedAt: at });
          return { outcome: counted ? ('updated' as const) : ('created' as const), spec, before, overflow };
        }),
      )(),
    find: (keys) => ask(() => keys.flatMap((key) => rows.get(textOf(key)) ?? []).filter(isCounted))(),
    leave: (keys, at) =>
      ask(() =>
        keys.filter((key) => {
          const row = rows.get(textOf(key));
          if (row === undefined || !isCounted(row)) return false;
          rows.set(textOf(key), { ...row, leftAt: at });
          return true;
        }),
      )(),
    counts: (overflows) =>
      ask(() =>
        overflows.map(({ namespace, overflow, since }) => {
          const mine = [...rows.values()].filter(
            (row) =>
              row.overflow === overflow &&
              isCounted(row) &&
              (row.spec.state === 'Firing' || row.spec.receivedAt >= since),
          );
          const firing = mine.filter(({ spec }) => spec.state === 'Firing').length;
          return {
            namespace,
            overflow,
            count: mine.length,
            firing,
            severity: firing > 0 ? ('Medium' as const) : undefined,
          };
        }),
      )(),
    abandon: ({ overflow }, at) =>
      ask(() => {
        for (const [key, row] of rows) if (row.overflow === overflow) rows.set(key, { ...row, leftAt: at });
      })(),
    firing: (namespace) =>
      ask(() =>
        [...rows.values()].filter(
          (row) =>
            isCounted(row) && row.spec.state === 'Firing' && (namespace === undefined || row.namespace === namespace),
        ),
      )(),
  };
  return { rows, state, store: store as FoldStore, isCounted };
}

function aWorld({ namespace }: { namespace?: string } = {}) {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const cluster = aCluster();
  const postgres = aFoldStore();
  const log = silentLog();
  const source = anAlertSource({ spec: { limits: { maxLiveAlerts: MOST } } });
  /** The first list is in; a story may take that back. */
  const start = { isSynced: true };
  const none = { list: () => [] as CorrelationRule[], subscribe: () => () => {} };
  const replicas = [0, 1].map((replica) => {
    const alerts = cluster.aCache(clock);
    const lock = createKeyedLock();
    const live = createLiveBook({ alerts, rules: none });
    const folds = createFolds({ store: postgres.store, clock, log });
    const overflows = createOverflows({ client: cluster.client, alerts, namespace, live, folds, lock, clock, log });
    const store = createFoldingStore({
      store: createAlertStore({ client: cluster.client, alerts, clock, lock }),
      alerts: {
        get: (namespace, name) => alerts.get(namespace, name),
        get synced() {
          return start.isSynced;
        },
      },
      sources: { get: () => source },
      live,
      folds,
      overflows,
      lock,
      log,
      metrics: { folded: () => {}, limitReached: () => {} },
    });
    overflows.start();
    return { store, catchUp: () => cluster.catchUp(replica) };
  });
  /** A second passes with each report. */
  async function send(
    replica: number,
    i: number,
    state: 'Firing' | 'Resolved',
    only?: 'Ending',
  ): Promise<StoreOutcome> {
    await clock.advance(1_000);
    return sendNow(replica, i, state, `Fault${i % 3}`, only);
  }
  async function sendNow(
    replica: number,
    i: number,
    state: 'Firing' | 'Resolved',
    alertname = `Fault${i % 3}`,
    only?: 'Ending',
  ): Promise<StoreOutcome> {
    const at = formatMicros(clock.now());
    const labels = { alertname, pod: `p-${i}` };
    const { fingerprint } = fingerprintOf(labels);
    const startsAt = starts.get(i) ?? formatMicros(clock.now().subtract({ milliseconds: 500 }));
    starts.set(i, startsAt);
    if (state === 'Resolved') starts.delete(i);
    const spec: AlertSpec = {
      sourceRef: { name: 'prom' },
      fingerprint,
      state,
      severity: 'Medium',
      title: 'x',
      labels,
      startsAt,
      receivedAt: at,
      ...(state === 'Resolved' && { endsAt: at }),
    };
    return store({ spec, startNamed: true, endNamed: true, ...(only && { only }) }, replica);
  }
  function store(report: Report, replica = 0): Promise<StoreOutcome> {
    const { fingerprint } = report.spec;
    const request: StoreRequest = { namespace: 'demo', source: 'prom', fingerprint, reports: [report], demo: false };
    return (replicas[replica] as (typeof replicas)[0]).store.store(request, new AbortController().signal);
  }
  const starts = new Map<number, string>();
  const catchUp = () => {
    for (const replica of replicas) replica.catchUp();
  };
  /** Time enough for the counts of both replicas. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 4; i += 1) {
      catchUp();
      await clock.advance(COUNTED_MS / 4);
    }
    catchUp();
  }
  const overflows = () => [...cluster.stored.values()].filter(({ spec }) => spec.folded !== undefined);
  const live = () =>
    [...cluster.stored.values()]
      .filter(({ spec }) => spec.folded === undefined && spec.state === 'Firing')
      .map(({ spec }) => spec.labels?.pod ?? '');
  const folded = () =>
    [...postgres.rows.values()]
      .filter((row) => postgres.isCounted(row) && row.spec.state === 'Firing')
      .map(({ spec }) => spec.labels?.pod ?? '');
  const counted = () => overflows().reduce((sum, { spec }) => sum + (spec.folded?.firing ?? 0), 0);
  return {
    clock,
    cluster,
    postgres,
    source,
    start,
    store,
    send,
    sendNow,
    settle,
    catchUp,
    starts,
    live,
    folded,
    counted,
    overflows,
  };
}
const isStored = ({ kind }: StoreOutcome) => kind === 'created' || kind === 'updated' || kind === 'unchanged';

describe('a source at its bound', () => {
  it('folds what finds no room, one overflow Alert for each kind, and lets it out again when there is room', async () => {
    const world = aWorld();
    for (let i = 0; i < 60; i += 1) {
      expect(await world.send(0, i, 'Firing')).toMatchObject({ kind: 'created' });
      world.catchUp();
    }
    expect(world.cluster.stored.size).toBeLessThanOrEqual(MOST);
    expect([world.live().length, world.folded().length]).toEqual([36, 24]);
    await world.settle();
    expect(world.counted()).toBe(24);
    for (let i = 0; i < 12; i += 1) await world.send(0, i, 'Resolved');
    world.cluster.clear();
    world.catchUp();
    for (let i = 12; i < 60; i += 1) await world.send(0, i, 'Firing');
    await world.settle();
    expect([world.live().length, world.folded().length, world.counted()]).toEqual([33, 15, 15]);
  });

  it('keeps its bound when all of it comes at once, and room for a new name when all is of one', async () => {
    const world = aWorld();
    const all = Array.from({ length: 100 }, (_, i) => i);
    await Promise.all(all.map((i) => world.sendNow(0, i, 'Firing', 'Storm')));
    expect([world.live().length, world.cluster.stored.size]).toEqual([36, 37]);
    await world.sendNow(0, 1_000, 'Firing', 'Other');
    expect(world.live()).toContain('p-1000');
    await Promise.all(all.map((i) => world.sendNow(0, 2_000 + i, 'Firing', `Name${i}`)));
    expect(world.cluster.stored.size).toBeLessThanOrEqual(MOST);
    expect(world.live().length + world.folded().length).toBe(201);
  });

  it('stores nothing before it knows how many there are', async () => {
    const world = aWorld();
    world.start.isSynced = false;
    expect(await world.send(0, 1, 'Firing')).toMatchObject({ kind: 'unavailable' });
    world.start.isSynced = true;
    expect(await world.send(0, 1, 'Firing')).toMatchObject({ kind: 'created' });
  });

  it('answers what cannot be stored as such while Postgres is away, and nothing else', async () => {
    const world = aWorld();
    for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
    world.postgres.state.isAway = true;
    expect(await world.send(0, 0, 'Firing')).toMatchObject({ kind: 'unchanged' });
    expect(await world.send(0, 0, 'Resolved')).toMatchObject({ kind: 'updated' });
    expect(await world.send(0, 99, 'Firing')).toMatchObject({ kind: 'unavailable' });
    world.postgres.state.isAway = false;
    await world.clock.advance(5_000);
    expect(await world.send(0, 99, 'Firing')).toMatchObject({ kind: 'created' });
  });

  it('does not blame the API server for a Postgres that is away', async () => {
    const world = aWorld();
    for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
    world.postgres.state.isAway = true;
    expect(await world.send(0, 99, 'Firing')).toMatchObject({ kind: 'unavailable', isAnswered: true });
    expect(await world.send(0, 49, 'Resolved', 'Ending')).toMatchObject({ kind: 'unavailable', isAnswered: true });
    world.postgres.state.isAway = false;
    await world.clock.advance(5_000);
    expect(await world.send(0, 49, 'Resolved', 'Ending')).toMatchObject({ kind: 'updated' });
    expect(world.folded()).not.toContain('p-49');
  });

  it('does not let what has room wait for a Postgres that hangs', async () => {
    const world = aWorld();
    const all = Array.from({ length: 50 }, (_, i) => i);
    await Promise.all(all.map((i) => world.sendNow(0, i, 'Firing', 'Storm')));
    await world.settle();
    world.postgres.state.isMute = true;
    const outcomes: StoreOutcome[] = [];
    for (const [i, state] of [[1_000, 'Firing'] as const, [0, 'Resolved'] as const])
      void world.sendNow(0, i, state, i === 0 ? 'Storm' : 'Other').then((outcome) => outcomes.push(outcome));
    await world.clock.advance(ETCD_PATIENCE_MS / 2);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['created', 'updated']);
  });

  it('says by an Alert of its own that the source fell silent, however full it is', async () => {
    const world = aWorld();
    const all = Array.from({ length: 200 }, (_, i) => i);
    await Promise.all(all.map((i) => world.sendNow(0, i, 'Firing', `Name${i}`)));
    expect(world.cluster.stored.size).toBe(MOST);
    const spec = silentReport(world.source, '2026-01-01T11:00:00Z', world.clock.now());
    await world.store({ spec, startNamed: true, endNamed: true });
    expect([...world.cluster.stored.values()].map((alert) => alert.spec.fingerprint)).toContain(spec.fingerprint);
  });

  it('leaves the folded alerts of other namespaces to those who may write there', async () => {
    for (const [namespace, made] of [
      ['elsewhere', 0],
      ['demo', 1],
    ] as const) {
      const world = aWorld({ namespace });
      for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
      await world.settle();
      const name = world.overflows()[0]?.metadata.name;
      world.cluster.clear(({ metadata }) => metadata.name === name);
      await world.settle();
      expect(world.overflows().filter(({ metadata }) => metadata.name === name)).toHaveLength(made);
    }
  });

  it('makes anew the overflow Alert that somebody has deleted while alerts of it fire', async () => {
    const world = aWorld();
    for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
    await world.settle();
    const before = world.counted();
    world.cluster.clear(({ spec }) => spec.folded !== undefined);
    expect(world.overflows()).toEqual([]);
    await world.settle();
    expect(world.counted()).toBe(before);
    expect(before).toBe(world.folded().length);
  });
});

it('what is folded goes with its namespace: nobody tries for ever to make the Alert that counts it', async () => {
  const world = aWorld();
  for (let i = 0; i < 50; i += 1) await world.send(0, i, 'Firing');
  world.cluster.fate.isNamespaceGone = true;
  world.cluster.clear(() => true);
  await world.settle();
  expect([world.cluster.stored.size, world.folded()]).toEqual([0, []]);
});

const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.tuple(fc.constant('fire' as const), fc.nat(1), fc.nat(79)) },
    { weight: 6, arbitrary: fc.tuple(fc.constant('resolve' as const), fc.nat(1), fc.nat(79)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('catchUp' as const), fc.nat(1), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), fc.constant(0), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('away' as const), fc.constant(0), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('back' as const), fc.constant(0), fc.constant(0)) },
  ),
  { minLength: 60, maxLength: 260 },
);

it('whatever comes in whatever order, each alert that was answered as stored is there once, and counted', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const world = aWorld();
      /** What was answered as stored last, by alert. */
      const told = new Map<number, 'Firing' | 'Resolved'>();
      for (const [what, replica, i] of run) {
        if (what === 'catchUp') world.cluster.catchUp(replica);
        else if (what === 'clear') {
          // Retention comes seconds after an end; no watch that works is behind by that.
          world.catchUp();
          world.cluster.clear();
          world.catchUp();
        } else if (what === 'away' || what === 'back') world.postgres.state.isAway = what === 'away';
        else {
          const state = what === 'fire' ? 'Firing' : 'Resolved';
          if (state === 'Resolved' && told.get(i) !== 'Firing') continue;
          const outcome = await world.send(replica, i, state);
          if (isStored(outcome)) told.set(i, state);
          else told.delete(i);
        }
      }
      world.postgres.state.isAway = false;
      await world.settle();
      const inside = () => [...world.live(), ...world.folded()];
      for (const [i, state] of told) if (state === 'Firing') expect(inside()).toContain(`p-${i}`);
      // Senders repeat what fires: after that each is there once, and the counts are right.
      const firing = [...world.starts.keys()];
      for (const i of firing) {
        expect(isStored(await world.send(0, i, 'Firing'))).toBe(true);
        world.catchUp();
      }
      await world.settle();
      const pods = firing.map((i) => `p-${i}`).sort();
      for (const pod of pods) expect(inside().filter((one) => one === pod)).toHaveLength(1);
      expect(world.counted()).toBe(world.folded().length);
      for (let i = 0; i < 80; i += 1) {
        await world.send(1, i, 'Resolved');
        world.catchUp();
      }
      await world.settle();
      expect([world.live(), world.folded()]).toEqual([[], []]);
      expect(world.overflows().filter(({ spec }) => spec.state === 'Firing')).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 120_000);

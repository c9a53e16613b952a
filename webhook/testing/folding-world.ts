/** Two replicas at one source with room for forty, an API server and a Postgres in memory: the stage for stories about folded alerts. */
import type { Alert, AlertSource, AlertSpec, CorrelationRule } from '@funnelai/crds/generated/types';
import { dedupHashOf } from '@funnelai/domain/dedup-identity';
import { fingerprintOf } from '@funnelai/domain/fingerprint';
import { formatMicros } from '@funnelai/domain/instants';
import type { Gap } from '@funnelai/history/leases';
import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';
import { IndexedCache } from '@funnelai/kube/indexed-cache';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { createFoldingStore } from '../intake/folding-store.ts';
import { createFolds } from '../intake/folds.ts';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import { createLiveBook } from '../intake/live-book.ts';
import { createOverflows } from '../intake/overflows.ts';
import type { Report } from '../intake/report.ts';
import { createAlertStore, type StoreOutcome, type StoreRequest } from '../intake/store.ts';
import { knownOf } from '../leases/decide.ts';
import { createFoldedExpiry } from '../leases/folded.ts';
import { anAlertSource } from './builders.ts';
import { MemoryFolds } from './memory-folds.ts';
import { merged } from './merged.ts';

export const MOST = 40;
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

export function aFoldingWorld({ namespace, expireAfter }: { namespace?: string; expireAfter?: string } = {}) {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const cluster = aCluster();
  const postgres = new MemoryFolds();
  const log = silentLog();
  const source = anAlertSource({
    spec: { limits: { maxLiveAlerts: MOST }, ...(expireAfter !== undefined && { expireAfter }) },
  });
  /** What its AlertSource is now; undefined once it is deleted. */
  const current: { source: AlertSource | undefined } = { source };
  /** As a person does who edits it. */
  function editSource(dedup: NonNullable<AlertSource['spec']['dedup']>): void {
    const { metadata, spec } = current.source ?? source;
    const generation = (metadata.generation ?? 1) + 1;
    current.source = { ...source, metadata: { ...metadata, generation }, spec: { ...spec, dedup } };
  }
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
      sources: { get: () => current.source },
      live,
      folds,
      overflows,
      lock,
      log,
      metrics: { folded: () => {}, limitReached: () => {} },
    });
    overflows.start();
    return { store, alerts, catchUp: () => cluster.catchUp(replica) };
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
    leaseMs?: number,
  ): Promise<StoreOutcome> {
    const at = formatMicros(clock.now());
    const labels = { alertname, pod: `p-${i}` };
    const dedup = current.source?.spec.dedup;
    const { fingerprint } = fingerprintOf(labels, dedup);
    const startsAt = starts.get(i) ?? formatMicros(clock.now().subtract({ milliseconds: 500 }));
    starts.set(i, startsAt);
    if (state === 'Resolved') starts.delete(i);
    const spec: AlertSpec = {
      sourceRef: { name: 'prom' },
      fingerprint,
      dedupHash: dedupHashOf(dedup),
      state,
      severity: 'Medium',
      title: 'x',
      labels,
      startsAt,
      receivedAt: at,
      ...(state === 'Resolved' && { endsAt: at }),
      ...(leaseMs !== undefined && { leaseUntil: formatMicros(clock.now().add({ milliseconds: leaseMs })) }),
    };
    return store({ spec, startNamed: true, endNamed: true, ...(only && { only }) }, replica);
  }
  async function store(report: Report, replica = 0): Promise<StoreOutcome> {
    const { fingerprint, state, receivedAt, leaseUntil } = report.spec;
    const request: StoreRequest = { namespace: 'demo', source: 'prom', fingerprint, reports: [report], demo: false };
    const outcome = await replicaOf(replica).store.store(request, new AbortController().signal);
    // As the intake has it, and the collector of leases.
    if (outcome.kind === 'unchanged' && state === 'Firing') hear(fingerprint, receivedAt, leaseUntil);
    return outcome;
  }
  function hear(fingerprint: string, lastSeen: string, leaseUntil?: string): void {
    const lease = { lastSeen, ...(leaseUntil !== undefined && { leaseUntil }) };
    postgres.heard.set(MemoryFolds.keyOf({ namespace: 'demo', source: 'prom', fingerprint }), lease);
  }
  /** The time of day moves; timers do not notice. */
  const later = (ms: number): void => clock.set(clock.now().add({ milliseconds: ms }));
  const replicaOf = (replica: number) => replicas[replica] as (typeof replicas)[0];
  const beganAt = formatMicros(clock.now());
  const expiry = createFoldedExpiry({
    store: postgres.leases,
    alerts: replicaOf(0).alerts,
    sources: { get: () => current.source },
    namespace,
    clock,
    metrics: { expired: () => {}, limitReached: () => {} },
  });
  /** The first replica looks for leases that ran out; all is known but for the gaps. */
  async function expire(gaps: readonly Gap[] = [], mayAct = () => true): Promise<void> {
    const known = knownOf({ beganAt, knownUntil: formatMicros(clock.now()), gaps });
    if (known !== undefined) await expiry.pass(known, mayAct);
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
  const folded = () => postgres.firing().map(({ labels }) => labels?.pod ?? '');
  const counted = () => overflows().reduce((sum, { spec }) => sum + (spec.folded?.firing ?? 0), 0);
  return {
    clock,
    later,
    cluster,
    postgres,
    hear,
    expire,
    source,
    current,
    editSource,
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

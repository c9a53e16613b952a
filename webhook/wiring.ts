/** Makes the running webhook out of its parts: caches, intake, API. Whoever calls it starts and stops them. */

import type { Alert, AlertSource, CorrelationRule, Incident } from '@funnelai/crds/generated/types';
import {
  ALERT_SOURCES,
  ALERTS,
  CORRELATION_RULES,
  INCIDENTS,
  type KubeObject,
  type Resource,
} from '@funnelai/crds/meta';
import { alertName } from '@funnelai/domain/fingerprint';
import type { DrainLock } from '@funnelai/history/drain-lock';
import type { FoldStore } from '@funnelai/history/folded';
import type { DatabasePool } from '@funnelai/history/pool';
import type { Queries } from '@funnelai/history/queries';
import type { RepeatStore } from '@funnelai/history/repeats';
import { schemaOf } from '@funnelai/history/schema';
import type { SourceTrafficStore } from '@funnelai/history/source-traffic';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { NAMESPACES } from '@funnelai/kube/core-kinds';
import type { Log } from '@funnelai/kube/log';
import type { Metrics } from '@funnelai/kube/metrics';
import { createReflector, type Reflector } from '@funnelai/kube/reflector';
import { BY_INCIDENT, BY_NAMESPACE, incidentKey } from './api/context.ts';
import { createHistoryReader } from './api/history-reader.ts';
import { createWelcomeReader } from './api/welcome.ts';
import { type App, buildApp } from './app.ts';
import { createAccessChecks } from './auth/access.ts';
import { createIdentities } from './auth/identity.ts';
import { createRateBound } from './auth/rate.ts';
import { createSignInLinks } from './auth/sign-in-link.ts';
import { noInbox } from './inbox/by-source.ts';
import { createLateStores } from './inbox/late-stores.ts';
import { createSchemaWatch, noSchemaWatch } from './inbox/schema-watch.ts';
import { scopeOfCluster, scopeOfNamespace } from './inbox/scope.ts';
import { createSpareWithoutDatabase } from './inbox/spare.ts';
import { wireTwoStores } from './inbox/wiring.ts';
import { createFiresFolded, createFoldingStore } from './intake/folding-store.ts';
import { createFolds } from './intake/folds.ts';
import { createForesight } from './intake/foresight.ts';
import { createIngest } from './intake/ingest.ts';
import { isAnswered } from './intake/is-live.ts';
import { createKeyedLock } from './intake/keyed-lock.ts';
import { createLiveBook } from './intake/live-book.ts';
import { createOverflows } from './intake/overflows.ts';
import { createRatedStore } from './intake/rated-store.ts';
import { createRepeatCounter, noRepeats } from './intake/repeats.ts';
import { BY_ORIGIN, createRouting, originsOf } from './intake/routing.ts';
import { createSecretsAhead } from './intake/secrets-ahead.ts';
import { createSourceAuth } from './intake/source-auth.ts';
import { createSourceLookup } from './intake/source-lookup.ts';
import { createSourceRates } from './intake/source-rates.ts';
import { createAlertStore } from './intake/store.ts';
import { createTestAlertEnd } from './intake/test-alert-end.ts';
import { createTurnedAway, notingTurnedAway } from './intake/turned-away.ts';
import { type KeptLeases, type Leases, wireLeases } from './leases/wiring.ts';
import { createWebhookMetrics } from './metrics.ts';
import { createReceivers } from './receivers/registry.ts';
import type { Readiness } from './server/health.ts';
import { createTrafficRecorder } from './traffic/recorder.ts';
import { createStatusWriter } from './traffic/status-writer.ts';

export interface WebhookParts {
  client: KubeClient;
  queries: Queries | undefined;
  /** Where repeats of alerts are counted; nowhere without a database. */
  repeats?: RepeatStore | undefined;
  /** Where the inbox lies, a pool of its own; without a database etcd is the only store. */
  inboxPool?: DatabasePool | undefined;
  /** Where it is kept when alerts were last heard of, and who may act upon it; without a database nothing expires. */
  leases?: (KeptLeases & { lock: DrainLock }) | undefined;
  /** Where alerts are kept that find no room as objects; without it a source at its bound is answered 503. */
  folds?: FoldStore | undefined;
  /** Where what comes to sources is counted for all replicas; without a database each has its own. */
  traffic?: SourceTrafficStore | undefined;
  /** All three by a pool: then they belong to the cluster that the inbox belongs to. What lies there is counted over it, too. */
  pool?: DatabasePool | undefined;
  clock: Clock;
  log: Log;
  registry: Metrics;
  /** Serves only this one, and needs rights in no other; all of them when absent. */
  namespace?: string | undefined;
  host: string;
  uiDir: string | undefined;
  signInFile: string | undefined;
  welcomeFile: string | undefined;
}
export interface Webhook extends App {
  readiness: Readiness;
  /** What is otherwise done by the clock: writes what was heard; looks for what expired. */
  leases: Pick<Leases, 'flush' | 'pass'>;
  /** The sources as it knows them now. */
  sources: Pick<Cache<AlertSource>, 'get'>;
  /** Starts to read; returns at once. */
  start(): void;
  /** Says "not ready", ends the streams, answers what is open, stops reading. */
  stop(): Promise<void>;
}

export async function createWebhook(parts: WebhookParts): Promise<Webhook> {
  const { client, clock, log, registry } = parts;
  const metrics = createWebhookMetrics(registry);
  const reflect = <T extends KubeObject>(
    resource: Resource,
    indexers: Record<string, (o: T) => string[]> = {},
  ): Reflector<T> =>
    createReflector<T>({ client, resource, namespace: parts.namespace, indexers, clock, log, metrics: registry });
  const byNamespace = (o: KubeObject) => [o.metadata.namespace ?? ''];
  const sources = reflect<AlertSource>(ALERT_SOURCES, { [BY_ORIGIN]: originsOf, [BY_NAMESPACE]: byNamespace });
  const incidents = reflect<Incident>(INCIDENTS, { [BY_NAMESPACE]: byNamespace });
  const alerts = reflect<Alert>(ALERTS, { [BY_NAMESPACE]: byNamespace, [BY_INCIDENT]: incidentOf });
  // Which others there are is not for who has rights in one.
  const namespaces = parts.namespace === undefined ? reflect<KubeObject>(NAMESPACES) : undefined;
  const rules = reflect<CorrelationRule>(CORRELATION_RULES, { [BY_NAMESPACE]: byNamespace });
  const needed: [string, Cache<KubeObject>][] = [
    ['alert sources', sources.cache as unknown as Cache<KubeObject>],
    ['incidents', incidents.cache as unknown as Cache<KubeObject>],
    ['alerts', alerts.cache as unknown as Cache<KubeObject>],
  ];
  let stopping = false;
  const readiness: Readiness = {
    missing: () => [
      ...needed.filter(([, cache]) => !cache.synced).map(([what]) => `${what} are not read yet`),
      ...(stopping ? ['shutting down'] : []),
    ],
  };
  const repeats =
    parts.repeats === undefined
      ? noRepeats
      : createRepeatCounter({ alerts: alerts.cache, store: parts.repeats, clock, log, metrics });
  const lock = createKeyedLock();
  const live = createLiveBook({ alerts: alerts.cache, rules: rules.cache });
  const { inboxPool, pool } = parts;
  const late = pool && createLateStores(pool);
  const foldStore = parts.folds ?? late?.folds;
  const folds = foldStore && createFolds({ store: foldStore, clock, log });
  const overflows = createOverflows({
    client,
    alerts: alerts.cache,
    namespace: parts.namespace,
    live,
    folds,
    lock,
    clock,
    log,
  });
  const turnedAway = createTurnedAway(clock);
  const schema = pool ? createSchemaWatch({ read: () => schemaOf(pool), clock, log, metrics }) : noSchemaWatch;
  const etcd = createFoldingStore({
    store: createAlertStore({ client, alerts: alerts.cache, clock, lock }),
    alerts: alerts.cache,
    sources: sources.cache,
    live,
    folds,
    overflows,
    lock,
    log,
    metrics,
  });
  const isNew = (namespace: string, spec: Alert['spec']) =>
    // What is an object already, as nearly every repeat is, needs no look at the rules.
    alerts.cache.get(namespace, alertName(spec.sourceRef.name, spec.fingerprint)) === undefined &&
    !live.fires(`${namespace}/${spec.sourceRef.name}`, live.kindOf(namespace, spec));
  const scope = (signal: AbortSignal) =>
    namespaces === undefined
      ? scopeOfNamespace({ client, clock, log }, parts.namespace ?? '', signal)
      : scopeOfCluster(namespaces.cache, signal);
  const opened = (found: { scope: string; lock: DrainLock } | undefined) => late?.open(found);
  const pools = inboxPool && { pool: inboxPool, lookPool: pool ?? inboxPool };
  const two =
    pools &&
    wireTwoStores({
      etcd,
      client,
      ...pools,
      sources: sources.cache,
      alerts: alerts.cache,
      scope,
      opened,
      isNew,
      isAnswered: (namespace, name) => isAnswered(alerts.cache.get(namespace, name)),
      turnedAway,
      schema,
      clock,
      log,
      metrics,
    });
  const sourceOf = (namespace: string, name: string) => sources.cache.get(namespace, name);
  const rates = createSourceRates({ sourceOf, alerts: alerts.cache, clock });
  const noted = notingTurnedAway(two?.store ?? etcd, turnedAway);
  const firesFolded = createFiresFolded({ live, folds });
  const store = createRatedStore({ store: noted, inbox: two?.inbox, rates, firesFolded, metrics });
  const leases = wireLeases({
    kept: parts.leases ?? late?.leases,
    client,
    alerts: alerts.cache,
    sources: sources.cache,
    intake: store,
    namespace: parts.namespace,
    lock,
    clock,
    log,
    metrics,
  });
  const traffic = createTrafficRecorder({ store: parts.traffic ?? late?.traffic, clock, log, metrics });
  const receiving = createStatusWriter({ client, sources: sources.cache, clock, log, metrics });
  const receivers = createReceivers();
  const routing = createRouting({ sources: sources.cache, alerts: alerts.cache, live, folds, clock, metrics });
  const ingest = createIngest({
    ...(two === undefined ? { store } : { store, receipt: two.receipt, isBounded: true }),
    admit: store.admit,
    clock,
    log,
    metrics,
    repeats,
    leases: leases.book,
    alerts: alerts.cache,
    isNew,
    routing,
  });
  const testAlerts = createTestAlertEnd({ alerts: alerts.cache, sources: sources.cache, ingest, clock, log });
  const auth = createSourceAuth({ client, clock, log });
  const secretsAhead = createSecretsAhead({ sources: sources.cache, auth, clock });
  const foresight = createForesight({
    alerts: alerts.cache,
    sources: sources.cache,
    live,
    rates,
    folds,
    inbox: two?.inbox,
    clock,
    log,
  });
  const common = {
    alerts: alerts.cache,
    sources: sources.cache,
    receivers,
    ingest,
    routing,
    foresight,
    clock,
    metrics,
  };
  const app = await buildApp({
    readiness,
    host: parts.host,
    uiDir: parts.uiDir,
    log,
    intake: {
      ...common,
      auth,
      lookup: createSourceLookup({ client, sources: sources.cache, clock, metrics }),
      leases: leases.book,
      arrivals: {
        saw(arrival) {
          traffic.saw(arrival);
          receiving.saw(arrival);
        },
      },
    },
    api: {
      ...common,
      incidents: incidents.cache,
      rules: rules.cache,
      namespaces: namespaces?.cache ?? only(parts.namespace),
      identities: createIdentities({ client, clock }),
      access: createAccessChecks({ clock }),
      links: createSignInLinks(parts.signInFile),
      signInRate: createRateBound(clock),
      history: createHistoryReader({ queries: parts.queries, folds: foldStore, clock, log }),
      traffic,
      inbox: two?.bySource ?? noInbox,
      welcome: createWelcomeReader(parts.welcomeFile, log),
      spare: two?.spare ?? createSpareWithoutDatabase({ turnedAway, clock }),
      log,
    },
  });
  const reflectors = [sources, incidents, alerts, rules, ...(namespaces === undefined ? [] : [namespaces])];
  return {
    ...app,
    readiness,
    leases,
    sources: sources.cache,
    start() {
      for (const reflector of reflectors) reflector.start();
      repeats.start();
      schema.start();
      two?.start();
      traffic.start();
      receiving.start();
      testAlerts.start();
      secretsAhead.start();
      parts.leases?.lock.start();
      leases.start();
      overflows.start();
    },
    async stop() {
      stopping = true;
      app.streams.close();
      await app.server.close();
      testAlerts.stop();
      secretsAhead.stop();
      await repeats.stop();
      await leases.stop();
      await parts.leases?.lock.stop();
      await two?.stop();
      await schema.stop();
      await traffic.stop();
      await receiving.stop();
      await overflows.stop();
      live.stop();
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    },
  };
}

/** What stands for the list of namespaces where only one is served. */
const only = (name = ''): Pick<Cache<KubeObject>, 'list'> => ({
  list: () => [{ apiVersion: 'v1', kind: NAMESPACES.kind, metadata: { name } }],
});

function incidentOf(alert: Alert): string[] {
  const name = alert.status?.incidentRef?.name;
  return name === undefined ? [] : [incidentKey(alert.metadata.namespace ?? '', name)];
}

/** Makes the running webhook out of its parts: caches, intake, API. Whoever calls it starts and stops them. */
import type { Alert, AlertSource, Incident } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES, ALERTS, INCIDENTS, type KubeObject, type Resource } from '@funnelai/crds/meta';
import type { DatabasePool } from '@funnelai/history/pool';
import type { Queries } from '@funnelai/history/queries';
import type { RepeatStore } from '@funnelai/history/repeats';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
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
import { noSpare } from './inbox/spare.ts';
import { wireTwoStores } from './inbox/wiring.ts';
import { createIngest } from './intake/ingest.ts';
import { createKeyedLock } from './intake/keyed-lock.ts';
import { createRepeatCounter, noRepeats } from './intake/repeats.ts';
import { createSourceAuth } from './intake/source-auth.ts';
import { createAlertStore } from './intake/store.ts';
import { createWebhookMetrics } from './metrics.ts';
import { createReceivers } from './receivers/registry.ts';
import type { Readiness } from './server/health.ts';

export interface WebhookParts {
  client: KubeClient;
  queries: Queries | undefined;
  /** Where repeats of alerts are counted; nowhere without a database. */
  repeats?: RepeatStore | undefined;
  /** Where the inbox lies, a pool of its own; without a database etcd is the only store. */
  inboxPool?: DatabasePool | undefined;
  clock: Clock;
  log: Log;
  registry: Metrics;
  host: string;
  uiDir: string | undefined;
  signInFile: string | undefined;
  welcomeFile: string | undefined;
}
export interface Webhook extends App {
  readiness: Readiness;
  /** Starts to read; returns at once. */
  start(): void;
  /** Says "not ready", ends the streams, answers what is open, stops reading. */
  stop(): Promise<void>;
}

const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

export async function createWebhook(parts: WebhookParts): Promise<Webhook> {
  const { client, clock, log, registry } = parts;
  const metrics = createWebhookMetrics(registry);
  const reflect = <T extends KubeObject>(
    resource: Resource,
    indexers: Record<string, (o: T) => string[]> = {},
  ): Reflector<T> => createReflector<T>({ client, resource, indexers, clock, log, metrics: registry });
  const byNamespace = (o: KubeObject) => [o.metadata.namespace ?? ''];
  const sources = reflect<AlertSource>(ALERT_SOURCES);
  const incidents = reflect<Incident>(INCIDENTS, { [BY_NAMESPACE]: byNamespace });
  const alerts = reflect<Alert>(ALERTS, { [BY_NAMESPACE]: byNamespace, [BY_INCIDENT]: incidentOf });
  const namespaces = reflect<KubeObject>(NAMESPACES);
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
  const etcd = createAlertStore({ client, alerts: alerts.cache, clock, lock: createKeyedLock() });
  const { inboxPool: pool } = parts;
  const caches = { sources: sources.cache, namespaces: namespaces.cache };
  const two = pool === undefined ? undefined : wireTwoStores({ etcd, client, pool, ...caches, clock, log, metrics });
  const app = await buildApp({
    readiness,
    host: parts.host,
    uiDir: parts.uiDir,
    log,
    intake: {
      sources: sources.cache,
      receivers: createReceivers(),
      auth: createSourceAuth({ client, clock, log }),
      ingest: createIngest({
        ...(two === undefined ? { store: etcd } : { store: two.store, receipt: two.receipt, isBounded: true }),
        alerts: alerts.cache,
        clock,
        log,
        metrics,
        repeats,
      }),
      clock,
      metrics,
    },
    api: {
      incidents: incidents.cache,
      alerts: alerts.cache,
      sources: sources.cache,
      namespaces: namespaces.cache,
      identities: createIdentities({ client, clock }),
      access: createAccessChecks({ clock }),
      links: createSignInLinks(parts.signInFile),
      signInRate: createRateBound(clock),
      history: createHistoryReader({ queries: parts.queries, clock, log }),
      welcome: createWelcomeReader(parts.welcomeFile, log),
      spare: two?.spare ?? noSpare,
      clock,
      log,
      metrics,
    },
  });
  const reflectors = [sources, incidents, alerts, namespaces];
  return {
    ...app,
    readiness,
    start() {
      for (const reflector of reflectors) reflector.start();
      repeats.start();
      two?.start();
    },
    async stop() {
      stopping = true;
      app.streams.close();
      await app.server.close();
      await repeats.stop();
      await two?.stop();
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    },
  };
}

function incidentOf(alert: Alert): string[] {
  const name = alert.status?.incidentRef?.name;
  return name === undefined ? [] : [incidentKey(alert.metadata.namespace ?? '', name)];
}

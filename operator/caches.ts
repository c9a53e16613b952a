/**
 * What the controllers see of the cluster: one reflector per kind, with the indexes that they ask by. Promises that nothing is
 * read here before it was complete once (`synced`); what to do with it is the controllers' business.
 */
import type { Alert, AlertSource, CorrelationRule, Incident } from '@funnelai/crds/generated/types';
import {
  ALERT_SOURCES,
  ALERTS,
  CORRELATION_RULES,
  INCIDENTS,
  type KubeObject,
  type Resource,
} from '@funnelai/crds/meta';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { TrackedKind } from '@funnelai/kube/own-writes';
import { createReflector, type Reflector, type ReflectorHealth } from '@funnelai/kube/reflector';
import type { Registry } from 'prom-client';
import { takenOutOf } from './correlation/taken-out.ts';

/** Alerts by the incident that they belong to; value: "namespace/incident". */
export const BY_INCIDENT = 'incident';
/** Alerts by each incident that they were in and are not any more; value: "namespace/incident". */
export const BY_FORMER_INCIDENT = 'formerIncident';
/** Alerts by source; value: "namespace/source". */
export const BY_SOURCE = 'source';
/** Incidents by rule and group; value: `originKey`. */
export const BY_ORIGIN = 'origin';
/** Incidents by rule; value: "namespace/rule", the built-in rule under its empty name. */
export const BY_RULE = 'rule';
/** Incidents that were merged, by target; value: "namespace/target". */
export const BY_MERGE_TARGET = 'mergedInto';
/** Incidents that were merged and are so no more, by what they were taken out of; value: "namespace/target". */
export const BY_TAKEN_OUT = 'takenOut';

export interface Caches {
  alerts: Cache<Alert>;
  incidents: Cache<Incident>;
  rules: Cache<CorrelationRule>;
  sources: Cache<AlertSource>;
}

export interface Reflectors {
  caches: Caches;
  start(): void;
  stop(): Promise<void>;
  /** What has never been complete, kind by kind, with what stands in the way. */
  missing(): string[];
  /** Kinds that are held, but are not kept up to date now, with what stands in the way. */
  failing(): string[];
  /** Of all kinds but `except`. */
  waitForSync(signal: AbortSignal, except?: readonly Resource[]): Promise<void>;
  /** Resolves once the caches show all that was written before this call, by whomever. */
  catchUp(signal: AbortSignal): Promise<void>;
  /** For keeping book of own writes. */
  kinds: TrackedKind[];
}

/** "namespace/name", as the queues and the indexes name an object. */
export const joinKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** The value of the origin index: one per namespace, rule and group, whatever characters they hold. */
export function originKey(namespace: string, rule: string | undefined, groupKey: string): string {
  return `${namespace}/${rule ?? ''}/${groupKey}`;
}

export function createReflectors(o: {
  client: KubeClient;
  clock: Clock;
  log: Log;
  metrics: Registry;
  /** Only this namespace; all of them when absent. */
  namespace?: string | undefined;
}): Reflectors {
  const alerts = createReflector<Alert>({
    ...o,
    resource: ALERTS,
    indexers: {
      [BY_INCIDENT]: (alert) => {
        const incident = alert.status?.incidentRef?.name;
        return incident === undefined ? [] : [joinKey(namespaceOf(alert), incident)];
      },
      [BY_FORMER_INCIDENT]: (alert) =>
        (alert.status?.formerIncidents ?? []).map((name) => joinKey(namespaceOf(alert), name)),
      [BY_SOURCE]: (alert) => [joinKey(namespaceOf(alert), alert.spec.sourceRef.name)],
    },
  });
  const incidents = createReflector<Incident>({
    ...o,
    resource: INCIDENTS,
    transform: withoutFieldSets,
    indexers: {
      [BY_ORIGIN]: ({ metadata, spec }) =>
        spec.origin === undefined
          ? []
          : [originKey(metadata.namespace ?? '', spec.origin.ruleRef?.name, spec.origin.groupKey)],
      [BY_RULE]: ({ metadata, spec }) =>
        spec.origin === undefined ? [] : [joinKey(metadata.namespace ?? '', spec.origin.ruleRef?.name ?? '')],
      [BY_MERGE_TARGET]: ({ metadata, spec }) =>
        spec.mergedInto === undefined ? [] : [joinKey(metadata.namespace ?? '', spec.mergedInto.name)],
      [BY_TAKEN_OUT]: (incident) => {
        const target = takenOutOf(incident);
        return target === undefined ? [] : [joinKey(namespaceOf(incident), target)];
      },
    },
  });
  const rules = createReflector<CorrelationRule>({ ...o, resource: CORRELATION_RULES });
  const sources = createReflector<AlertSource>({ ...o, resource: ALERT_SOURCES });
  const all = [
    part(ALERTS, alerts),
    part(INCIDENTS, incidents),
    part(CORRELATION_RULES, rules),
    part(ALERT_SOURCES, sources),
  ];
  const onAll = async (work: (one: Part) => Promise<void>) => void (await Promise.all(all.map(work)));
  const described = (which: (health: ReflectorHealth) => boolean) =>
    all.flatMap(({ resource, health }) =>
      which(health()) ? [describe(resource, health(), o.clock.monotonicMs())] : [],
    );
  return {
    kinds: all,
    caches: { alerts: alerts.cache, incidents: incidents.cache, rules: rules.cache, sources: sources.cache },
    start: () => {
      for (const { start } of all) start();
    },
    stop: () => onAll(({ stop }) => stop()),
    missing: () => described(({ synced }) => !synced),
    failing: () => described(({ synced, failing }) => synced && failing !== undefined),
    waitForSync: (signal, except = []) =>
      onAll(async ({ resource, waitForSync }) => {
        if (!except.includes(resource)) await waitForSync(signal);
      }),
    catchUp: (signal) => onAll(({ catchUp }) => catchUp(signal)),
  };
}

/** One kind's reflector, whatever it holds. */
interface Part extends TrackedKind {
  start(): void;
  stop(): Promise<void>;
  health(): ReflectorHealth;
  waitForSync(signal: AbortSignal): Promise<void>;
}

function part<T extends KubeObject>(resource: Resource, reflector: Reflector<T>): Part {
  return {
    resource,
    // What is handed in is of that resource: the book is kept by kind.
    cache: reflector.cache as unknown as TrackedKind['cache'],
    start: () => reflector.start(),
    stop: () => reflector.stop(),
    health: () => reflector.health(),
    waitForSync: (signal) => reflector.cache.waitForSync(signal),
    catchUp: (signal) => reflector.catchUp(signal),
  };
}

/** "incidents (failing for 12 s: 403 …)". */
function describe({ plural }: Resource, { failing }: ReflectorHealth, nowMs: number): string {
  if (failing === undefined) return plural;
  return `${plural} (failing for ${Math.round((nowMs - failing.sinceMs) / 1000)} s: ${failing.message})`;
}

const namespaceOf = (object: KubeObject): string => object.metadata.namespace ?? '';

/** Who wrote is needed where admission keeps no log; the sets of fields that they wrote are half the object, and are not. */
function withoutFieldSets(incident: Incident): Incident {
  const managedFields = incident.metadata.managedFields?.map(({ manager, operation, subresource, time }) => ({
    ...(manager !== undefined && { manager }),
    ...(operation !== undefined && { operation }),
    ...(subresource !== undefined && { subresource }),
    ...(time !== undefined && { time }),
  }));
  return { ...incident, metadata: { ...incident.metadata, ...(managedFields && { managedFields }) } };
}

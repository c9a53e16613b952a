/** A reflector by way of the fault proxy beside a client that goes straight to the API server: what is held against what is there. */

import { randomBytes } from 'node:crypto';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { Cache, CacheEvent } from '@funnelai/kube/cache';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { systemClock as clock } from '@funnelai/kube/clock';
import type { Connection } from '@funnelai/kube/config';
import { NAMESPACES } from '@funnelai/kube/core-kinds';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { createReflector, type Reflector } from '@funnelai/kube/reflector';
import { CONFIG_MAPS, type ConfigMap } from '@funnelai/kube/testing/scripted-server';
import { until } from '../harness/wait.ts';

/** Within this after the end of a fault the cache must equal a quorum list. */
export const CONVERGED_MS = 30_000;

export async function aNamespace(direct: KubeClient): Promise<string> {
  const name = `fault-${randomBytes(4).toString('hex')}`;
  await direct.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

export interface Held {
  readonly reflector: Reflector<ConfigMap>;
  readonly cache: Cache<ConfigMap>;
  /** What subscribers heard, in order: "added a". */
  readonly heard: string[];
  /** Differences that a list found and the watch should have brought. */
  missed(): Promise<number>;
  /** How often listing or watching failed, for this reason. */
  failures(reason: string): Promise<number>;
  /** Resolves once the cache equals a quorum list, object by object, version by version. */
  converged(): Promise<void>;
  stop(): Promise<void>;
}

export function hold(o: {
  through: Connection;
  direct: KubeClient;
  namespace: string;
  resource?: Resource;
  silenceMs?: number;
  relistMs?: number;
}): Held {
  const { direct, namespace, resource = CONFIG_MAPS, silenceMs, relistMs } = o;
  const metrics = createRegistry();
  const client = createKubeClient(o.through);
  const reflector = createReflector<ConfigMap>({
    client,
    resource,
    namespace,
    clock,
    log: silentLog(),
    metrics,
    silenceMs,
    relistMs,
  });
  const heard: string[] = [];
  reflector.cache.subscribe(({ type, object }: CacheEvent<ConfigMap>) => {
    heard.push(`${type} ${object.metadata.name}`);
  });
  reflector.start();
  const versions = (items: Iterable<KubeObject>) =>
    JSON.stringify([...items].map(({ metadata: m }) => [m.name, m.uid, m.resourceVersion]).sort());
  return {
    reflector,
    cache: reflector.cache,
    heard,
    async missed() {
      return (await metrics.getSingleMetric('funnelai_reflector_missed_events_total')?.get())?.values[0]?.value ?? 0;
    },
    async failures(reason) {
      const metric = await metrics.getSingleMetric('watch_operations_failed_total')?.get();
      return metric?.values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
    async converged() {
      await until('the cache to equal a quorum list', CONVERGED_MS, async () => {
        const there = await direct.list<KubeObject>(resource, { namespace });
        return versions(there.items) === versions(reflector.cache.list());
      });
    },
    async stop() {
      await reflector.stop();
      await client.close();
    },
  };
}

/** Work for many, so many at once. */
export async function inParallel<T>(all: T[], atOnce: number, work: (one: T) => Promise<unknown>): Promise<void> {
  const rest = [...all];
  const worker = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

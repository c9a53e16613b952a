/**
 * Names what a webhook serves, so that clusters, and namespaces served alone, can share a database without draining each other's inbox.
 * The uid of a namespace: it outlives every process and no two clusters have the same.
 */

import type { KubeObject } from '@funnelai/crds/meta';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { NAMESPACES } from '@funnelai/kube/core-kinds';
import { KubeError, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';

/** Of a whole cluster: it is there from the first start of an API server on, and nobody can delete it. */
const CLUSTER = 'kube-system';
const RETRY_MS = 5_000;

/** Returns the uid of the cluster once its namespaces are read; undefined where that one cannot be seen. */
export async function scopeOfCluster(namespaces: Cache<KubeObject>, signal: AbortSignal): Promise<string | undefined> {
  await namespaces.waitForSync(signal);
  return namespaces.get('', CLUSTER)?.metadata.uid;
}

/** Returns the uid of one namespace, however long the API server is away; undefined where it may not be read. */
export async function scopeOfNamespace(
  deps: { client: KubeClient; clock: Clock; log: Log },
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (;;) {
    try {
      return (await deps.client.get<KubeObject>(NAMESPACES, { name }, { signal })).metadata.uid;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof KubeError && !error.transient) {
        deps.log.error({ why: messageOf(error) }, `namespace ${name} cannot be read; grant get on namespaces in it`);
        return undefined;
      }
      await deps.clock.sleep(RETRY_MS, signal);
    }
  }
}

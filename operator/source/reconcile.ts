/** Keeps the status of each AlertSource true. Looks whether its Secret can be used, by name, holding and telling nothing of it; and where its routes lead. */

import type { AlertSource } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES, type KubeObject } from '@funnelai/crds/meta';
import { credentialsIn, wayInto } from '@funnelai/domain/source-credentials';
import { SECRETS } from '@funnelai/kube/core-kinds';
import { isForbidden, isNotFound } from '@funnelai/kube/errors';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { putStatus } from '@funnelai/kube/status';
import type { Controller, Deps } from '../controller.ts';
import { createQueue } from '../queue.ts';
import { isSameToOperator, type SecretState, sourceStatus } from './decide.ts';
import { concernedBy, routesOf } from './routes.ts';

const WORKERS = 2;
/** Secrets are not watched: that would need the right to list them all. */
const RECHECK_MS = 60_000;

interface Secret extends KubeObject {
  data?: Record<string, string>;
}

/** @param deps.served the one namespace that it works in; absent when it works in all. */
export function createSourceController(deps: Deps & { served?: string | undefined }): Controller {
  const { caches, client, clock } = deps;
  const queue = createQueue(deps, { name: 'source', workers: WORKERS, reads: [ALERT_SOURCES], reconcile });
  let unsubscribe = () => {};

  async function reconcile(key: string): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key);
    const source = caches.sources.get(namespace, name);
    if (source === undefined || source.metadata.deletionTimestamp !== undefined) return undefined;
    const status = sourceStatus(
      source,
      await lookAtSecret(source),
      routesOf(source, caches.sources.list(), deps.served),
      clock.now(),
    );
    const written = await putStatus<AlertSource>(client, ALERT_SOURCES, source, status);
    if (written !== undefined) caches.sources.observe(written);
    return { requeueAfterMs: RECHECK_MS };
  }

  async function lookAtSecret(source: AlertSource): Promise<SecretState> {
    const way = wayInto(source.spec);
    if (way.kind === 'None' || way.kind === 'Accepted') return { state: 'Usable' };
    const namespace = source.metadata.namespace ?? '';
    try {
      const { data } = await client.get<Secret>(SECRETS, { namespace, name: way.secret });
      const found = credentialsIn(way, (key) => textUnder(data, key));
      return Array.isArray(found) ? { state: 'Usable' } : { state: found.fault, key: found.key };
    } catch (error) {
      if (isNotFound(error)) return { state: 'NotFound' };
      if (isForbidden(error)) return { state: 'Forbidden' };
      throw error;
    }
  }

  return {
    name: 'source',
    start() {
      unsubscribe = caches.sources.subscribe(({ object, old }) => {
        // The webhook says each minute that something came: no news of the Secret.
        if (old !== undefined && isSameToOperator(old, object)) return;
        queue.add(keyOf(object));
        // What only its status has changed in concerns no other; each pass would set off the next.
        if (old?.metadata.generation === object.metadata.generation && old !== undefined) return;
        for (const one of [object, ...(old === undefined ? [] : [old])])
          for (const other of concernedBy(one, caches.sources.list())) queue.add(keyOf(other));
      });
      for (const source of caches.sources.list()) queue.add(keyOf(source), 'routine');
      queue.start();
    },
    async stop() {
      unsubscribe();
      await queue.stop();
    },
    idle: () => queue.idle(),
  };
}

function textUnder(data: Record<string, string> | undefined, key: string): string | undefined {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

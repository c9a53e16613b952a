/** Keeps the status of each AlertSource true. Looks whether its Secret can be used, by name; holds and tells nothing of it. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES, type KubeObject, type Resource } from '@funnelai/crds/meta';
import { isForbidden, isNotFound } from '@funnelai/kube/errors';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { putStatus } from '@funnelai/kube/status';
import type { Controller, Deps } from '../controller.ts';
import { createQueue } from '../queue.ts';
import { isSameToOperator, type SecretState, sourceStatus } from './decide.ts';

const WORKERS = 2;
/** Secrets are not watched: that would need the right to list them all. */
const RECHECK_MS = 60_000;

const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };

interface Secret extends KubeObject {
  data?: Record<string, string>;
}

export function createSourceController(deps: Deps): Controller {
  const { caches, client, clock } = deps;
  const queue = createQueue(deps, { name: 'source', workers: WORKERS, reconcile });
  let unsubscribe = () => {};

  async function reconcile(key: string): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key);
    const source = caches.sources.get(namespace, name);
    if (source === undefined || source.metadata.deletionTimestamp !== undefined) return undefined;
    const status = sourceStatus(source, await lookAtSecret(source), clock.now());
    const written = await putStatus<AlertSource>(client, ALERT_SOURCES, source, status);
    if (written !== undefined) caches.sources.observe(written);
    return { requeueAfterMs: RECHECK_MS };
  }

  async function lookAtSecret(source: AlertSource): Promise<SecretState> {
    const { name, key } = source.spec.auth.bearer.secretRef;
    try {
      const secret = await client.get<Secret>(SECRETS, { namespace: source.metadata.namespace ?? '', name });
      const value = secret.data === undefined || !Object.hasOwn(secret.data, key) ? undefined : secret.data[key];
      if (value === undefined) return 'KeyMissing';
      return Buffer.from(value, 'base64').toString('utf8').trim() === '' ? 'KeyEmpty' : 'Usable';
    } catch (error) {
      if (isNotFound(error)) return 'NotFound';
      if (isForbidden(error)) return 'Forbidden';
      throw error;
    }
  }

  return {
    name: 'source',
    start() {
      unsubscribe = caches.sources.subscribe(({ object, old }) => {
        // The webhook says each minute that something came: no news of the Secret.
        if (old === undefined || !isSameToOperator(old, object)) queue.add(keyOf(object));
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

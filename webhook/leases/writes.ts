/** Writes what silence does to an alert, bound to the version that was decided on: whoever was quicker, a report or a person, stays. */
import type { Alert } from '@funnelai/crds/generated/types';
import { ALERTS } from '@funnelai/crds/meta';
import type { ExpiryReason } from '@funnelai/domain/expiry';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import { isConflict, isNotFound } from '@funnelai/kube/errors';
import type { KeyedLock } from '../intake/keyed-lock.ts';
import { FIELD_MANAGER } from '../intake/store.ts';

/** What was heard of it last; times are RFC 3339. */
export interface LastHeard {
  lastSeen: string;
  leaseUntil?: string | undefined;
}
export interface ExpiryWrites {
  /** False when it is not what it was any more: then nothing was written. */
  expire(alert: Alert, reason: ExpiryReason, at: string, heard: LastHeard): Promise<boolean>;
  /** It was heard of after all. False as above. */
  bringBack(alert: Alert, heard: LastHeard): Promise<boolean>;
}

export function createExpiryWrites(deps: { client: KubeClient; alerts: Cache<Alert>; lock: KeyedLock }): ExpiryWrites {
  async function patch({ metadata }: Alert, spec: object): Promise<boolean> {
    const { namespace = '', name, uid, resourceVersion } = metadata;
    return deps.lock.run(`${namespace}/${name}`, async () => {
      try {
        const body = { metadata: { uid, resourceVersion }, spec };
        const options = { fieldManager: FIELD_MANAGER };
        deps.alerts.observe(await deps.client.mergePatch<Alert>(ALERTS, { namespace, name }, body, options));
        return true;
      } catch (error) {
        if (isConflict(error) || isNotFound(error)) return false;
        throw error;
      }
    });
  }
  const lastOf = ({ lastSeen, leaseUntil }: LastHeard) => ({ receivedAt: lastSeen, leaseUntil: leaseUntil ?? null });
  return {
    expire: (alert, reason, at, heard) => patch(alert, { state: 'Expired', ...lastOf(heard), expired: { at, reason } }),
    bringBack: (alert, heard) => patch(alert, { state: 'Firing', ...lastOf(heard), expired: null }),
  };
}

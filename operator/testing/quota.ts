/** For tests: an API server that refuses new incidents for as long as a quota is used up. */
import { INCIDENTS } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';

/** Returns the client bounded by a quota that is used up until `isUsedUp` is set otherwise. */
export function underQuota(client: KubeClient): { bounded: KubeClient; quota: { isUsedUp: boolean } } {
  const quota = { isUsedUp: true };
  const bounded: KubeClient = {
    ...client,
    create: async (r, object, o) => {
      if (r.plural === INCIDENTS.plural && quota.isUsedUp)
        throw new KubeError({ status: 403, reason: 'Forbidden', message: 'exceeded quota: team', transient: false });
      return client.create(r, object, o);
    },
  };
  return { bounded, quota };
}

/** Whether an alert is an object in the cluster, as far as this replica has seen. */
import type { Alert } from '@funnelai/crds/generated/types';
import { alertName, NAME_DIGITS } from '@funnelai/domain/fingerprint';
import type { Cache } from '@funnelai/kube/cache';

/** Returns whether it is there, in whatever state, under whichever of the names that it may have. */
export function isLive(
  alerts: Pick<Cache<Alert>, 'get'>,
  { namespace, source, fingerprint }: { namespace: string; source: string; fingerprint: string },
): boolean {
  return NAME_DIGITS.some(
    (digits) => alerts.get(namespace, alertName(source, fingerprint, digits))?.spec.fingerprint === fingerprint,
  );
}

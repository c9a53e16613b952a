/** Whether an alert is an object in the cluster, as far as this replica has seen. */
import type { Alert } from '@funnelai/crds/generated/types';
import { alertName, NAME_DIGITS } from '@funnelai/domain/fingerprint';
import { compareInstants } from '@funnelai/domain/instants';
import type { Cache } from '@funnelai/kube/cache';

/** Whether nobody has to be waited for: the operator has answered the episode that it is in, it has ended, or there is none. */
export function isAnswered(alert: Alert | undefined): boolean {
  if (alert === undefined || alert.spec.state !== 'Firing') return true;
  const answered = alert.status?.episodeStartedAt;
  return answered !== undefined && compareInstants(answered, alert.spec.startsAt) >= 0;
}

/** Returns whether it is there, in whatever state, under whichever of the names that it may have. */
export function isLive(
  alerts: Pick<Cache<Alert>, 'get'>,
  { namespace, source, fingerprint }: { namespace: string; source: string; fingerprint: string },
): boolean {
  return NAME_DIGITS.some(
    (digits) => alerts.get(namespace, alertName(source, fingerprint, digits))?.spec.fingerprint === fingerprint,
  );
}

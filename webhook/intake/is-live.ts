/** Whether an alert is an object in the cluster, as far as this replica has seen. */
import type { Alert } from '@funnelai/crds/generated/types';
import { alertName, NAME_DIGITS } from '@funnelai/domain/fingerprint';
import { compareInstants } from '@funnelai/domain/instants';
import type { FaultKey } from '@funnelai/history/fault-key';
import type { Cache } from '@funnelai/kube/cache';

/** Whether nobody has to be waited for: the operator has answered the episode that it is in, it has ended, or there is none. */
export function isAnswered(alert: Alert | undefined): boolean {
  if (alert === undefined || alert.spec.state !== 'Firing') return true;
  const answered = alert.status?.episodeStartedAt;
  return answered !== undefined && compareInstants(answered, alert.spec.startsAt) >= 0;
}

/** Returns whether it is there, in whatever state, under whichever of the names that it may have. */
export const isLive = (alerts: Pick<Cache<Alert>, 'get'>, key: FaultKey): boolean =>
  liveAlert(alerts, key) !== undefined;

/** Returns it as it is there; undefined where it is not. */
export function liveAlert(
  alerts: Pick<Cache<Alert>, 'get'>,
  { namespace, source, fingerprint }: FaultKey,
): Alert | undefined {
  for (const digits of NAME_DIGITS) {
    const held = alerts.get(namespace, alertName(source, fingerprint, digits));
    if (held?.spec.fingerprint === fingerprint) return held;
  }
  return undefined;
}

/** Returns the name that it has, or would have: a shorter one may be another's. */
export function nameOf(alerts: Pick<Cache<Alert>, 'get'>, key: FaultKey): string {
  const names = NAME_DIGITS.map((digits) => alertName(key.source, key.fingerprint, digits));
  const free = names.find((name) => alerts.get(key.namespace, name) === undefined);
  return liveAlert(alerts, key)?.metadata.name ?? free ?? names[0] ?? '';
}

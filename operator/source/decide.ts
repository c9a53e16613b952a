/** What an AlertSource's status says: its path, and whether a sender could come in. */
import type { AlertSource, AlertSourceStatus } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import { heartbeatFault } from '@funnelai/domain/heartbeat';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';

/** What a look at the source's Secret found; never what is in it. */
export type SecretState = 'Usable' | 'NotFound' | 'KeyMissing' | 'KeyEmpty' | 'Forbidden';

/** Where the senders of this source post to, under the webhook's address. */
export const pathOf = (source: AlertSource): string =>
  `/alerts/${source.metadata.namespace ?? ''}/${source.metadata.name}`;

/** A Secret may come later and is nobody's edit of this object: `Ready=False` stands alone, without `Stalled`. */
export function sourceStatus(source: AlertSource, secret: SecretState, now: Temporal.Instant): AlertSourceStatus {
  const observedGeneration = source.metadata.generation ?? 0;
  const { name, key } = source.spec.auth.bearer.secretRef;
  const namespace = source.metadata.namespace ?? '';
  const verdicts: Record<SecretState, { reason: string; message: string }> = {
    Usable: { reason: 'Accepting', message: `alerts with the token of Secret ${name} are accepted` },
    NotFound: {
      reason: 'SecretNotFound',
      message: `expected a Secret ${name} in namespace ${namespace}, found none; create it with the key ${key}`,
    },
    KeyMissing: {
      reason: 'SecretKeyNotFound',
      message: `expected the key ${key} in Secret ${name}, found none; add it, or correct auth.bearer.secretRef.key`,
    },
    KeyEmpty: {
      reason: 'SecretKeyEmpty',
      message: `the key ${key} of Secret ${name} is empty: no sender can come in; put a token there`,
    },
    Forbidden: {
      reason: 'SecretForbidden',
      message: `the operator may not read Secret ${name}; grant it the verb get on secrets in namespace ${namespace}`,
    },
  };
  return {
    observedGeneration,
    path: pathOf(source),
    conditions: withHeartbeat(
      source,
      setCondition(
        source.status?.conditions,
        { type: 'Ready', status: secret === 'Usable' ? 'True' : 'False', observedGeneration, ...verdicts[secret] },
        now,
      ),
      now,
    ),
  };
}

const BAD_HEARTBEAT = 'HeartbeatInvalid';

/** Matchers are no schema's to judge. A source with bad ones takes alerts; what only an edit can mend is said beside that. */
function withHeartbeat(source: AlertSource, conditions: Condition[], now: Temporal.Instant): Condition[] {
  const fault = heartbeatFault(source);
  if (fault === undefined) return conditions.filter(({ reason }) => reason !== BAD_HEARTBEAT);
  const message = `its silence is not looked for until heartbeat.match is mended: ${fault}`;
  const observedGeneration = source.metadata.generation ?? 0;
  return setCondition(
    conditions,
    { type: 'Stalled', status: 'True', reason: BAD_HEARTBEAT, message, observedGeneration },
    now,
  );
}

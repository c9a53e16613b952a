/** What an AlertSource's status says: its path, and whether a sender could come in and be understood. */
import type { AlertSource, AlertSourceStatus } from '@funnelai/crds/generated/types';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';
import { mappingVerdicts } from './mapping.ts';

/** What a look at the source's Secret found; never what is in it. */
export type SecretState = 'Usable' | 'NotFound' | 'KeyMissing' | 'KeyEmpty' | 'Forbidden';

/** Where the senders of this source post to, under the webhook's address. */
export const pathOf = (source: AlertSource): string =>
  `/alerts/${source.metadata.namespace ?? ''}/${source.metadata.name}`;

/**
 * A Secret may come later and is nobody's edit of this object: `Ready=False` stands alone. A mapping that does not compile waits for an
 * edit: `Stalled=True` beside it.
 */
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
  const ready = { status: secret === 'Usable' ? ('True' as const) : ('False' as const), ...verdicts[secret] };
  const broken = mappingVerdicts(source);
  let conditions = (source.status?.conditions ?? []).filter(
    ({ type }) => type !== 'Stalled' || broken.Stalled !== undefined,
  );
  for (const [type, verdict] of Object.entries({ Ready: ready, ...broken }))
    conditions = setCondition(conditions, { type, observedGeneration, ...verdict }, now);
  return { observedGeneration, path: pathOf(source), conditions };
}

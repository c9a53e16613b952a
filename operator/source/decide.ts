/** What an AlertSource's status says: its path, and whether a sender could come in. */
import type { AlertSource, AlertSourceStatus } from '@funnelai/crds/generated/types';
import { sameJson } from '@funnelai/kube/same-json';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';

/** What a look at the source's Secret found; never what is in it. */
export type SecretState = 'Usable' | 'NotFound' | 'KeyMissing' | 'KeyEmpty' | 'Forbidden';

/** Where the senders of this source post to, under the webhook's address. */
export const pathOf = (source: AlertSource): string =>
  `/alerts/${source.metadata.namespace ?? ''}/${source.metadata.name}`;

/** Did nothing change but what the webhook writes? */
export function isSameToOperator(old: AlertSource, next: AlertSource): boolean {
  const ours = ({ metadata: { uid, generation, deletionTimestamp }, status }: AlertSource) => {
    const conditions = status?.conditions?.filter(({ type }) => type !== 'Receiving') ?? [];
    return [uid, generation, deletionTimestamp, status?.observedGeneration, status?.path, conditions];
  };
  return sameJson(ours(old), ours(next));
}

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
    // Of the status that was read: what the webhook writes there stays, for the whole of it is written.
    ...source.status,
    observedGeneration,
    path: pathOf(source),
    conditions: setCondition(
      source.status?.conditions,
      { type: 'Ready', status: secret === 'Usable' ? 'True' : 'False', observedGeneration, ...verdicts[secret] },
      now,
    ),
  };
}

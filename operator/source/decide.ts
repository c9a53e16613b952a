/** What an AlertSource's status says: its path, and whether a sender could come in and be understood. */
import type { AlertSource, AlertSourceStatus } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import { heartbeatFault } from '@funnelai/domain/heartbeat';
import { asksNobody, type SecretWay, type Way, wayInto } from '@funnelai/domain/source-credentials';
import { sameJson } from '@funnelai/kube/same-json';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';
import { mappingVerdicts } from './mapping.ts';

/** What a look at the source's Secret found; never what is in it. */
export type SecretState =
  | { state: 'Usable' | 'NotFound' | 'Forbidden' }
  | { state: 'KeyMissing' | 'KeyEmpty' | 'NoColon'; key: string };

/** What is said of a source: Ready always, the others only where there is something to say. */
export type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;
export type Verdicts = Partial<Record<(typeof OURS)[number], Verdict>>;
/** Conditions that are taken away when there is nothing to say; those of others stay. */
const OURS = ['Ready', 'Unauthenticated', 'Routed', 'Stalled'] as const;

/** Written by the webhook. */
const OF_OTHERS = 'Receiving';

/** Did nothing change but what the webhook writes? */
export function isSameToOperator(old: AlertSource, next: AlertSource): boolean {
  const ours = ({ metadata, status }: AlertSource) => {
    const { uid, generation, deletionTimestamp, labels, annotations } = metadata;
    const conditions = status?.conditions?.filter(({ type }) => type !== OF_OTHERS) ?? [];
    return [
      uid,
      generation,
      deletionTimestamp,
      labels,
      annotations,
      status?.observedGeneration,
      status?.path,
      conditions,
    ];
  };
  return sameJson(ours(old), ours(next));
}

/** Where the senders of this source post to, under the webhook's address; undefined where none can. */
export const pathOf = ({ metadata, spec }: AlertSource): string | undefined =>
  spec.acceptFrom === undefined ? `/alerts/${metadata.namespace ?? ''}/${metadata.name}` : undefined;

/**
 * A Secret may come later and is nobody's edit of this object: `Ready=False` stands alone. A mapping that does not compile waits for an
 * edit: `Stalled=True` beside it. `more` is what others have to say, and goes before.
 */
export function sourceStatus(
  source: AlertSource,
  secret: SecretState,
  more: Verdicts,
  now: Temporal.Instant,
): AlertSourceStatus {
  const observedGeneration = source.metadata.generation ?? 0;
  const verdicts: Verdicts = {
    ...entranceOf(source, wayInto(source.spec), secret),
    ...heartbeatVerdict(source),
    ...more,
    ...mappingVerdicts(source),
  };
  const isOver = (type: string) => OURS.some((ours) => ours === type) && !Object.hasOwn(verdicts, type);
  let conditions = (source.status?.conditions ?? []).filter(({ type }) => !isOver(type));
  for (const [type, verdict] of Object.entries(verdicts))
    conditions = setCondition(conditions, { type, observedGeneration, ...verdict }, now);
  const path = pathOf(source);
  const { path: _, ...others } = source.status ?? {};
  // What others write there stays, for the whole of the status is written.
  return { ...others, observedGeneration, ...(path === undefined ? {} : { path }), conditions };
}

function entranceOf(source: AlertSource, way: Way, secret: SecretState): Verdicts {
  switch (way.kind) {
    case 'None':
      if (!asksNobody(source.spec)) {
        const message = 'messages that Amazon SNS has signed, of the topics in spec.sns.topicArns, are accepted';
        return { Ready: { status: 'True', reason: 'Accepting', message } };
      }
      return {
        Ready: { status: 'True', reason: 'Accepting', message: 'alerts are accepted from anyone who reaches the path' },
        Unauthenticated: {
          status: 'True',
          reason: 'NoCredentials',
          message:
            'spec.auth.none: whoever reaches the path can open and resolve alerts; each of them carries a note about it',
        },
      };
    case 'Accepted':
      // What the other source says is looked at beside its routes.
      return {};
    default:
      return { Ready: readiness(source, way, secret) };
  }
}

const SHOWN: Record<SecretWay['kind'], { what: string; field: string }> = {
  Bearer: { what: 'a token', field: 'auth.bearer' },
  Basic: { what: 'a user name and a password', field: 'auth.basic' },
  Hmac: { what: 'a key', field: 'auth.hmac' },
};

function readiness(source: AlertSource, way: SecretWay, found: SecretState): Verdict {
  const { secret: name, keys, kind } = way;
  const namespace = source.metadata.namespace ?? '';
  const { what, field } = SHOWN[kind];
  const notReady = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });
  switch (found.state) {
    case 'Usable': {
      const shown = { Bearer: 'the token', Basic: 'a user name and password', Hmac: 'a signature under the key' }[kind];
      return { status: 'True', reason: 'Accepting', message: `alerts with ${shown} of Secret ${name} are accepted` };
    }
    case 'NotFound':
      return notReady(
        'SecretNotFound',
        `expected a Secret ${name} in namespace ${namespace}, found none; create it with the ${keys.length === 1 ? 'key' : 'keys'} ${keys.join(' and ')}`,
      );
    case 'KeyMissing':
      return notReady(
        'SecretKeyNotFound',
        `expected the key ${found.key} in Secret ${name}, found none; add it, or correct ${field}.secretRef.key`,
      );
    case 'KeyEmpty':
      return notReady(
        'SecretKeyEmpty',
        `the key ${found.key} of Secret ${name} is empty: no sender can come in; put ${what} there`,
      );
    case 'NoColon':
      return notReady(
        'SecretKeyMalformed',
        `the key ${found.key} of Secret ${name} has a line without a colon; expected user:password in each line`,
      );
    case 'Forbidden':
      return notReady(
        'SecretForbidden',
        `the operator may not read Secret ${name}; grant it the verb get on secrets in namespace ${namespace}`,
      );
  }
}

/** Matchers are no schema's to judge. A source with bad ones takes alerts; what only an edit can mend is said beside that. */
function heartbeatVerdict(source: AlertSource): Verdicts {
  const fault = heartbeatFault(source);
  if (fault === undefined) return {};
  const message = `its silence is not looked for until heartbeat.match is mended: ${fault}`;
  return { Stalled: { status: 'True', reason: 'HeartbeatInvalid', message } };
}

/**
 * Which credentials let a sender into an AlertSource: where they stand, and how they are read from a Secret. Comparing them with
 * what a sender shows is the webhook's; saying that they are missing the operator's.
 */
import type { AlertSourceSpec } from '@funnelai/crds/generated/types';

export type Hmac = NonNullable<NonNullable<AlertSourceSpec['auth']>['hmac']>;

/** How senders come in. `Accepted`: not at all; another source routes alerts here. */
export type Way =
  | { kind: 'Bearer'; secret: string; keys: readonly [string] }
  /** One key holds lines of user:password; two are a user name and its passwords. */
  | { kind: 'Basic'; secret: string; keys: readonly [string] | readonly [string, string] }
  | { kind: 'Hmac'; secret: string; keys: readonly [string]; hmac: Hmac }
  | { kind: 'None' }
  | { kind: 'Accepted'; namespace: string; name: string };

/** A way for which a Secret is needed. */
export type SecretWay = Extract<Way, { secret: string }>;

/** Lines of a Secret's value that count. Two are needed for a rotation. */
export const CREDENTIALS_PER_SECRET = 8;
/** The keys of a Secret of type kubernetes.io/basic-auth. */
const BASIC_KEYS = ['username', 'password'] as const;

/** Returns how this source lets senders in. Throws RangeError for a spec that the API server would have refused. */
export function wayInto({ auth, acceptFrom }: AlertSourceSpec): Way {
  if (acceptFrom !== undefined) return { kind: 'Accepted', ...acceptFrom };
  if (auth?.bearer !== undefined) {
    const { name, key } = auth.bearer.secretRef;
    return { kind: 'Bearer', secret: name, keys: [key] };
  }
  if (auth?.basic !== undefined) {
    const { name, key } = auth.basic.secretRef;
    return { kind: 'Basic', secret: name, keys: key === undefined ? BASIC_KEYS : [key] };
  }
  if (auth?.hmac !== undefined) {
    const { name, key } = auth.hmac.secretRef;
    return { kind: 'Hmac', secret: name, keys: [key], hmac: auth.hmac };
  }
  if (auth?.none !== undefined) return { kind: 'None' };
  throw new RangeError('spec.auth: expected one of bearer, basic, hmac and none, or spec.acceptFrom; found neither');
}

/** Does nothing vouch for the alerts of this source? Messages of Amazon SNS are signed, and of topics that the source names. */
export function asksNobody({ auth, sns }: AlertSourceSpec): boolean {
  return auth?.none !== undefined && sns === undefined;
}

/** What is wrong with a Secret of which no credential can be taken; never what is in it. */
export type SecretFault = { fault: 'KeyMissing' | 'KeyEmpty' | 'NoColon'; key: string };

/**
 * Returns the credentials that the Secret holds for this way: tokens, `user:password`, or keys of an HMAC. `read` gives the text
 * under a key of the Secret.
 */
export function credentialsIn(way: SecretWay, read: (key: string) => string | undefined): string[] | SecretFault {
  const values: string[][] = [];
  for (const key of way.keys) {
    const text = read(key);
    if (text === undefined) return { fault: 'KeyMissing', key };
    const lines = linesOf(text);
    if (lines.length === 0) return { fault: 'KeyEmpty', key };
    values.push(lines);
  }
  const [first = [], second] = values;
  if (way.kind !== 'Basic') return first;
  if (second !== undefined) return second.map((password) => `${first[0]}:${password}`);
  return first.every((line) => line.includes(':')) ? first : { fault: 'NoColon', key: way.keys[0] };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, CREDENTIALS_PER_SECRET);
}

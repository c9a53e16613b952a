/** Who a Kubernetes token belongs to: the API server's word (SelfSubjectReview), believed for seconds. */
import { createHash } from 'node:crypto';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { KubeError } from '@funnelai/kube/errors';
import { ACCESS_TTL_MS, IDENTITIES_REMEMBERED, TOKEN_BYTES } from '../limits.ts';
import { HttpProblem } from '../server/problems.ts';
import { createBoundedCache } from './bounded-cache.ts';

/** A person at work: everything that is read or written for them goes through `client`, as themselves. */
export interface Person {
  user: string;
  groups: string[];
  client: KubeClient;
  /** Hash of the token: names the person's answers in caches, and is no secret. */
  id: string;
}

export interface Identities {
  /** Throws HttpProblem Unauthenticated when the API server does not know the token, KubeError when it does not answer. */
  personOf(token: string, o?: { maxAgeMs?: number }): Promise<Person>;
}

interface SelfSubjectReview {
  status?: { userInfo?: { username?: string; groups?: string[] } };
}
const REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** Names a token without giving it away. */
export function idOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

export function createIdentities(deps: { client: KubeClient; clock: Clock }): Identities {
  const people = createBoundedCache<Person>(deps.clock, ACCESS_TTL_MS, IDENTITIES_REMEMBERED);
  return {
    personOf(token, o = {}) {
      if (Buffer.byteLength(token) > TOKEN_BYTES) {
        return Promise.reject(new HttpProblem('Unauthenticated', `The token is longer than ${TOKEN_BYTES} bytes.`));
      }
      const id = idOf(token);
      return people.get(id, () => review(deps.client.withToken(token), id), o.maxAgeMs);
    },
  };
}

async function review(client: KubeClient, id: string): Promise<Person> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const answer = await client.raw({ method: 'POST', path: REVIEWS, body });
  if (answer.status === 401) throw notAccepted();
  if (answer.status < 200 || answer.status > 299) throw unexpected('who this token belongs to', answer.status);
  const { username, groups } = (answer.body as SelfSubjectReview).status?.userInfo ?? {};
  // With anonymous access on, a token that is not sent or not read makes one anonymous: that is nobody.
  if (username === undefined || username === '' || username === 'system:anonymous') throw notAccepted();
  return { user: username, groups: groups ?? [], client, id };
}

function notAccepted(): HttpProblem {
  return new HttpProblem(
    'Unauthenticated',
    'The API server does not accept this token. It may have expired: get a new one and sign in again.',
  );
}

/** An answer of the API server that is neither yes nor no. */
export function unexpected(question: string, status: number): KubeError {
  return new KubeError({
    status: status >= 500 || status === 429 ? status : 503,
    reason: 'UnexpectedAnswer',
    message: `asked ${question}, the API server answered ${status}`,
    transient: true,
  });
}

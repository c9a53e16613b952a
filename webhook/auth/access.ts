/** What a person may do: the API server's word (SelfSubjectAccessReview with their token), believed for seconds, refusals too. */
import { GROUP } from '@funnelai/crds/meta';
import type { Verb } from '@funnelai/domain/wire';
import type { Clock } from '@funnelai/kube/clock';
import { ACCESS_REMEMBERED, ACCESS_TTL_MS } from '../limits.ts';
import { HttpProblem } from '../server/problems.ts';
import { createBoundedCache } from './bounded-cache.ts';
import { grantFor } from './grant.ts';
import { type Person, unexpected } from './identity.ts';

export type OurResource = 'incidents' | 'alerts' | 'alertsources' | 'correlationrules';
export interface Right {
  verb: Verb;
  resource: OurResource;
  /** Absent: in all namespaces at once. */
  namespace?: string | undefined;
  /** Of one object; absent: of any. */
  name?: string | undefined;
}

/** To read the Secrets of all namespaces: who may, is told nothing new by a token of one. */
export const READ_SECRETS = { verb: 'get', resource: 'secrets' } as const;
type Question = Right | (typeof READ_SECRETS & { namespace?: undefined; name?: undefined });

export interface AccessChecks {
  may(person: Person, right: Question, o?: { maxAgeMs?: number }): Promise<boolean>;
  /** Throws HttpProblem Forbidden that names the missing right and how to grant it. */
  demand(person: Person, right: Right): Promise<void>;
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

export function createAccessChecks(deps: { clock: Clock }): AccessChecks {
  const answers = createBoundedCache<boolean>(deps.clock, ACCESS_TTL_MS, ACCESS_REMEMBERED);
  const checks: AccessChecks = {
    may(person, right, o = {}) {
      const key = JSON.stringify([person.id, right.verb, right.resource, right.namespace ?? '', right.name ?? '']);
      return answers.get(key, () => review(person, right), o.maxAgeMs);
    },
    async demand(person, right) {
      if (!(await checks.may(person, right))) throw forbidden(person, right);
    },
  };
  return checks;
}

/** The problem for a right that is missing; `words` are the API server's own where it said any. */
export function forbidden(person: Person, right: Right, words?: string): HttpProblem {
  const where = right.namespace === undefined ? 'in all namespaces at once' : `in namespace ${right.namespace}`;
  const resource = `${right.resource}.${GROUP}`;
  const message = words ?? `${person.user} may not ${right.verb} ${resource} ${where}.`;
  const missing = {
    verb: right.verb,
    resource,
    ...(right.namespace === undefined ? {} : { namespace: right.namespace }),
    grant: grantFor(person.user, right),
  };
  return new HttpProblem('Forbidden', message, { missing });
}

async function review(person: Person, right: Question): Promise<boolean> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: {
      resourceAttributes: {
        group: right.resource === READ_SECRETS.resource ? '' : GROUP,
        resource: right.resource,
        verb: right.verb,
        ...(right.namespace === undefined ? {} : { namespace: right.namespace }),
        ...(right.name === undefined ? {} : { name: right.name }),
      },
    },
  };
  const answer = await person.client.raw({ method: 'POST', path: REVIEWS, body });
  if (answer.status === 401) {
    throw new HttpProblem('Unauthenticated', 'The API server no longer accepts this sign-in. Sign in again.');
  }
  // Who may not even ask (no system:basic-user) may do nothing that we know of.
  if (answer.status === 403) return false;
  if (answer.status < 200 || answer.status > 299)
    throw unexpected(`whether ${person.user} may ${right.verb} ${right.resource}`, answer.status);
  return (answer.body as { status?: { allowed?: boolean } }).status?.allowed === true;
}

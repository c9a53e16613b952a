/** Calls of the API server as a person, and what a refusal of their rights is told as. */
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { Verb } from '@funnelai/domain/wire';
import { isForbidden, KubeError } from '@funnelai/kube/errors';
import { type AccessChecks, forbidden, type OurResource, type Right } from '../auth/access.ts';
import type { Person } from '../auth/identity.ts';
import { apiServerWords } from '../server/problems.ts';

/** Runs the call; a 403 that is about a missing right names it and how to grant it, one of a policy stays in its own words. */
export async function asPerson<T>(
  access: AccessChecks,
  person: Person,
  right: Right,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof KubeError && isForbidden(error) && !(await access.may(person, right, { maxAgeMs: 0 }))) {
      throw forbidden(person, right, apiServerWords(error));
    }
    throw error;
  }
}

/** Reads one object as the person. */
export function getAs<T extends KubeObject>(
  access: AccessChecks,
  person: Person,
  resource: Resource,
  key: { namespace: string; name: string },
  verb: Verb = 'get',
): Promise<T> {
  const right = { verb, resource: resource.plural as OurResource, ...key };
  return asPerson(access, person, right, () => person.client.get<T>(resource, key));
}

/** Field manager of what a person writes here: where no admission policy notes who it was, this does (marked as unverified). */
export function fieldManagerOf(person: Person): string {
  const printable = person.user.replace(/[^\x20-\x7e]/g, '_');
  return printable.slice(0, 128);
}

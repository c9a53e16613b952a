/** Who asks for what a path names. */
import type { FastifyRequest } from 'fastify';
import type { Identities, Person } from '../auth/identity.ts';
import { authenticate } from '../auth/request.ts';
import { demandNames } from '../server/names.ts';

/** Returns the person. Throws HttpProblem as `authenticate` does, then NotFound when the path cannot be that of an object. */
export async function personAt(
  request: FastifyRequest & { params: { namespace: string; name?: string } },
  identities: Identities,
): Promise<Person> {
  const who = await authenticate(request, identities);
  demandNames(request.params);
  return who;
}

/** What people write: edits guarded by what they saw, and declarations. Always as the person, never as us. */
import { randomUUID } from 'node:crypto';
import type { Incident } from '@funnelai/crds/generated/types';
import { API_VERSION, INCIDENTS } from '@funnelai/crds/meta';
import { incidentName } from '@funnelai/domain/incident-name';
import type { Declaration, IncidentEdit } from '@funnelai/domain/wire';
import { isAlreadyExists, isConflict, isInvalid, isNotFound, KubeError } from '@funnelai/kube/errors';
import { z } from 'zod';
import type { Person } from '../auth/identity.ts';
import { DECLARE_ATTEMPTS, EDIT_ATTEMPTS } from '../limits.ts';
import { HttpProblem } from '../server/problems.ts';
import { asPerson, fieldManagerOf, getAs } from './as-person.ts';
import type { ApiContext } from './context.ts';
import { conflictOn, firstStale, isDone, patchOf } from './edit.ts';

type Key = { namespace: string; name: string };

export const declarationSchema = z.strictObject({
  title: z.string().max(1_024),
  summary: z.string().max(32_768).optional(),
  severity: z.string().max(32),
  priority: z.string().max(32).optional(),
  onIt: z.boolean().optional(),
});

/**
 * Makes all edits in one write and returns the incident after it. Throws HttpProblem Conflict with who was first when a field is
 * no longer what the person saw; edits of different fields do not hinder each other.
 */
export async function editIncident(api: ApiContext, person: Person, key: Key, edit: IncidentEdit): Promise<Incident> {
  const right = { verb: 'patch', resource: 'incidents', ...key } as const;
  let lost: KubeError | undefined;
  let refused: { error: KubeError; version: string | undefined } | undefined;
  for (let attempt = 0; attempt < EDIT_ATTEMPTS; attempt += 1) {
    const incident = await getAs<Incident>(api.access, person, INCIDENTS, key);
    // An answer got lost, and what was asked for is there: it was that write.
    if (lost !== undefined && isDone(incident, edit.edits)) return incident;
    const stale = firstStale(incident, edit.edits);
    if (stale !== undefined) throw conflict(incident, stale);
    // Nothing moved since the refusal, so it was not a lost race: it is the API server's answer.
    if (refused !== undefined && refused.version === incident.metadata.resourceVersion) throw refused.error;
    try {
      const patched = await asPerson(api.access, person, right, () =>
        person.client.jsonPatch<Incident>(INCIDENTS, key, patchOf(incident, edit), {
          fieldManager: fieldManagerOf(person),
        }),
      );
      api.incidents.observe(patched);
      return patched;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.perhapsStored) lost = error;
      else if (isInvalid(error) || isConflict(error)) refused = { error, version: incident.metadata.resourceVersion };
      else throw error;
    }
  }
  throw (
    lost ??
    refused?.error ??
    new HttpProblem('Unavailable', 'The incident keeps changing. Look at it again and repeat what you did.')
  );
}

function conflict(incident: Incident, stale: IncidentEdit['edits'][number]): HttpProblem {
  const found = conflictOn(incident, stale);
  const who = found.by ?? 'Someone else';
  const value = found.theirs === null ? 'nothing' : JSON.stringify(found.theirs);
  const message = `${who} was first: ${found.field} is now ${value}. Nothing of yours was written.`;
  return new HttpProblem('Conflict', message, { field: `spec.${found.field}`, conflict: found });
}

/** Declares an incident and returns it. A name that is taken makes way for another. */
export async function declareIncident(
  api: ApiContext,
  person: Person,
  namespace: string,
  declaration: z.infer<typeof declarationSchema>,
): Promise<Incident> {
  const { title, summary, severity, priority, onIt = false } = declaration;
  const spec = {
    title,
    ...(summary === undefined || summary === '' ? {} : { summary }),
    severity: severity as Declaration['severity'],
    ...(priority === undefined ? {} : { priority: priority as NonNullable<Declaration['priority']> }),
    phase: onIt ? 'Response' : 'Detection',
    ...(onIt ? { owner: { name: person.user } } : {}),
    reportedBy: person.user,
  } satisfies Incident['spec'];
  const right = { verb: 'create', resource: 'incidents', namespace } as const;
  // Declared incidents have no origin to be named after: the words are drawn by lot.
  const seed = randomUUID();
  for (let attempt = 0; attempt < DECLARE_ATTEMPTS; attempt += 1) {
    const name = incidentName({ namespace, rule: undefined, groupKey: seed, opening: attempt + 1 }, baseOf(title));
    const incident: Incident = { apiVersion: API_VERSION, kind: 'Incident', metadata: { namespace, name }, spec };
    try {
      const options = { fieldManager: fieldManagerOf(person) };
      const created = await asPerson(api.access, person, right, () =>
        person.client.create<Incident>(INCIDENTS, incident, options),
      );
      api.incidents.observe(created);
      return created;
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      if (!(error instanceof KubeError) || !error.perhapsStored) throw error;
      const found = await ours(api, person, { namespace, name }, spec);
      if (found === undefined) throw error;
      return found;
    }
  }
  throw new HttpProblem('Unavailable', `No free name was found in ${DECLARE_ATTEMPTS} attempts. Try again.`);
}

async function ours(api: ApiContext, person: Person, key: Key, spec: Incident['spec']): Promise<Incident | undefined> {
  try {
    const found = await getAs<Incident>(api.access, person, INCIDENTS, key);
    return found.spec.title === spec.title && found.spec.reportedBy === spec.reportedBy ? found : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The first word of the title that says something, for people who say the name aloud. */
function baseOf(title: string): string {
  const words = title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
    .split(' ')
    .filter((word) => word.length > 2 && /[a-z]/.test(word));
  return words[0] ?? 'incident';
}

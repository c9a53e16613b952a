/** For tests: builds Incidents and takes them to a phase by legal moves. */
import type { Incident, IncidentSpec, Phase } from '../generated/types.ts';
import { CHANGES_ANNOTATION } from '../meta.ts';
import { type Answer, eventually, kubectl, makeNamespace, mustKubectl, type User } from './api-server.ts';

export const INCIDENTS = 'incidents.funnelai.dev';

/** How to get to each phase from birth. */
export const WAY: Record<Phase, Phase[]> = {
  Detection: [],
  Response: ['Response'],
  Mitigation: ['Response', 'Mitigation'],
  Resolution: ['Resolution'],
  Postmortem: ['Resolution', 'Postmortem'],
  Closed: ['Resolution', 'Closed'],
};

/** A manifest of an Incident that the API server accepts, unless `spec` makes it otherwise; `undefined` leaves a field out. */
export function anIncident(
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
) {
  return {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Incident',
    metadata: { namespace, name, ...metadata },
    spec: { title: 'Checkout answers 5xx', severity: 'High', phase: 'Detection', ...spec },
  };
}

export function createIncident(user: User, manifest: unknown, ...flags: string[]): Promise<Answer> {
  return kubectl(user, ['create', '-o', 'json', ...flags, '-f', '-'], manifest);
}

/** As `makeNamespace`, once policies and roles work: the API server takes them up some moments after they were applied. */
export async function makeGuardedNamespace(
  purpose: string,
  roles: Partial<Record<User, string>> = {},
): Promise<string> {
  const namespace = await makeNamespace(purpose, roles);
  const unlogged = anIncident(namespace, 'probe', { phase: undefined });
  await eventually(
    () => createIncident('admin', unlogged, '--dry-run=server'),
    ({ ok }) => ok,
  );
  return namespace;
}

/** Merge-patches an Incident. */
export function patch(user: User, namespace: string, name: string, body: unknown, ...flags: string[]): Promise<Answer> {
  return kubectl(user, [
    '-n',
    namespace,
    'patch',
    INCIDENTS,
    name,
    '--type=merge',
    '-p',
    JSON.stringify(body),
    ...flags,
  ]);
}

/** As `patch` of spec, for what must succeed. */
export async function mustPatch(
  user: User,
  namespace: string,
  name: string,
  spec: Partial<Record<keyof IncidentSpec, unknown>>,
): Promise<void> {
  await mustKubectl(user, ['-n', namespace, 'patch', INCIDENTS, name, '--type=merge', '-p', JSON.stringify({ spec })]);
}

/** Creates an Incident and takes it to `phase`. */
export async function incidentIn(phase: Phase, user: User, namespace: string, name: string): Promise<void> {
  await mustKubectl(user, ['create', '-f', '-'], anIncident(namespace, name));
  for (const step of WAY[phase]) await mustPatch(user, namespace, name, { phase: step });
}

export async function getIncident(namespace: string, name: string): Promise<Incident> {
  return JSON.parse(
    await mustKubectl('admin', ['-n', namespace, 'get', INCIDENTS, name, '-o', 'json', '--show-managed-fields']),
  );
}

/** The admission log as it stands: the counter, and each entry's parts as they were written. */
export function logOf(incident: Incident): { counter: number; entries: string[][] } {
  const [counter, ...entries] = (incident.metadata.annotations?.[CHANGES_ANNOTATION] ?? '').split(';');
  return { counter: Number(counter), entries: entries.map((entry) => entry.split('|')) };
}

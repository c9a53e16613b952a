/** Who may bring an incident back from history, and as what: the verb restore, of which no role of people knows. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { HISTORY_FINALIZER } from './meta.ts';
import { eventually, kubectl, mustKubectl, type User } from './testing/api-server.ts';
import {
  anIncident,
  createIncident,
  getIncident,
  INCIDENTS,
  logOf,
  makeGuardedNamespace,
  patch,
} from './testing/incidents.ts';

const CONFIG = fileURLToPath(new URL('../config/', import.meta.url));
const restoredFrom = { uid: '878b3f00-e1c7-493c-9ed5-50589f3b3397', changeSequence: 17 };
const origin = { ruleRef: { name: 'pods' }, groupKey: '[["namespace","pay"]]', opening: 3 };

let namespace: string;
/** bo holds the rules of the ClusterRole funnelai-restore here, and nothing else. */
beforeAll(async () => {
  namespace = await makeGuardedNamespace('restore', { ana: 'funnelai-responder', nadia: 'admin' });
  const documents = parseAllDocuments(readFileSync(`${CONFIG}restore/rbac.yaml`, 'utf8')).map((one) => one.toJS());
  const { rules } = documents.find(({ kind }) => kind === 'ClusterRole');
  const metadata = { name: 'restorer', namespace };
  await mustKubectl('admin', ['create', '-f', '-'], {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata,
    rules,
  });
  await mustKubectl('admin', ['-n', namespace, 'create', 'rolebinding', 'restorer', '--role=restorer', '--user=bo']);
  await eventually(
    () => kubectl('bo', ['-n', namespace, 'auth', 'can-i', 'restore', INCIDENTS]),
    ({ ok }) => ok,
  );
}, 60_000);

const born = (user: User, spec: object, ...flags: string[]) =>
  createIncident(user, anIncident(namespace, 'back', { ...spec }), ...flags);

describe('a restored incident', () => {
  it.each(['Detection', 'Response', 'Mitigation', 'Resolution', 'Postmortem'] as const)(
    'is born in %s',
    async (phase) => {
      const answer = await born('bo', { phase, restoredFrom, origin, owner: { name: 'ana' } }, '--dry-run=server');
      expect(answer.ok, answer.stderr).toBe(true);
      const incident = JSON.parse(answer.stdout);
      expect(incident.spec).toMatchObject({ phase, restoredFrom, origin });
      expect(incident.metadata.finalizers).toEqual([HISTORY_FINALIZER]);
      expect(logOf(incident).entries.map(([field, value, user]) => [field, value, user])).toEqual([
        ['phase', phase, 'bo'],
        ['severity', 'High', 'bo'],
        ['priority', 'P2', 'bo'],
        ['owner', 'ana', 'bo'],
      ]);
    },
  );

  it.each<User>(['ana', 'nadia', 'operator'])('is nothing that %s may make', async (user) => {
    const answer = await born(user, { restoredFrom }, '--dry-run=server');
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toContain('only who holds the verb restore on incidents.funnelai.dev may set it');
  });

  it('keeps where it comes from, and the table of moves holds for it', async () => {
    const name = 'kept';
    await mustKubectl('bo', ['create', '-f', '-'], anIncident(namespace, name, { phase: 'Mitigation', restoredFrom }));
    for (const spec of [{ restoredFrom: null }, { restoredFrom: { changeSequence: 18 } }]) {
      const answer = await patch('admin', namespace, name, { spec });
      expect(answer.stderr).toContain('restoredFrom is fixed at birth');
    }
    expect((await patch('ana', namespace, name, { spec: { phase: 'Closed' } })).stderr).toContain(
      'phase Mitigation cannot go to Closed',
    );
    expect((await patch('ana', namespace, name, { spec: { phase: 'Resolution' } })).ok).toBe(true);
    expect((await getIncident(namespace, name)).spec.restoredFrom).toEqual(restoredFrom);
  });

  it('cannot be made out of another one', async () => {
    await mustKubectl('ana', ['create', '-f', '-'], anIncident(namespace, 'plain'));
    const answer = await patch('admin', namespace, 'plain', { spec: { restoredFrom } });
    expect(answer.stderr).toContain('restoredFrom is fixed at birth');
  });
});

describe('the right to restore', () => {
  it('is not the right to open incidents for a group, to take off finalizers, or to move anything', async () => {
    expect((await born('bo', { origin }, '--dry-run=server')).stderr).toContain('leave it out of one that you declare');
    await mustKubectl('bo', ['create', '-f', '-'], anIncident(namespace, 'held', { restoredFrom }));
    for (const body of [{ metadata: { finalizers: null } }, { spec: { phase: 'Response' } }]) {
      expect((await patch('bo', namespace, 'held', body)).ok).toBe(false);
    }
  });

  it('cannot be given by a namespace administrator', async () => {
    const role = ['create', 'role', 'mine', '--verb=restore', `--resource=${INCIDENTS}`];
    expect((await kubectl('nadia', ['-n', namespace, ...role])).stderr).toContain(
      'is attempting to grant RBAC permissions not currently held',
    );
  });

  it('comes with manifests that the API server accepts, and so does leaving', async () => {
    for (const folder of ['restore', 'leave']) {
      const answer = await kubectl('admin', ['apply', '--server-side', '--dry-run=server', '-k', `${CONFIG}${folder}`]);
      expect(answer.ok, answer.stderr).toBe(true);
      expect(answer.stdout).toContain(`job.batch/funnelai-${folder} serverside-applied`);
    }
  });
});

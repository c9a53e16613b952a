/** Who may do what: the roles for people and for our two processes, as the API server's authorizer answers. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, kubectl, makeNamespace, mustKubectl, type User } from './testing/api-server.ts';

const WRITE = ['create', 'update', 'patch'];
const READ = ['get', 'list', 'watch'];
const VERBS = [...READ, ...WRITE, 'delete', 'deletecollection', 'finalize-history', 'waive-history', 'restore'];
const RESOURCES = ['alerts', 'alertsources', 'correlationrules', 'incidents'];
const STATUS = RESOURCES.map((resource) => `${resource}/status`);

/** API groups of resources that are not ours. */
const GROUPS: Record<string, string> = {
  secrets: '',
  namespaces: '',
  leases: 'coordination.k8s.io',
  events: 'events.k8s.io',
};

/** What each may do with each resource; what is not named is refused. */
type Rights = Record<string, string[]>;
const viewer: Rights = Object.fromEntries(RESOURCES.map((resource) => [resource, READ]));
const responder: Rights = { ...viewer, incidents: [...READ, ...WRITE] };
const config = [...READ, ...WRITE, 'delete', 'deletecollection'];
const administrator: Rights = { ...responder, alertsources: config, correlationrules: config };
const EXPECTED: Record<string, { user: User; rights: Rights }> = {
  'funnelai-viewer': { user: 'vera', rights: viewer },
  'funnelai-responder': { user: 'ana', rights: responder },
  'funnelai-admin': { user: 'nadia', rights: administrator },
  'nobody in particular': { user: 'sam', rights: {} },
  'funnelai-operator': {
    user: 'operator',
    rights: {
      ...viewer,
      alerts: [...READ, 'delete'],
      incidents: [...READ, ...WRITE, 'delete', 'finalize-history'],
      ...Object.fromEntries(STATUS.map((resource) => [resource, ['get', 'update', 'patch']])),
    },
  },
  'funnelai-webhook': {
    user: 'webhook',
    rights: { ...viewer, alerts: [...READ, 'create', 'patch'], 'alertsources/status': ['patch'] },
  },
};

interface Question {
  verb: string;
  resource: string;
  namespace: string;
}

/** Asks the API server what `user` may do, as that user; answers in the order of the questions. */
async function canAll(user: User, questions: Question[]): Promise<boolean[]> {
  const reviews = questions.map(({ verb, resource: path, namespace }) => {
    const [resource = '', subresource = ''] = path.split('/');
    const group = GROUPS[resource] ?? 'funnelai.dev';
    const resourceAttributes = { verb, group, resource, subresource, namespace };
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  });
  const flags = ['create', '--validate=false', '-o', 'jsonpath={.status.allowed}{"\\n"}', '-f', '-'];
  const answers = (await mustKubectl(user, flags, { apiVersion: 'v1', kind: 'List', items: reviews }))
    .trim()
    .split('\n');
  return answers.map((answer) => answer === 'true');
}

const can = async (user: User, verb: string, resource: string, namespace: string): Promise<boolean> =>
  (await canAll(user, [{ verb, resource, namespace }]))[0] === true;

let direct: string;
let aggregated: string;
beforeAll(async () => {
  direct = await makeNamespace('rights', {
    vera: 'funnelai-viewer',
    ana: 'funnelai-responder',
    nadia: 'funnelai-admin',
  });
  aggregated = await makeNamespace('rights', { vera: 'view', ana: 'edit', nadia: 'admin' });
  // The controller manager aggregates ClusterRoles some moments after they were made.
  await eventually(
    () => can('nadia', 'delete', 'alertsources', aggregated),
    (yes) => yes,
  );
}, 60_000);

describe.each(Object.entries(EXPECTED))('%s', (role, { user, rights }) => {
  it.each([...RESOURCES, ...STATUS])('on %s', async (resource) => {
    const answers = await canAll(
      user,
      VERBS.map((verb) => ({ verb, resource, namespace: direct })),
    );
    const allowed = VERBS.filter((_, i) => answers[i]);
    expect(allowed, `${role} as ${user}`).toEqual(VERBS.filter((verb) => rights[resource]?.includes(verb)));
  });
});

describe('the roles that clusters give out already', () => {
  it.each<[User, string, string, boolean]>([
    ['vera', 'watch', 'incidents', true],
    ['vera', 'patch', 'incidents', false],
    ['ana', 'patch', 'incidents', true],
    ['ana', 'create', 'incidents', true],
    ['ana', 'patch', 'correlationrules', false],
    ['ana', 'patch', 'incidents/status', false],
    ['nadia', 'delete', 'correlationrules', true],
    ['nadia', 'patch', 'incidents/status', false],
    ['nadia', 'waive-history', 'incidents', false],
    ['nadia', 'finalize-history', 'incidents', false],
  ])('%s may %s %s: %s', async (user, verb, resource, expected) => {
    expect(await can(user, verb, resource, aggregated)).toBe(expected);
  });

  it('reach no other namespace', async () => {
    for (const user of ['vera', 'ana', 'nadia', 'sam'] as const) {
      expect(await can(user, 'get', 'incidents', 'kube-system'), user).toBe(false);
    }
  });
});

describe('our processes', () => {
  it.each<[User, string, string, string, boolean]>([
    ['operator', 'get', 'secrets', 'kube-system', true],
    ['operator', 'list', 'secrets', 'kube-system', false],
    ['operator', 'watch', 'secrets', 'kube-system', false],
    ['operator', 'update', 'leases', 'funnel-system', true],
    ['operator', 'update', 'leases', 'kube-system', false],
    ['operator', 'create', 'events', 'kube-system', true],
    ['webhook', 'get', 'secrets', 'kube-system', true],
    ['webhook', 'list', 'secrets', 'kube-system', false],
    ['webhook', 'list', 'namespaces', 'kube-system', true],
    ['webhook', 'patch', 'incidents', 'kube-system', false],
    ['webhook', 'patch', 'alerts/status', 'kube-system', false],
  ])('%s may %s %s in %s: %s', async (user, verb, resource, where, expected) => {
    expect(await can(user, verb, resource, where)).toBe(expected);
  });
});

it('kubectl auth can-i says the same', async () => {
  for (const [user, expected] of [
    ['ana', 'yes'],
    ['vera', 'no'],
    ['sam', 'no'],
  ] as const) {
    const answer = await kubectl(user, ['auth', 'can-i', 'patch', 'incidents.funnelai.dev', '-n', direct]);
    expect(answer.stdout.trim(), user).toBe(expected);
  }
});

/** The record of human acts, kept by the API server itself: what it says, and every way in which somebody might falsify it. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHANGES_ANNOTATION, HISTORY_FINALIZER } from './meta.ts';
import { directory, eventually, kubectl, mustKubectl, type User } from './testing/api-server.ts';
import {
  anIncident,
  createIncident,
  getIncident,
  INCIDENTS,
  logOf,
  makeGuardedNamespace,
  mustPatch,
  patch,
} from './testing/incidents.ts';

let namespace: string;
beforeAll(async () => {
  namespace = await makeGuardedNamespace('log', { ana: 'funnelai-responder', bo: 'edit', nadia: 'admin' });
}, 60_000);

/** Creates an incident that has an owner already, so that nobody else has a reason to write to it. */
async function born(user: User, name: string, spec: Record<string, unknown> = {}): Promise<string> {
  await mustKubectl(user, ['create', '-f', '-'], anIncident(namespace, name, { owner: { name: 'ana' }, ...spec }));
  return name;
}
const log = async (name: string) => logOf(await getIncident(namespace, name));
const seconds = (time: string | undefined) => Date.parse(time ?? '') / 1000;

describe('the log', () => {
  it('begins with the values at birth, in the order phase, severity, priority, owner', async () => {
    const before = Math.floor(performance.timeOrigin + performance.now()) / 1000;
    const name = await born('ana', 'birth', { phase: undefined, phaseReason: 'seen on the board' });
    const { counter, entries } = await log(name);
    expect(counter).toBe(4);
    const at = entries[0]?.[3];
    expect(entries).toEqual([
      ['phase', 'Detection', 'ana', at, 'seen on the board'],
      ['severity', 'High', 'ana', at, ''],
      ['priority', 'P2', 'ana', at, ''],
      ['owner', 'ana', 'ana', at, ''],
    ]);
    expect(seconds(at)).toBeGreaterThanOrEqual(Math.floor(before) - 1);
    expect(seconds(at)).toBeLessThanOrEqual(before + 30);
    expect((await getIncident(namespace, name)).metadata.finalizers).toEqual([HISTORY_FINALIZER]);
  });

  it('holds one entry for each field of one write, the reason with the phase', async () => {
    const name = await born('ana', 'two-fields');
    await mustPatch('bo', namespace, name, {
      phase: 'Response',
      phaseReason: 'mine',
      owner: { name: 'bo' },
      severity: 'Critical',
    });
    const { counter, entries } = await log(name);
    expect(counter).toBe(7);
    expect(entries.slice(4).map(([field, value, user, , reason]) => [field, value, user, reason])).toEqual([
      ['phase', 'Response', 'bo', 'mine'],
      ['severity', 'Critical', 'bo', ''],
      ['owner', 'bo', 'bo', ''],
    ]);
  });

  it('encodes percent, bar and semicolon, and nothing else', async () => {
    const name = await born('ana', 'encoded');
    await mustPatch('ana', namespace, name, {
      phase: 'Response',
      phaseReason: '50% done; a|b\nsecond line, %3B',
      owner: { name: 'a|b;c%d é' },
    });
    const { entries } = await log(name);
    expect(entries.at(-2)?.[4]).toBe('50%25 done%3B a%7Cb\nsecond line, %253B');
    expect(entries.at(-1)?.[1]).toBe('a%7Cb%3Bc%25d é');
  });

  it('gets no entry from writes that change none of the four', async () => {
    const name = await born('ana', 'quiet');
    const before = await log(name);
    await mustPatch('ana', namespace, name, { phase: 'Detection', severity: 'High', owner: { name: 'ana' } });
    await mustPatch('ana', namespace, name, { title: 'Renamed', summary: 'more' });
    await mustKubectl('ana', ['-n', namespace, 'label', INCIDENTS, name, 'a=b']);
    expect(await log(name)).toEqual(before);
  });

  it('does not record the reason of the move before again, and takes it out of spec', async () => {
    const name = await born('ana', 'stale');
    await mustPatch('ana', namespace, name, { phase: 'Response', phaseReason: 'on it' });
    await mustPatch('ana', namespace, name, { phase: 'Mitigation' });
    expect((await log(name)).entries.at(-1)).toMatchObject(['phase', 'Mitigation', 'ana', expect.any(String), '']);
    expect((await getIncident(namespace, name)).spec.phaseReason).toBeUndefined();
    await mustPatch('ana', namespace, name, { phase: 'Resolution', phaseReason: 'rolled back' });
    await mustPatch('ana', namespace, name, { title: 'Renamed' });
    expect((await getIncident(namespace, name)).spec.phaseReason).toBe('rolled back');
  });

  it('leaves the time of a write that only takes a value away empty, rather than name that of another write', async () => {
    const name = await born('ana', 'released');
    await mustPatch('ana', namespace, name, { owner: null });
    expect((await log(name)).entries.at(-1)).toEqual(['owner', '', 'ana', '', '']);
    await mustPatch('bo', namespace, name, { owner: { name: 'bo' } });
    expect(seconds((await log(name)).entries.at(-1)?.[3])).toBeGreaterThan(0);
  });

  it('keeps the last 16 entries and counts on, however long the values are', async () => {
    const name = await born('ana', 'many');
    for (let i = 0; i < 20; i += 1) {
      await mustPatch('ana', namespace, name, { owner: { name: `${'%'.repeat(250)}${i}` } });
    }
    const { counter, entries } = await log(name);
    expect(counter).toBe(24);
    expect(entries.map(([, value]) => value?.replaceAll('%25', ''))).toEqual(
      Array.from({ length: 16 }, (_, i) => String(i + 4)),
    );
  }, 60_000);

  it('has each of many writes at the same moment exactly once, in the order in which they took effect', async () => {
    const name = await born('ana', 'crowd');
    const owners = Array.from({ length: 12 }, (_, i) => `owner-${i}`);
    const users = ['ana', 'bo', 'nadia'] as const;
    const write = (owner: string, i: number) =>
      mustPatch(users[i % 3] ?? 'ana', namespace, name, { owner: { name: owner } });
    await Promise.all(owners.map(write));
    const { counter, entries } = await log(name);
    expect(counter).toBe(4 + owners.length);
    const written = entries.slice(4).map(([, owner = '', user]) => ({ owner, user }));
    const expected = owners.map((owner, i) => ({ owner, user: users[i % 3] }));
    expect(written.sort((a, b) => a.owner.localeCompare(b.owner))).toEqual(
      expected.sort((a, b) => a.owner.localeCompare(b.owner)),
    );
    expect((await getIncident(namespace, name)).spec.owner?.name).toBe(entries.at(-1)?.[1]);
  });

  it('is not touched by a dry run', async () => {
    const name = await born('ana', 'dry');
    const before = await log(name);
    const answer = await patch(
      'ana',
      namespace,
      name,
      { spec: { phase: 'Response' } },
      '--dry-run=server',
      '-o',
      'json',
    );
    expect(logOf(JSON.parse(answer.stdout)).counter).toBe(5);
    expect(await log(name)).toEqual(before);
  });

  it('names the person who is impersonated, who applies, who replaces and who edits', async () => {
    const name = await born('ana', 'ways');
    const asBo = await patch('admin', namespace, name, { spec: { phase: 'Response' } }, '--as=bo');
    expect(asBo.ok, asBo.stderr).toBe(true);
    const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=x', '-f', '-'];
    await mustKubectl('ana', apply, anIncident(namespace, name, { phase: 'Mitigation' }));
    await mustKubectl('ana', apply, anIncident(namespace, name, { phase: 'Mitigation' }));
    const current = await getIncident(namespace, name);
    await mustKubectl('nadia', ['replace', '-f', '-'], { ...current, spec: { ...current.spec, phase: 'Resolution' } });
    const editor = join(directory, 'editor.sh');
    writeFileSync(
      editor,
      '#!/bin/sh\nsed -i "s/phase: Resolution/phase: Closed/; s/^    funnelai.dev.changes: .*/    funnelai.dev\\/changes: forged/" "$1"\n',
    );
    chmodSync(editor, 0o700);
    const edited = await kubectl('bo', ['-n', namespace, 'edit', INCIDENTS, name], undefined, { KUBE_EDITOR: editor });
    expect(edited.ok, edited.stderr).toBe(true);
    const { counter, entries } = await log(name);
    expect(counter).toBe(8);
    expect(entries.slice(4).map(([, value, user]) => [value, user])).toEqual([
      ['Response', 'bo'],
      ['Mitigation', 'ana'],
      ['Resolution', 'nadia'],
      ['Closed', 'bo'],
    ]);
    expect(entries.every(([, , , at]) => seconds(at) > 0)).toBe(true);
  });
});

describe('an administrator of the namespace cannot falsify the log', () => {
  const FORGED = '2;phase|Response|bo|2020-01-01T00:00:00Z|;owner|bo|bo|2020-01-01T00:00:00Z|';
  const annotations = { [CHANGES_ANNOTATION]: FORGED };
  const managedFields = Array.from({ length: 12 }, (_, i) => ({
    manager: `someone-${i}`,
    operation: 'Update',
    apiVersion: 'funnelai.dev/v1alpha1',
    time: '2099-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': { 'f:phase': {}, 'f:severity': {}, 'f:priority': {}, 'f:owner': { 'f:name': {} }, 'f:title': {} },
    },
  }));
  const jsonPatch = (name: string, operations: unknown) =>
    kubectl('nadia', ['-n', namespace, 'patch', INCIDENTS, name, '--type=json', '-p', JSON.stringify(operations)]);
  const apply = (name: string, metadata: object) =>
    kubectl(
      'nadia',
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      anIncident(namespace, name, {}, { ...metadata }),
    );

  it('at create', async () => {
    const answer = await createIncident(
      'nadia',
      anIncident(namespace, 'forged', { phase: undefined }, { annotations, managedFields }),
    );
    const { counter, entries } = logOf(JSON.parse(answer.stdout));
    expect(counter).toBe(3);
    expect(entries.map(([field, , user]) => [field, user])).toEqual([
      ['phase', 'nadia'],
      ['severity', 'nadia'],
      ['priority', 'nadia'],
    ]);
    expect(entries.some((entry) => entry[3]?.startsWith('2099'))).toBe(false);
  });

  it.each<[string, (name: string) => Promise<{ stderr: string }>]>([
    ['merge-patch', (name) => patch('nadia', namespace, name, { metadata: { annotations } })],
    [
      'merge-patch that removes it',
      (name) => patch('nadia', namespace, name, { metadata: { annotations: { [CHANGES_ANNOTATION]: null } } }),
    ],
    ['merge-patch that removes all', (name) => patch('nadia', namespace, name, { metadata: { annotations: null } })],
    ['JSON patch', (name) => jsonPatch(name, [{ op: 'replace', path: '/metadata/annotations', value: annotations }])],
    ['JSON patch that removes all', (name) => jsonPatch(name, [{ op: 'remove', path: '/metadata/annotations' }])],
    ['server-side apply', (name) => apply(name, { annotations })],
    [
      'kubectl annotate',
      (name) =>
        kubectl('nadia', [
          '-n',
          namespace,
          'annotate',
          '--overwrite',
          INCIDENTS,
          name,
          `${CHANGES_ANNOTATION}=${FORGED}`,
        ]),
    ],
    [
      'replace',
      async (name) => {
        const current = await getIncident(namespace, name);
        return kubectl('nadia', ['replace', '-f', '-'], { ...current, metadata: { ...current.metadata, annotations } });
      },
    ],
    ['status', (name) => patch('nadia', namespace, name, { metadata: { annotations } }, '--subresource=status')],
    [
      'status, by the operator itself',
      (name) =>
        patch(
          'operator',
          namespace,
          name,
          { metadata: { annotations, finalizers: null }, status: { round: 1 } },
          '--subresource=status',
        ),
    ],
  ])('by %s', async (way, act) => {
    const name = await born('ana', `forge-${way.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`);
    const before = await log(name);
    await act(name);
    expect(await log(name)).toEqual(before);
    expect((await getIncident(namespace, name)).metadata.finalizers).toEqual([HISTORY_FINALIZER]);
  });

  it('while it also changes something: what it did is recorded, what it claims is not', async () => {
    const name = await born('ana', 'mixed');
    await patch('nadia', namespace, name, { metadata: { annotations }, spec: { severity: 'Low' } });
    const { counter, entries } = await log(name);
    expect(counter).toBe(5);
    expect(entries.at(-1)?.slice(0, 3)).toEqual(['severity', 'Low', 'nadia']);
  });

  it('by times of its own making in managedFields, at once or planted before', async () => {
    const name = await born('ana', 'times');
    await patch('nadia', namespace, name, {
      metadata: { managedFields: managedFields.slice(0, 5) },
      spec: { phase: 'Response' },
    });
    await patch('nadia', namespace, name, { metadata: { managedFields } });
    await patch('nadia', namespace, name, { metadata: { managedFields }, spec: { owner: null } });
    await mustPatch('bo', namespace, name, { phase: 'Mitigation', owner: { name: 'bo' } });
    const { counter, entries } = await log(name);
    expect(counter).toBe(8);
    expect(entries.filter((entry) => entry[3]?.startsWith('2099'))).toEqual([]);
    expect(seconds(entries[4]?.[3])).toBeGreaterThan(0);
  });
});

describe('an owner reference, by which Kubernetes would delete the incident', () => {
  const owned = { ownerReferences: [{ apiVersion: 'v1', kind: 'Secret', name: 'gone', uid: crypto.randomUUID() }] };

  it('is added by nobody who may not delete incidents, at birth or later', async () => {
    const atBirth = await createIncident('nadia', anIncident(namespace, 'owned', {}, owned), '--dry-run=server');
    expect(atBirth.stderr).toContain('only who may delete incidents.funnelai.dev may add one');
    await born('ana', 'disowned');
    const later = await patch('nadia', namespace, 'disowned', { metadata: owned });
    expect(later.stderr).toContain('only who may delete incidents.funnelai.dev may add one');
    expect((await patch('nadia', namespace, 'disowned', { spec: { phase: 'Response' } })).ok).toBe(true);
  });

  it('is added by who may delete them, and may then stay', async () => {
    await born('ana', 'adopted');
    // Of a kind that the garbage collector does not know, so that it leaves the incident alone.
    const adopted = {
      ownerReferences: [{ ...owned.ownerReferences[0], apiVersion: 'none.example/v1', kind: 'Owner' }],
    };
    const added = await patch('admin', namespace, 'adopted', { metadata: adopted });
    expect(added.ok, added.stderr).toBe(true);
    const moved = await patch('ana', namespace, 'adopted', { spec: { phase: 'Response' } });
    expect(moved.ok, moved.stderr).toBe(true);
  });
});

describe('the history finalizer', () => {
  it.each<[string, (name: string) => Promise<{ ok: boolean; stderr: string }>]>([
    ['merge-patch', (name) => patch('nadia', namespace, name, { metadata: { finalizers: null } })],
    [
      'JSON patch',
      (name) =>
        kubectl('nadia', [
          '-n',
          namespace,
          'patch',
          INCIDENTS,
          name,
          '--type=json',
          '-p',
          '[{"op":"remove","path":"/metadata/finalizers"}]',
        ]),
    ],
    [
      'replace',
      async (name) => {
        const current = await getIncident(namespace, name);
        return kubectl('nadia', ['replace', '-f', '-'], {
          ...current,
          metadata: { ...current.metadata, finalizers: ['other.example/x'] },
        });
      },
    ],
    [
      'apply that owned it and leaves it out',
      async (name) => {
        const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=mine', '-f', '-'];
        const owning = { finalizers: [HISTORY_FINALIZER] };
        await mustKubectl('nadia', apply, anIncident(namespace, name, {}, owning));
        return kubectl('nadia', apply, anIncident(namespace, name));
      },
    ],
    [
      'edit',
      (name) => {
        const editor = join(directory, 'unfinalize.sh');
        writeFileSync(editor, '#!/bin/sh\nsed -i "/finalizers:/d; /- funnelai.dev.history/d" "$1"\n');
        chmodSync(editor, 0o700);
        return kubectl('nadia', ['-n', namespace, 'edit', INCIDENTS, name], undefined, { KUBE_EDITOR: editor });
      },
    ],
    [
      'together with a legal move',
      (name) => patch('nadia', namespace, name, { metadata: { finalizers: [] }, spec: { phase: 'Response' } }),
    ],
  ])('is not taken off by an administrator of the namespace: %s', async (way, act) => {
    const name = await born('ana', `held-${way.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`);
    const answer = await act(name);
    expect(answer.ok).toBe(false);
    expect(answer.stderr).toContain('only who holds the verb waive-history on incidents.funnelai.dev may remove it');
    expect((await getIncident(namespace, name)).metadata.finalizers).toEqual([HISTORY_FINALIZER]);
  });

  it.each<[string, (name: string) => Promise<{ ok: boolean; stderr: string }>]>([
    ['status', (name) => patch('nadia', namespace, name, { metadata: { finalizers: null } }, '--subresource=status')],
    [
      'impersonation',
      (name) =>
        kubectl('nadia', [
          '--as=system:serviceaccount:funnel-system:funnelai-operator',
          ...['-n', namespace, 'patch', INCIDENTS, name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}'],
        ]),
    ],
    ['delete', (name) => kubectl('nadia', ['-n', namespace, 'delete', INCIDENTS, name, '--wait=false'])],
    ['delete of all', () => kubectl('nadia', ['-n', namespace, 'delete', INCIDENTS, '--all', '--wait=false'])],
  ])('is out of reach of an administrator of the namespace by %s', async (way, act) => {
    const name = await born('ana', `reach-${way.replaceAll(' ', '-')}`);
    expect((await act(name)).ok).toBe(false);
    expect((await getIncident(namespace, name)).metadata.finalizers).toEqual([HISTORY_FINALIZER]);
  });

  it('stays though its incident is being deleted and the namespace with it', async () => {
    const doomed = await makeGuardedNamespace('doomed', { nadia: 'admin' });
    await mustKubectl('admin', ['create', '-f', '-'], anIncident(doomed, 'last'));
    await mustKubectl('admin', ['delete', 'namespace', doomed, '--wait=false']);
    await eventually(
      () => getIncident(doomed, 'last'),
      ({ metadata }) => metadata.deletionTimestamp !== undefined,
    );
    expect((await patch('nadia', doomed, 'last', { metadata: { finalizers: null } })).ok).toBe(false);
    const answer = await patch('operator', doomed, 'last', { metadata: { finalizers: null } });
    expect(answer.ok, answer.stderr).toBe(true);
  });

  it('holds a deleted incident until the operator takes it off', async () => {
    const name = await born('ana', 'deleted');
    await mustKubectl('admin', ['-n', namespace, 'delete', INCIDENTS, name, '--wait=false']);
    expect((await patch('nadia', namespace, name, { metadata: { finalizers: null } })).ok).toBe(false);
    const taken = await patch('operator', namespace, name, { metadata: { finalizers: null } });
    expect(taken.ok, taken.stderr).toBe(true);
    expect((await kubectl('admin', ['-n', namespace, 'get', INCIDENTS, name])).stderr).toContain('NotFound');
  });

  it('comes off by who was given waive-history, which a namespace administrator cannot give', async () => {
    const name = await born('ana', 'waived');
    const role = ['create', 'role', 'waiver', '--verb=waive-history', `--resource=${INCIDENTS}`];
    expect((await kubectl('nadia', ['-n', namespace, ...role])).stderr).toContain(
      'is attempting to grant RBAC permissions not currently held',
    );
    await mustKubectl('admin', ['-n', namespace, ...role]);
    await mustKubectl('admin', ['-n', namespace, 'create', 'rolebinding', 'waiver', '--role=waiver', '--user=bo']);
    const answer = await patch('bo', namespace, name, { metadata: { finalizers: null } });
    expect(answer.ok, answer.stderr).toBe(true);
  });
});

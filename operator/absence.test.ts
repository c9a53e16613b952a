/** The operator is away and people work on: whatever they do is numbered when it comes back, in order, under their names. */
import type { Incident, IncidentSpec } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { FakeClock } from '@funnelai/kube/test-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { anIncident } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type MemoryMirror, memoryMirror } from './testing/memory-mirror.ts';
import { type Running, runOperator } from './testing/run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const MOMENT_MS = 15_000;
const KEY = { namespace: 'team', name: 'checkout-amber-falcon' };
const PEOPLE = ['ana', 'bo', 'cleo'];
/** The last entries that the admission log keeps. */
const KEPT = 16;

let clock: FakeClock;
let api: FakeApi;
let mirror: MemoryMirror;

/** An incident that ana has declared and an operator has recorded, which is away from then on. */
beforeEach(async () => {
  clock = new FakeClock('2026-03-01T10:00:02Z');
  api = new FakeApi(clock);
  mirror = memoryMirror();
  const declared = anIncident({ phase: 'Response', owner: { name: 'ana' }, priority: 'P2' });
  await api
    .client('ana')
    .create(INCIDENTS, { ...declared, metadata: { ...KEY, finalizers: ['funnelai.dev/history'] } });
  await visit();
  expect(incident().status?.changeSequence).toBe(4);
});

/** The operator comes, does its work, and is away again. */
async function visit(): Promise<void> {
  const operator: Running = runOperator({ client: api.client(OPERATOR), mirror, clock });
  await eventually('the operator leads', () => operator.leading());
  await clock.advance(MOMENT_MS);
  await operator.stop();
}
const incident = (): Incident => {
  const [only] = api.all<Incident>(INCIDENTS);
  if (only === undefined) throw new Error('the incident is gone');
  return only;
};
const write = (user: string, spec: Partial<IncidentSpec>) =>
  api.client(user).jsonPatch(
    INCIDENTS,
    KEY,
    Object.entries(spec).map(([field, value]) => ({ op: 'add', path: `/spec/${field}`, value })),
  );

/** The n-th act of one who does not stop: it goes to and fro between two phases, each with a reason of its own. */
async function act(n: number): Promise<string> {
  await clock.advance(1_000);
  const user = PEOPLE[n % PEOPLE.length] ?? 'ana';
  const phase = n % 2 === 0 ? 'Mitigation' : 'Response';
  await write(user, { phase, phaseReason: `act ${n}` });
  return `${phase} by ${user}: act ${n}`;
}
const recorded = (since = 4) =>
  (incident().status?.changes ?? [])
    .filter(({ sequence }) => sequence > since)
    .map(({ to, by, reason }) => `${to} by ${by}: ${reason}`);

describe('acts of people while the operator is away', () => {
  it.each([1, 2, 15, 16])('%i of them are as many changes, in order, each with its actor and its time', async (n) => {
    const acts: string[] = [];
    for (let i = 0; i < n; i += 1) acts.push(await act(i));
    await visit();
    expect(recorded()).toEqual(acts);
    expect(incident().status?.changeSequence).toBe(4 + n);
    const times = (incident().status?.changes ?? []).map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    expect(incident().status?.changes?.every(({ verified }) => verified)).toBe(true);
  });

  it.each([17, 40])(
    'of %i the last 16 are kept in order, and the first of them says that there were more',
    async (n) => {
      const acts: string[] = [];
      for (let i = 0; i < n; i += 1) acts.push(await act(i));
      await visit();
      const kept = acts.slice(-KEPT);
      expect(recorded()).toEqual([kept[0]?.replace(/act \d+$/, 'Collapsed'), ...kept.slice(1)]);
      expect(incident().status?.changeSequence).toBe(4 + KEPT);
    },
  );

  it('in several absences are all kept, however many they are together', async () => {
    const acts: string[] = [];
    for (let i = 0; i < 40; i += 1) {
      acts.push(await act(i));
      if (i % KEPT === KEPT - 1) await visit();
    }
    await visit();
    expect(incident().status?.changeSequence).toBe(4 + 40);
    expect(recorded(4 + 40 - KEPT)).toEqual(acts.slice(-KEPT));
  });

  it('on several fields are as many changes as fields, in the order of the log', async () => {
    await write('bo', { severity: 'Critical', owner: { name: 'bo' }, phase: 'Mitigation' });
    await write('cleo', { priority: 'P1' });
    await visit();
    const since = (incident().status?.changes ?? []).slice(4).map(({ kind, to, by }) => `${kind} ${to} by ${by}`);
    expect(since).toEqual([
      'Phase Mitigation by bo',
      'Severity Critical by bo',
      'Owner bo by bo',
      'Priority P1 by cleo',
    ]);
  });

  it('are kept, those before and those after it, when one of them is that the incident is deleted', async () => {
    const uid = incident().metadata.uid ?? '';
    await act(0);
    await api.client('admin').delete(INCIDENTS, KEY);
    await act(1);
    await act(2);
    const gone: Incident[] = [];
    const client = api.client(OPERATOR);
    const operator = runOperator({
      client: {
        ...client,
        jsonPatch: async (r, key, ops, o) => {
          if (r.plural === INCIDENTS.plural) gone.push(incident());
          return client.jsonPatch(r, key, ops, o);
        },
      },
      mirror,
      clock,
    });
    await eventually('the operator leads', () => operator.leading());
    await clock.advance(MOMENT_MS);
    await operator.stop();
    expect(api.all(INCIDENTS)).toEqual([]);
    // What it was when its finalizer came off, and that Postgres had that version.
    const last = gone.at(-1);
    expect(last?.status?.changes?.slice(4).map(({ by, reason }) => `${by} ${reason}`)).toEqual([
      'ana act 0',
      'bo act 1',
      'cleo act 2',
    ]);
    expect(mirror.versions.get(uid)).toBe(last?.metadata.resourceVersion);
    expect(mirror.deleted.has(uid)).toBe(true);
  });
});

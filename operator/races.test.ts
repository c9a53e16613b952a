/**
 * The operator decides, and before its write lands a person has acted. Each automatic write is played with that person in between:
 * what the person did stands, is recorded once under their name, and is undone by nothing that follows.
 */
import type { Alert, AlertSpec, Incident, IncidentSpec } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { JsonPatchOp, KubeClient } from '@funnelai/kube/client';
import { FakeClock } from '@funnelai/kube/test-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAlert } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type Running, runOperator } from './testing/run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const MOMENT_MS = 15_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const LABELS = { alertname: 'KubePodCrashLooping', namespace: 'pay', pod: 'a' };

let clock: FakeClock;
let api: FakeApi;
let operator: Running;
/** The next write of the operator to a spec that `when` likes waits for `act`; both are spent by it. */
let trap: { when: (ops: JsonPatchOp[]) => boolean; act: () => Promise<unknown> } | undefined;

const sets = (field: string, value?: unknown) => (ops: JsonPatchOp[]) =>
  ops.some(
    (op) => op.op !== 'test' && 'value' in op && op.path === `/spec/${field}` && (value ?? op.value) === op.value,
  );

beforeEach(async () => {
  clock = new FakeClock('2026-03-01T10:00:02Z');
  api = new FakeApi(clock);
  trap = undefined;
  const client = api.client(OPERATOR);
  const trapped: KubeClient = {
    ...client,
    jsonPatch: async (r, key, ops, o) => {
      const sprung = trap;
      if (r.plural === INCIDENTS.plural && sprung?.when(ops)) {
        trap = undefined;
        await sprung.act();
      }
      return client.jsonPatch(r, key, ops, o);
    },
  };
  operator = runOperator({ client: trapped, clock });
  await eventually('the operator leads', () => operator.leading());
});
afterEach(() => operator.stop());

const incidents = () => api.all<Incident>(INCIDENTS);
const theIncident = (): Incident => {
  const [incident] = incidents();
  if (incident === undefined) throw new Error('no incident');
  return incident;
};
async function pass(ms: number): Promise<void> {
  for (let i = 0; i < 8; i += 1) await clock.advance(ms / 8);
}
const write = (user: string, spec: Partial<IncidentSpec>, incident = theIncident()) => {
  const { namespace = '', name } = incident.metadata;
  const ops = Object.entries(spec).map(([field, value]) => ({ op: 'add' as const, path: `/spec/${field}`, value }));
  return api.client(user).jsonPatch<Incident>(INCIDENTS, { namespace, name }, ops);
};
async function report(spec: Partial<AlertSpec>, pod = 'a'): Promise<void> {
  const webhook = api.client('webhook');
  const alert = anAlert({ labels: { ...LABELS, pod }, receivedAt: clock.now().toString(), ...spec });
  const { namespace = '', name } = alert.metadata;
  const stored = api.all<Alert>(ALERTS).find(({ metadata }) => metadata.name === name);
  if (stored === undefined) await webhook.create(ALERTS, alert);
  else {
    const current = await webhook.get<Alert>(ALERTS, { namespace, name });
    await webhook.replace(ALERTS, {
      ...current,
      spec: { ...alert.spec, startsAt: spec.startsAt ?? current.spec.startsAt },
    });
  }
}
const resolved = () => report({ state: 'Resolved', endsAt: clock.now().toString() });
/** Someone has taken it in the system that sends it, and its source trusts that. */
const acknowledgedUpstream = (by = 'Icinga', pod = 'a') => {
  const word = { at: clock.now().toString(), by };
  return report({ acknowledgedUpstream: { ...word, trusted: word } }, pod);
};
/** Sets the trap, lets the operator run into it, and sees that it did. */
async function caught(when: (ops: JsonPatchOp[]) => boolean, act: () => Promise<unknown>, ms: number): Promise<void> {
  trap = { when, act };
  await pass(ms);
  expect(trap, 'the operator never came to that write').toBeUndefined();
  await pass(HOUR_MS);
}
const recorded = () =>
  (theIncident().status?.changes ?? [])
    .slice(3)
    .map(({ kind, to, by }) => `${kind} ${to} by ${by === OPERATOR ? 'operator' : by}`);

beforeEach(async () => {
  await report({});
  await pass(MOMENT_MS);
});

describe('a person who acts a moment before', () => {
  it('the operator resolves, and has it: it stays theirs', async () => {
    await resolved();
    await caught(sets('phase', 'Resolution'), () => write('ana', { phase: 'Response' }), 10 * MINUTE_MS);
    expect(theIncident().spec.phase).toBe('Response');
    expect(recorded()).toEqual(['Phase Response by ana', 'Owner ana by operator']);
  });

  it('the operator resolves, and resolves it too: one move, under their name', async () => {
    await resolved();
    await caught(sets('phase', 'Resolution'), () => write('ana', { phase: 'Resolution' }), 10 * MINUTE_MS);
    expect(recorded()).toEqual(['Phase Resolution by ana']);
  });

  it('the operator reopens what it had resolved, and closes it: it stays closed, the alert gets another', async () => {
    await resolved();
    await pass(10 * MINUTE_MS);
    expect(theIncident().spec.phase).toBe('Resolution');
    const first = theIncident().metadata.name;
    await report({ state: 'Firing' });
    await caught(sets('phase', 'Detection'), () => write('ana', { phase: 'Closed' }), MOMENT_MS);
    const byName = new Map(incidents().map((incident) => [incident.metadata.name, incident.spec.phase]));
    expect(byName.get(first)).toBe('Closed');
    expect([...byName.values()]).toEqual(['Closed', 'Detection']);
  });

  it('a new episode reopens it, and takes it up again: it is in Response, and the alert in it', async () => {
    await write('bo', { phase: 'Resolution' });
    await resolved();
    await pass(MINUTE_MS);
    await report({ state: 'Firing', startsAt: clock.now().toString() });
    await caught(sets('phase', 'Detection'), () => write('ana', { phase: 'Response' }), MOMENT_MS);
    expect(incidents()).toHaveLength(1);
    expect(theIncident().spec).toMatchObject({ phase: 'Response', owner: { name: 'ana' } });
    expect(recorded()).toEqual(['Phase Resolution by bo', 'Phase Response by ana', 'Owner ana by operator']);
  });

  it('the operator opened a later one, and ends the earlier again that they had put back to work: what fires comes into the later alone', async () => {
    const first = theIncident();
    await report({}, 'b');
    await pass(MOMENT_MS);
    for (const pod of ['a', 'b']) await report({ state: 'Resolved', endsAt: clock.now().toString() }, pod);
    await write('bo', { phase: 'Resolution' }, first);
    await write('bo', { phase: 'Closed' }, first);
    await pass(MOMENT_MS);
    await report({ startsAt: clock.now().toString() });
    await pass(MOMENT_MS);
    const later = incidents().find(({ metadata }) => metadata.name !== first.metadata.name);
    await write('bo', { phase: 'Response' }, first);
    await write('ana', { phase: 'Resolution' }, later);
    await write('bo', { phase: 'Resolution' }, first);
    await pass(MINUTE_MS);
    await report({ startsAt: clock.now().toString() }, 'b');
    await pass(MINUTE_MS);
    const phases = new Map(incidents().map(({ metadata, spec }) => [metadata.name, spec.phase]));
    expect([phases.get(first.metadata.name), phases.get(later?.metadata.name ?? '')]).toEqual([
      'Resolution',
      'Detection',
    ]);
  });

  it('the operator closes, and works on: it stays open', async () => {
    await resolved();
    await write('ana', { phase: 'Resolution' });
    await caught(sets('phase', 'Closed'), () => write('bo', { phase: 'Response' }), 25 * HOUR_MS);
    expect(theIncident().spec.phase).toBe('Response');
    expect(recorded()).toEqual(['Phase Resolution by ana', 'Phase Response by bo', 'Owner bo by operator']);
  });

  it('the operator answers for those who have it upstream, and acknowledges: it is theirs, and they are its owner', async () => {
    await acknowledgedUpstream();
    await caught(sets('phase', 'Response'), () => write('ana', { phase: 'Response' }), MOMENT_MS);
    expect(theIncident().spec).toMatchObject({ phase: 'Response', owner: { name: 'ana' } });
    expect(recorded()).toEqual(['Phase Response by ana', 'Owner ana by operator']);
  });

  it('the operator answers for those who have it upstream, and resolves: it stays resolved', async () => {
    await acknowledgedUpstream();
    await caught(sets('phase', 'Response'), () => write('ana', { phase: 'Resolution' }), MOMENT_MS);
    expect(theIncident().spec.phase).toBe('Resolution');
    expect(recorded()).toEqual(['Phase Resolution by ana']);
  });

  it('the operator names the acknowledger owner, and names another: that one stays', async () => {
    trap = { when: sets('owner'), act: () => write('bo', { owner: { name: 'cleo' } }) };
    await write('ana', { phase: 'Response' });
    await pass(HOUR_MS);
    expect(trap).toBeUndefined();
    expect(theIncident().spec.owner).toEqual({ name: 'cleo' });
    expect(recorded()).toEqual(['Phase Response by ana', 'Owner cleo by bo']);
  });

  it('the operator raises the severity, and lowers it: it stays low', async () => {
    await report({ severity: 'Critical' }, 'b');
    await caught(sets('severity'), () => write('bo', { severity: 'Low' }), MOMENT_MS);
    await report({ severity: 'Critical' }, 'c');
    await pass(HOUR_MS);
    expect(theIncident().spec).toMatchObject({ severity: 'Low', priority: 'P3' });
    expect(recorded()).toEqual(['Severity Low by bo']);
  });

  it('the operator raises severity and priority, and sets the priority: the severity rises, the priority is theirs', async () => {
    await report({ severity: 'Critical' }, 'b');
    await caught(sets('priority'), () => write('bo', { priority: 'P5' }), MOMENT_MS);
    expect(theIncident().spec).toMatchObject({ severity: 'Critical', priority: 'P5' });
    expect(recorded()).toEqual(['Priority P5 by bo', 'Severity Critical by operator']);
  });

  it('the operator raises the severity, and merges it away: nothing is written to what is closed', async () => {
    await report({ severity: 'Critical' }, 'b');
    await caught(
      sets('severity'),
      () => write('bo', { phase: 'Closed', mergedInto: { name: 'elsewhere' } }),
      MOMENT_MS,
    );
    const merged = incidents().find(({ spec }) => spec.mergedInto !== undefined);
    expect(merged?.spec).toMatchObject({ phase: 'Closed', severity: 'Medium' });
  });
});

describe('an acknowledgement upstream that is trusted', () => {
  const writesTo = ({ metadata }: Incident) => api.writes.get(`incidents ${metadata.namespace}/${metadata.name}`);

  it('is answered within moments, in two writes, and costs none when it is said again', async () => {
    const before = writesTo(theIncident()) ?? 0;
    await acknowledgedUpstream();
    await pass(MOMENT_MS);
    expect(theIncident().spec.phase).toBe('Response');
    expect(theIncident().status).toHaveProperty('acknowledgedAt');
    expect(recorded()).toEqual(['Phase Response by operator']);
    await acknowledgedUpstream();
    await pass(HOUR_MS);
    expect(writesTo(theIncident())).toBe(before + 2);
  });

  it('that came before the operator looked is answered too: its incident is born in Detection, and leaves it', async () => {
    const word = { at: clock.now().toString(), by: 'Icinga' };
    const labels = { ...LABELS, namespace: 'shop' };
    await api.client('webhook').create(ALERTS, anAlert({ labels, acknowledgedUpstream: { ...word, trusted: word } }));
    await pass(MOMENT_MS);
    const shop = incidents().find(({ spec }) => spec.origin?.groupKey.includes('shop'));
    const phases = shop?.status?.changes?.filter(({ kind }) => kind === 'Phase').map(({ to }) => to);
    expect(phases).toEqual(['Detection', 'Response']);
    // Two more than the birth of one that nobody has.
    expect(shop && writesTo(shop)).toBe((writesTo(theIncident()) ?? 0) + 2);
  });

  it('does not overrule who hands it back; one that comes after that does', async () => {
    await acknowledgedUpstream();
    await pass(MOMENT_MS);
    await write('ana', { phase: 'Detection' });
    await pass(HOUR_MS);
    expect(theIncident().spec.phase).toBe('Detection');
    await acknowledgedUpstream();
    await pass(MOMENT_MS);
    expect(theIncident().spec.phase).toBe('Response');
    expect(recorded()).toEqual(['Phase Response by operator', 'Phase Detection by ana', 'Phase Response by operator']);
  });

  it('does not speak for an alert that joined before it, and is not undone by one that joins after', async () => {
    await report({}, 'b');
    await pass(MOMENT_MS);
    await acknowledgedUpstream();
    await pass(HOUR_MS);
    expect(theIncident().spec.phase).toBe('Detection');
    await acknowledgedUpstream('bo', 'b');
    await pass(MOMENT_MS);
    expect(theIncident().spec.phaseReason).toMatch(/^acknowledged upstream by bo through AlertSource prom/);
    await report({}, 'c');
    await pass(HOUR_MS);
    expect(theIncident().spec.phase).toBe('Response');
    expect(theIncident().status?.alerts).toMatchObject({ firing: 3 });
  });
});

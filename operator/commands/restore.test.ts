/** A cluster is lost with an incident that ana is working on; it comes back from history, and nobody is told again of what they know. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { Restorable } from '@funnelai/history/restorable';
import type { KubeClient } from '@funnelai/kube/client';
import { EVENTS } from '@funnelai/kube/events';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { crashingPods } from '../testing/builders.ts';
import { eventually } from '../testing/eventually.ts';
import { FakeApi } from '../testing/fake-api.ts';
import { mortal } from '../testing/mortal-client.ts';
import { runOperator } from '../testing/run.ts';
import { restore } from './restore.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const RESTORER = 'system:serviceaccount:funnel-system:funnelai-restore';
const MOMENT_MS = 15_000;

let clock: FakeClock;
/** The incident as the lost cluster had it last, with everything numbered and mirrored. */
let lost: Restorable;

const theIncident = (api: FakeApi): Incident => {
  const [incident, ...others] = api.all<Incident>(INCIDENTS);
  if (incident === undefined || others.length > 0) throw new Error('expected one incident');
  return incident;
};
const move = (client: KubeClient, incident: Incident, spec: Partial<Incident['spec']>) => {
  const { namespace = '', name } = incident.metadata;
  const ops = Object.entries(spec).map(([field, value]) => ({ op: 'add' as const, path: `/spec/${field}`, value }));
  return client.jsonPatch<Incident>(INCIDENTS, { namespace, name }, ops);
};

async function operate(api: FakeApi, story: () => Promise<void>): Promise<void> {
  const operator = runOperator({ client: api.client(OPERATOR), clock });
  await eventually('the operator leads', () => operator.leading());
  await clock.advance(MOMENT_MS);
  await story();
  await clock.advance(MOMENT_MS);
  await operator.stop();
}

beforeEach(async () => {
  clock = new FakeClock('2026-03-01T10:00:02Z');
  const old = new FakeApi(clock);
  await operate(old, async () => {
    for (const pod of crashingPods(3)) await old.client('webhook').create(ALERTS, pod);
    await clock.advance(MOMENT_MS);
    await move(old.client('ana'), theIncident(old), { phase: 'Response', phaseReason: 'on it' });
    await clock.advance(MOMENT_MS);
    await move(old.client('bo'), theIncident(old), { phase: 'Mitigation', severity: 'Critical', priority: 'P1' });
  });
  const incident = theIncident(old);
  lost = {
    incident,
    originUid: incident.metadata.uid ?? '',
    changeSequence: incident.status?.changeSequence ?? 0,
    changes: incident.status?.changes ?? [],
  };
  // Another server, whose objects have other uids.
  await clock.advance(3_600_000);
});

const run = (api: FakeApi, restorable: Restorable[] = [lost], client = api.client(RESTORER)) =>
  restore({ client, clock, log: silentLog(), restorable, signal: new AbortController().signal });

function anEmptyCluster(): FakeApi {
  const api = new FakeApi(clock);
  // Numbers of versions, and with them uids, are not those of the lost one.
  for (let i = 0; i < 50; i += 1)
    void api
      .client('webhook')
      .create(ALERTS, { ...crashingPods(1)[0], metadata: { name: `x-${i}`, namespace: 'else' } } as Alert);
  for (const alert of api.all<Alert>(ALERTS))
    void api.client('webhook').delete(ALERTS, { namespace: 'else', name: alert.metadata.name });
  return api;
}

describe('a restored incident', () => {
  it('is what it was: name, phase, owner, severity, priority, times and the last changes', async () => {
    const api = anEmptyCluster();
    expect(await run(api)).toEqual({ restored: [`team/${lost.incident.metadata.name}`], there: [], failed: [] });
    const { spec, status, metadata } = theIncident(api);
    expect(metadata.uid).not.toBe(lost.originUid);
    expect(spec).toEqual({
      ...lost.incident.spec,
      restoredFrom: { uid: lost.originUid, changeSequence: lost.changeSequence },
    });
    expect(spec).toMatchObject({ phase: 'Mitigation', owner: { name: 'ana' }, severity: 'Critical', priority: 'P1' });
    for (const field of [
      'phase',
      'phaseSince',
      'detectedAt',
      'acknowledgedAt',
      'mitigatedAt',
      'round',
      'pinned',
      'observed',
      'changes',
    ] as const) {
      expect(status?.[field], field).toEqual(lost.incident.status?.[field]);
    }
  });

  it('has nothing told again, and its changes are numbered on', async () => {
    const api = anEmptyCluster();
    await run(api);
    const before = theIncident(api);
    await operate(api, async () => {
      expect(theIncident(api).status?.changeSequence).toBe(lost.changeSequence);
      expect(theIncident(api).spec).toEqual(before.spec);
      await move(api.client('bo'), theIncident(api), { phase: 'Resolution', phaseReason: 'fixed' });
    });
    const { status } = theIncident(api);
    expect(status?.changeSequence).toBe(lost.changeSequence + 1);
    expect(status?.changes?.at(-1)).toMatchObject({
      sequence: lost.changeSequence + 1,
      kind: 'Phase',
      from: 'Mitigation',
      to: 'Resolution',
      by: 'bo',
      reason: 'fixed',
      verified: true,
    });
    expect(status?.acknowledgedAt).toBe(lost.incident.status?.acknowledgedAt);
    const told = api.all(EVENTS).map((event) => (event as unknown as { reason: string }).reason);
    expect(told).toEqual(['Resolved']);
  });

  it('gets its alerts back as their senders repeat them, and opens no second incident', async () => {
    const api = anEmptyCluster();
    await run(api);
    await operate(api, async () => {
      for (const pod of crashingPods(3)) await api.client('webhook').create(ALERTS, pod);
    });
    const incident = theIncident(api);
    expect(incident.status?.alerts).toMatchObject({ firing: 3, total: 3 });
    for (const { status } of api.all<Alert>(ALERTS)) expect(status?.incidentRef?.name).toBe(incident.metadata.name);
  });

  it('is not resolved by alerts of which nothing is known any more', async () => {
    const api = anEmptyCluster();
    const conditions = (lost.incident.status?.conditions ?? []).map((condition) =>
      condition.type === 'AlertsCleared' ? { ...condition, status: 'True' as const, reason: 'AllResolved' } : condition,
    );
    const alerts = { firing: 0, resolved: 3, total: 3, asOf: clock.now().toString() };
    const status = { ...lost.incident.status, observedGeneration: 1, phase: 'Detection' as const, conditions, alerts };
    const incident = { ...lost.incident, spec: { ...lost.incident.spec, phase: 'Detection' as const }, status };
    await run(api, [{ ...lost, incident }]);
    await operate(api, () => clock.advance(3_600_000));
    expect(theIncident(api).spec.phase).toBe('Detection');
  });
});

describe('a restore', () => {
  it('that runs again restores nothing twice, and changes nothing of what happened since', async () => {
    const api = anEmptyCluster();
    await run(api);
    await operate(api, async () => void (await move(api.client('bo'), theIncident(api), { phase: 'Resolution' })));
    const before = theIncident(api);
    expect(await run(api)).toEqual({ restored: [], there: [`team/${before.metadata.name}`], failed: [] });
    expect(theIncident(api)).toEqual(before);
  });

  it('that died before the status is finished by the next, and the operator waits for that', async () => {
    const api = anEmptyCluster();
    const victim = mortal(api.client(RESTORER), { atWrite: 2, when: 'before' });
    expect((await run(api, [lost], victim.client)).failed).toHaveLength(1);
    await operate(api, async () => {
      expect(theIncident(api).status?.phase).toBeUndefined();
      await move(api.client('bo'), theIncident(api), { phase: 'Resolution', phaseReason: 'meanwhile' });
      await clock.advance(MOMENT_MS);
      expect(theIncident(api).status?.phase).toBeUndefined();
      await run(api);
    });
    const { status } = theIncident(api);
    expect(status?.changes?.slice(-1)).toMatchObject([
      { from: 'Mitigation', to: 'Resolution', by: 'bo', reason: 'meanwhile' },
    ]);
    expect(status?.changeSequence).toBe(lost.changeSequence + 1);
    expect(status?.acknowledgedAt).toBe(lost.incident.status?.acknowledgedAt);
  });

  it('says that a name is taken by another incident, leaves that alone, and goes on with the rest', async () => {
    const api = anEmptyCluster();
    const { name } = lost.incident.metadata;
    await api.client('bo').create(INCIDENTS, {
      ...lost.incident,
      metadata: { name, namespace: 'team' },
      spec: { title: 'Another', severity: 'Low', phase: 'Detection' },
    } as Incident);
    const second = {
      ...lost,
      originUid: 'uid-second',
      incident: { ...lost.incident, metadata: { ...lost.incident.metadata, name: 'second' } },
    };
    const report = await run(api, [lost, second]);
    expect(report.restored).toEqual(['team/second']);
    expect(report.failed).toEqual([
      {
        incident: `team/${name}`,
        because: expect.stringMatching(/^the name is taken by another incident, made at 2026-/),
      },
    ]);
    expect(api.all<Incident>(INCIDENTS).find(({ metadata }) => metadata.name === name)?.spec.title).toBe('Another');
  });

  it('leaves alone what was never lost', async () => {
    const api = anEmptyCluster();
    await run(api);
    const there = theIncident(api);
    const report = await run(api, [{ ...lost, incident: there, originUid: there.metadata.uid ?? '' }]);
    expect(report.there).toHaveLength(1);
    expect(theIncident(api)).toEqual(there);
  });
});

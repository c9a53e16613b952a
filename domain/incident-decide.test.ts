import type { IncidentSpec } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { decideIncidentStep } from './incident-decide.ts';
import { compileRules } from './rules.ts';
import { anAlert, aRule, at, logTime, OPERATOR, time } from './testing/builders.ts';
import { type PlayedIncident, play } from './testing/played-incident.ts';
import { bringBack, MIRRORED, run } from './testing/stepped-incident.ts';

const origin = { groupKey: '[]', opening: 1 };
const ruleWith = (resolve: object, incident: object = {}) => compileRules([aRule('r', { resolve, incident })]).rules[0];

const opened = (spec: Partial<IncidentSpec> = {}) => play(OPERATOR, { spec: { origin, ...spec } });
const firing = (name = 'a', received = 1, severity: 'Medium' | 'Critical' = 'Medium') =>
  anAlert({ name, spec: { severity, startsAt: time(0), receivedAt: time(received) } });
const gone = (received: number, name = 'a') =>
  anAlert({ name, spec: { state: 'Resolved', startsAt: time(0), endsAt: time(received), receivedAt: time(received) } });
const conditionsOf = (story: PlayedIncident) =>
  Object.fromEntries((story.incident.status?.conditions ?? []).map((c) => [c.type, c.status]));

describe('birth', () => {
  it('is one status write, with the alert that opened it counted', () => {
    const story = opened();
    expect(run(story, 0.1, [])).toMatchObject({ status: { observedGeneration: -1 }, requeueAfterMs: 1900 });
    const born = run(story, 0.3, [firing()]);
    expect(story.incident.status).toMatchObject({
      phase: 'Detection',
      detectedAt: logTime(0),
      changeSequence: 3,
      logSequence: 3,
      observedGeneration: 1,
      alerts: { firing: 1, resolved: 0, total: 1 },
    });
    expect(born.events.map((e) => e.reason)).toEqual(['Opened']);
    expect(conditionsOf(story)).toEqual({
      Acknowledged: 'False',
      AlertsCleared: 'False',
      Mitigated: 'False',
      Resolved: 'False',
      HistoryMirrored: 'True',
    });
    expect(story.writes).toBe(2);
  });

  it('waits no longer than two seconds for that alert, and not under a clock that runs behind', () => {
    expect(run(opened(), 2, []).status.phase).toBe('Detection');
    expect(run(opened(), -60, []).status.phase).toBe('Detection');
  });

  it('is acknowledged when a person declares it and is on it', () => {
    const story = play('ana', { spec: { phase: 'Response', owner: { name: 'ana' } } });
    run(story, 1, []);
    expect(story.incident.status).toMatchObject({ phase: 'Response', acknowledgedAt: logTime(0) });
    expect(conditionsOf(story).Acknowledged).toBe('True');
    run(story, 1_000_000, []);
    expect(story.incident.spec.phase).toBe('Response');
  });

  it('fills in a priority where no policy does', () => {
    const story = play('ana', { spec: { severity: 'Critical', priority: undefined } as never });
    run(story, 1, []);
    expect(story.incident.spec.priority).toBe('P1');
  });
});

it('writes nothing when nothing changed', () => {
  const story = opened();
  run(story, 1, [firing()]);
  const { status } = story.incident;
  for (const second of [2, 20, 2000]) expect(run(story, second, [firing()]).status).toBe(status);
  expect(story.writes).toBe(2);
});

it('writes nothing because it is being deleted, but numbers what people did before', () => {
  const story = opened();
  run(story, 1, [firing()]);
  const { status } = story.incident;
  const metadata = { ...story.incident.metadata, deletionTimestamp: logTime(5), generation: 2 };
  const step = (incident: typeof story.incident) =>
    decideIncidentStep({ incident, members: [firing()], mirror: MIRRORED, isMachine: () => false, now: at(6) });
  expect(step({ ...story.incident, metadata }).status).toBe(status);
  story.write('ana', 4, { severity: 'Critical' });
  const acted = { ...story.incident, metadata: { ...story.incident.metadata, ...metadata, generation: 3 } };
  acted.metadata.annotations = story.incident.metadata.annotations ?? {};
  expect(step(acted).status).toMatchObject({ changeSequence: 4, observedGeneration: 3 });
});

describe('acknowledgement', () => {
  it('names the acknowledger owner, in three writes with their own', () => {
    const story = opened();
    run(story, 1, [firing()]);
    const before = story.writes;
    story.write('ana', 5, { phase: 'Response' });
    const { events } = run(story, 6, [firing()]);
    expect(story.incident.spec.owner).toEqual({ name: 'ana' });
    expect(story.incident.status).toMatchObject({ acknowledgedAt: logTime(5), observed: { owner: 'ana' } });
    expect(events.map((e) => e.reason)).toEqual(['Acknowledged', 'OwnerChanged']);
    expect(events[0]?.note).toMatch(/^Detection → Response by ana/);
    expect(story.writes - before).toBe(3);
  });

  it.each<[string, (story: PlayedIncident) => void, string | undefined]>([
    ['a machine acknowledges', (s) => s.write('system:serviceaccount:ci:bot', 5, { phase: 'Response' }), undefined],
    ['the write names another', (s) => s.write('ana', 5, { phase: 'Response', owner: { name: 'bo' } }), 'bo'],
    [
      'it was handed back at once',
      (s) => {
        s.write('ana', 5, { phase: 'Response' });
        s.write('ana', 6, { phase: 'Detection' });
      },
      undefined,
    ],
    [
      'somebody took the owner off again',
      (s) => {
        s.write('ana', 5, { phase: 'Response', owner: { name: 'bo' } });
        s.write('cy', 6, { owner: undefined } as never);
      },
      undefined,
    ],
    [
      'they went on to Mitigation',
      (s) => {
        s.write('ana', 5, { phase: 'Response' });
        s.write('bo', 6, { phase: 'Mitigation' });
      },
      'ana',
    ],
  ])('when %s', (_what, act, owner) => {
    const story = opened();
    run(story, 1, [firing()]);
    act(story);
    run(story, 8, [firing()]);
    expect(story.incident.spec.owner?.name).toBe(owner);
  });

  it('is not what a service account does: it leaves Detection, and still nobody has answered', () => {
    const story = opened();
    run(story, 1, [firing()]);
    story.write('system:serviceaccount:ci:bot', 5, { phase: 'Response' });
    run(story, 8, [firing()]);
    expect(story.incident.status?.phase).toBe('Response');
    expect(story.incident.status).not.toHaveProperty('acknowledgedAt');
    expect(conditionsOf(story).Acknowledged).toBe('False');
  });
});

describe('severity', () => {
  it('is raised with its priority, never lowered', () => {
    const story = opened();
    run(story, 1, [firing('a'), firing('b', 1, 'Critical')]);
    expect(story.incident.spec).toMatchObject({ severity: 'Critical', priority: 'P1' });
    run(story, 30, [firing('a')]);
    expect(story.incident.spec.severity).toBe('Critical');
  });
  it('is left alone once a person set it, or the rule fixed it', () => {
    const story = opened();
    story.write('ana', 1, { severity: 'Low' });
    run(story, 2, [firing('b', 1, 'Critical')]);
    expect(story.incident.spec).toMatchObject({ severity: 'Low', priority: 'P3' });
    const fixed = opened();
    run(fixed, 2, [firing('b', 1, 'Critical')], { rule: ruleWith({}, { severity: { fixed: 'Medium' } }) });
    expect(fixed.incident.spec.severity).toBe('Medium');
    const pinned = opened();
    pinned.write('ana', 1, { priority: 'P4' });
    run(pinned, 2, [firing('b', 1, 'Critical')]);
    expect(pinned.incident.spec).toMatchObject({ severity: 'Critical', priority: 'P4' });
  });
});

describe('resolving by the operator', () => {
  it('waits resolve.after since the last alert resolved, and takes two writes', () => {
    const story = opened();
    run(story, 1, [firing()]);
    expect(run(story, 100, [gone(90)]).requeueAfterMs).toBe(290_000);
    expect(story.incident.status?.conditions?.find((c) => c.type === 'AlertsCleared')).toMatchObject({
      status: 'True',
    });
    const before = story.writes;
    run(story, 389, [gone(90)]);
    expect(story.incident.spec.phase).toBe('Detection');
    run(story, 390, [gone(90)]);
    expect(story.incident).toMatchObject({
      spec: { phase: 'Resolution', phaseReason: 'its alert has resolved' },
      status: { phase: 'Resolution', resolvedAt: logTime(390) },
    });
    expect(story.incident.status).not.toHaveProperty('acknowledgedAt');
    expect(story.writes - before).toBe(2);
  });

  it('is only proposed once a person has it, and done with AllAlertsResolved', () => {
    for (const [when, phase] of [
      ['Unacknowledged', 'Response'],
      ['AllAlertsResolved', 'Resolution'],
      ['Manual', 'Response'],
    ] as const) {
      const story = opened();
      run(story, 1, [firing()]);
      story.write('ana', 5, { phase: 'Response' });
      run(story, 1000, [gone(90)], { rule: ruleWith({ when, after: '10s' }) });
      expect([when, story.incident.spec.phase]).toEqual([when, phase]);
      expect(conditionsOf(story).AlertsCleared).toBe('True');
    }
  });

  it('never happens to an incident that never had an alert, or of whose alerts nothing is known any more', () => {
    const never = opened();
    run(never, 10, []);
    run(never, 1_000_000, [], { rule: ruleWith({ when: 'AllAlertsResolved', after: '0s' }) });
    expect(never.incident.spec.phase).toBe('Detection');
    expect(conditionsOf(never).AlertsCleared).toBe('False');
    const unknown = opened();
    run(unknown, 1, [firing()]);
    run(unknown, 1_000_000, []);
    expect(unknown.incident).toMatchObject({
      spec: { phase: 'Detection' },
      status: { alerts: { firing: 0, resolved: 0, total: 1 } },
    });
  });

  it('does not undo a hand-back, but follows alerts that resolve after it', () => {
    const story = opened();
    run(story, 1, [firing()]);
    story.write('ana', 5, { phase: 'Response' });
    run(story, 100, [gone(90)]);
    story.write('ana', 1000, { phase: 'Detection' });
    run(story, 5000, [gone(90)]);
    expect(story.incident.spec.phase).toBe('Detection');
    run(story, 9000, [gone(6000)]);
    expect(story.incident.spec.phase).toBe('Resolution');
  });
});

describe('coming back', () => {
  it('begins a new round, in which nobody has it and nothing is resolved, and is told', () => {
    const story = opened();
    run(story, 1, [firing()]);
    story.write('ana', 50, { phase: 'Resolution' });
    run(story, 51, [firing()]);
    bringBack(story, 60);
    const { events } = run(story, 60, [firing('a', 59)]);
    expect(story.incident.status).toMatchObject({ phase: 'Detection', round: 2 });
    expect(story.incident.status).not.toHaveProperty('resolvedAt');
    expect(story.incident.status).not.toHaveProperty('acknowledgedAt');
    expect(events.map((e) => e.reason)).toContain('CameBack');
  });
  it('is not for one incident to decide: what fires in one that has ended moves nothing by itself', () => {
    const story = opened();
    run(story, 1, [firing()]);
    run(story, 400, [gone(90)]);
    run(story, 401, [firing('a', 400.2)]);
    expect(story.incident.spec.phase).toBe('Resolution');
  });
});

describe('closing', () => {
  it('comes after closeAfter, for incidents that alerts opened, while nothing fires', () => {
    const day = 86_400;
    const story = opened();
    run(story, 1, [gone(0)]);
    story.write('ana', 10, { phase: 'Resolution' });
    expect(run(story, 20, [gone(0)]).requeueAfterMs).toBe((day - 10) * 1000);
    run(story, day + 10, []);
    expect(story.incident.status).toMatchObject({
      phase: 'Closed',
      closedAt: logTime(day + 10),
      resolvedAt: logTime(10),
    });
    const burning = opened();
    burning.write('ana', 10, { phase: 'Resolution' });
    run(burning, 2 * day, [firing()]);
    expect(burning.incident.spec.phase).toBe('Resolution');
    const declared = play('ana');
    declared.write('ana', 10, { phase: 'Resolution' });
    run(declared, 9 * day, []);
    expect(declared.incident.spec.phase).toBe('Resolution');
  });
});

describe('a merge into what is not there', () => {
  const merged = (o: Partial<Parameters<typeof decideIncidentStep>[0]>) => {
    const story = opened();
    run(story, 1, [firing()]);
    story.write('ana', 5, { phase: 'Closed', mergedInto: { name: 'ghost' } });
    const { events } = run(story, 6, [firing()], o);
    return { events, again: run(story, 60, [], o).events };
  };

  it('is said, once, with what becomes of its alerts', () => {
    const { events, again } = merged({ isMergedIntoNothing: true });
    expect(events.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Normal Closed',
      'Normal Merged',
      'Warning MergedIntoNothing',
    ]);
    expect(events.at(-1)?.note).toContain('ghost, into which it was merged, is not there');
    expect(again).toEqual([]);
  });

  it('and only then', () => {
    expect(merged({}).events.map(({ type }) => type)).toEqual(['Normal', 'Normal']);
  });
});

describe('alerts that leave the cluster', () => {
  const counts = (story: PlayedIncident) => {
    const { asOf: _, ...alerts } = story.incident.status?.alerts ?? { asOf: '' };
    return alerts;
  };

  it('neither lower the total nor undo that they had resolved, one after the other or all at once', () => {
    const story = opened();
    run(story, 1, [firing('a'), firing('b'), firing('c')]);
    story.write('ana', 5, { phase: 'Response' });
    run(story, 20, [gone(12, 'a'), gone(12, 'b'), firing('c')]);
    const before = story.incident;
    run(story, 90_000, [firing('c')], { left: { resolved: 2, expired: 0, others: 0, moved: 0, forgotten: 0 } });
    expect(counts(story)).toEqual({ firing: 1, resolved: 2, gone: 2, total: 3 });
    expect(story.incident.spec).toEqual(before.spec);
    run(story, 91_000, [gone(90_500, 'c')]);
    expect(counts(story)).toEqual({ firing: 0, resolved: 3, gone: 2, total: 3 });
    const cleared = story.incident.status?.conditions?.find((c) => c.type === 'AlertsCleared');
    expect(cleared?.status).toBe('True');
    run(story, 200_000, [], { left: { resolved: 1, expired: 0, others: 0, moved: 0, forgotten: 0 } });
    expect(counts(story)).toEqual({ firing: 0, resolved: 3, gone: 3, total: 3 });
    expect(story.incident.status?.conditions?.find((c) => c.type === 'AlertsCleared')).toEqual(cleared);
    expect(story.incident.status).toMatchObject({ phase: 'Response', changeSequence: 5 });
  });

  it('are not mistaken for others that join meanwhile', () => {
    const story = opened();
    run(story, 1, [gone(0, 'a'), gone(0, 'b')]);
    run(story, 20, [firing('c'), firing('d')], {
      left: { resolved: 2, expired: 0, others: 0, moved: 0, forgotten: 0 },
    });
    expect(counts(story)).toEqual({ firing: 2, resolved: 2, gone: 2, total: 4 });
  });

  it('count as what they were at the last count when they left while nobody looked', () => {
    const story = opened();
    run(story, 1, [gone(0, 'a'), gone(0, 'b'), firing('c')]);
    run(story, 90_000, [gone(0, 'b')]);
    expect(counts(story)).toEqual({ firing: 0, resolved: 2, gone: 1, total: 3 });
  });

  it('and moved to another incident are not said to have resolved', () => {
    const story = opened();
    run(story, 1, [firing('a'), gone(0, 'b')]);
    run(story, 20, [], { left: { resolved: 0, expired: 0, others: 2, moved: 0, forgotten: 0 } });
    expect(counts(story)).toEqual({ firing: 0, resolved: 0, total: 2 });
  });

  it('and come back from another incident joined once, also where the operator died before it had counted', () => {
    const story = opened();
    run(story, 1, [firing('a'), firing('b')]);
    run(story, 20, [], { elsewhere: 2, left: { resolved: 0, expired: 0, others: 0, moved: 2, forgotten: 0 } });
    expect(counts(story)).toEqual({ firing: 0, resolved: 0, total: 2, elsewhere: 2 });
    run(story, 40, [firing('a'), firing('b'), firing('new')]);
    expect(counts(story)).toEqual({ firing: 3, resolved: 0, total: 3 });
    run(story, 60, [firing('a')], { elsewhere: 2 });
    run(story, 80, [firing('a'), firing('later')], {
      left: { resolved: 0, expired: 0, others: 0, moved: 0, forgotten: 2 },
    });
    expect(counts(story)).toEqual({ firing: 2, resolved: 0, total: 4 });
  });

  it('of an incident that had the name before count nowhere', () => {
    const story = opened();
    run(story, 1, [firing('a')], { elsewhere: 3 });
    expect(counts(story)).toMatchObject({ firing: 1, total: 1 });
  });

  it('and had not resolved take with them what was known: nothing is resolved for want of information', () => {
    const story = opened();
    const rule = ruleWith({ when: 'Unacknowledged', after: '5m' });
    run(story, 1, [firing('a')], { rule });
    run(story, 100, [gone(90, 'a')], { rule });
    expect(conditionsOf(story).AlertsCleared).toBe('True');
    // It fires again, and somebody deletes it before the next count.
    run(story, 105, [firing('a', 104)], { rule });
    run(story, 108, [], { rule, left: { resolved: 0, expired: 0, others: 1, moved: 0, forgotten: 0 } });
    run(story, 900, [], { rule, left: { resolved: 0, expired: 0, others: 1, moved: 0, forgotten: 0 } });
    expect(conditionsOf(story).AlertsCleared).toBe('False');
    run(story, 9000, [], { rule });
    expect(story.incident.spec.phase).toBe('Detection');
  });

  it('with their next episode, for another incident, leave one that ends: nobody would ever tell it', () => {
    const story = opened();
    const rule = ruleWith({ when: 'Unacknowledged', after: '5m' });
    run(story, 1, [firing('a')], { rule });
    // Resolved, fired again and placed by a rule that was edited meanwhile, all before the next count.
    run(story, 20, [], { rule, left: { resolved: 1, expired: 0, others: 0, moved: 0, forgotten: 0 } });
    expect(counts(story)).toEqual({ firing: 0, resolved: 1, gone: 1, total: 1 });
    expect(conditionsOf(story).AlertsCleared).toBe('True');
    run(story, 330, [], { rule });
    expect(story.incident.spec).toMatchObject({ phase: 'Resolution', phaseReason: 'its alert has resolved' });
  });

  it('with their next episode end nothing where another alert of it was never said to have resolved', () => {
    const story = opened();
    const rule = ruleWith({ when: 'Unacknowledged', after: '5m' });
    run(story, 1, [firing('a'), firing('b')], { rule });
    run(story, 20, [firing('a')], { rule, left: { resolved: 0, expired: 0, others: 1, moved: 0, forgotten: 0 } });
    run(story, 40, [], { rule, left: { resolved: 1, expired: 0, others: 0, moved: 0, forgotten: 0 } });
    run(story, 9000, [], { rule });
    expect(counts(story)).toEqual({ firing: 0, resolved: 1, gone: 1, total: 2 });
    expect(story.incident.spec.phase).toBe('Detection');
  });

  it('leave behind when they resolved: an incident whose rule waits longer than they stay still ends', () => {
    const story = opened();
    const rule = ruleWith({ when: 'Unacknowledged', after: '48h' });
    run(story, 1, [firing('a'), firing('b')], { rule });
    run(story, 100, [gone(90, 'a'), gone(95, 'b')], { rule });
    const waiting = run(story, 90_000, [], {
      rule,
      left: { resolved: 2, expired: 0, others: 0, moved: 0, forgotten: 0 },
    });
    expect(story.incident.spec.phase).toBe('Detection');
    expect(waiting.requeueAfterMs).toBe((100 + 48 * 3600 - 90_000) * 1000);
    run(story, 100 + 48 * 3600, [], { rule });
    expect(story.incident.spec).toMatchObject({ phase: 'Resolution', phaseReason: 'all 2 alerts have resolved' });
  });
});

describe('an alert that expires', () => {
  const expired = (name: string) =>
    anAlert({ name, spec: { state: 'Expired', expired: { at: time(60), reason: 'LeaseRanOut' } } });
  const cleared = (story: PlayedIncident) => story.incident.status?.conditions?.find((c) => c.type === 'AlertsCleared');
  const { asOf: _, ...none } = { asOf: '', firing: 0, resolved: 0, total: 0 };
  const counts = (story: PlayedIncident) => ({ ...none, ...story.incident.status?.alerts, asOf: undefined });

  it('neither fires nor has resolved: the incident says so, and no rule resolves it', () => {
    for (const when of ['Unacknowledged', 'AllAlertsResolved'] as const) {
      const story = opened();
      const rule = ruleWith({ when, after: '0s' });
      run(story, 1, [firing('a'), firing('b')], { rule });
      run(story, 20, [gone(15, 'a'), expired('b')], { rule });
      run(story, 90_000, [gone(15, 'a'), expired('b')], { rule });
      expect(counts(story)).toMatchObject({ firing: 0, resolved: 1, expired: 1, total: 2 });
      expect(cleared(story)).toMatchObject({ status: 'False', reason: 'AlertsExpired' });
      expect(story.incident.spec.phase).toBe('Detection');
    }
  });

  it('keeps the incident open also once it is gone from the cluster, seen or unseen', () => {
    for (const left of [{ resolved: 0, expired: 1, others: 0, moved: 0, forgotten: 0 }, undefined]) {
      const story = opened();
      const rule = ruleWith({ when: 'AllAlertsResolved', after: '0s' });
      run(story, 1, [firing('a'), firing('b')], { rule });
      run(story, 20, [gone(15, 'a'), expired('b')], { rule });
      run(story, 90_000, [gone(15, 'a')], { rule, ...(left && { left }) });
      run(story, 180_000, [gone(15, 'a')], { rule });
      expect(counts(story)).toMatchObject({ firing: 0, resolved: 1, expired: 1, expiredGone: 1, total: 2 });
      expect(cleared(story)).toMatchObject({ status: 'False', reason: 'AlertsExpired' });
      expect(story.incident.spec.phase).toBe('Detection');
    }
  });

  it('counts as what it is once it is heard of again', () => {
    const story = opened();
    const rule = ruleWith({ when: 'Unacknowledged', after: '0s' });
    run(story, 1, [firing('a')], { rule });
    run(story, 20, [expired('a')], { rule });
    run(story, 40, [firing('a')], { rule });
    expect(counts(story)).toMatchObject({ firing: 1, resolved: 0, total: 1 });
    expect(counts(story)).not.toHaveProperty('expired');
    expect(cleared(story)).toMatchObject({ reason: 'AlertsFiring' });
    run(story, 60, [expired('a')], { rule });
    // A person, or its sender, says that it is over.
    run(story, 80, [gone(75, 'a')], { rule });
    expect(story.incident.spec.phase).toBe('Resolution');
  });

  it('does not hold up the end of an incident that a person resolved', () => {
    const story = opened();
    run(story, 1, [firing('a')]);
    run(story, 20, [expired('a')]);
    story.write('ana', 30, { phase: 'Resolution' });
    run(story, 31, [expired('a')]);
    run(story, 30 + 24 * 3600 + 60, [expired('a')]);
    expect(story.incident.spec.phase).toBe('Closed');
  });
});

describe('alerts that found no room in the cluster', () => {
  const overflow = (firing: number, count = firing, state: 'Firing' | 'Resolved' = 'Firing') =>
    anAlert({
      name: 'further',
      spec: {
        state,
        folded: { count, firing, asOf: time(1) },
        startsAt: time(0),
        ...(state === 'Resolved' && { endsAt: time(40) }),
        receivedAt: time(40),
      },
    });
  const truncated = (story: PlayedIncident) =>
    story.incident.status?.conditions?.find(({ type }) => type === 'AlertsTruncated');

  it('are counted beside those that did, and said with where they are, until none of them is left', () => {
    const story = opened();
    run(story, 1, [firing()]);
    expect(truncated(story)).toBeUndefined();
    run(story, 12, [firing(), overflow(2_500, 2_600)]);
    expect(story.incident.status?.alerts).toMatchObject({ firing: 2, total: 2, folded: 2_500 });
    expect(truncated(story)).toMatchObject({ status: 'True', reason: 'SourceAtItsBound' });
    expect(truncated(story)?.message).toMatch(/^2600 further alerts of it, 2500 of them firing,.* in Postgres/);
    run(story, 23, [firing(), overflow(0, 2_600, 'Resolved')]);
    expect(story.incident.status?.alerts?.folded).toBeUndefined();
    expect(truncated(story)).toMatchObject({ status: 'False', reason: 'NoneFolded' });
  });

  it('keep their incident open while one of them fires, and cost one write in ten seconds', () => {
    const story = opened();
    run(story, 1, [firing()]);
    run(story, 12, [gone(10), overflow(9)]);
    const before = story.writes;
    for (let second = 13; second < 21; second += 1) run(story, second, [gone(10), overflow(second)]);
    expect(story.writes).toBe(before);
    expect(conditionsOf(story).AlertsCleared).toBe('False');
    expect(story.incident.spec.phase).toBe('Detection');
  });
});

describe('what may wait', () => {
  it('counts are written once in ten seconds, or along with a move', () => {
    const story = opened();
    run(story, 1, [firing()]);
    const next = run(story, 4, [firing('a'), firing('b')]);
    expect(next).toMatchObject({ requeueAfterMs: 7000, status: { alerts: { firing: 1 } } });
    expect(story.writes).toBe(2);
    story.write('ana', 5, { phase: 'Response', owner: { name: 'ana' } });
    run(story, 6, [firing('a'), firing('b')]);
    expect(story.incident.status?.alerts).toEqual({ firing: 2, resolved: 0, total: 2, asOf: time(6) });
    run(story, 16, [firing('b'), gone(12)]);
    expect(story.incident.status?.alerts).toEqual({ firing: 1, resolved: 1, total: 2, asOf: time(16) });
  });

  it('automatic moves pause at 96 changes that the mirror lacks, and say so', () => {
    const story = opened();
    run(story, 1, [firing()], { mirror: { mirroredSequence: 0 } });
    for (let i = 0; i < 94; i += 1) {
      story.write('ana', 10 + i, { phase: i % 2 ? 'Detection' : 'Response', owner: { name: 'ana' } });
      run(story, 10 + i, [firing()], { mirror: { mirroredSequence: 0 } });
    }
    expect(story.incident.status?.changeSequence).toBeGreaterThanOrEqual(96);
    const sequence = story.incident.status?.changeSequence;
    const paused = run(story, 9000, [gone(500), firing('z', 1, 'Critical')], {
      mirror: { mirroredSequence: 0, lagMs: 9e6 },
    });
    expect(story.incident.spec.severity).toBe('Medium');
    expect(story.incident.status?.conditions?.find((c) => c.type === 'HistoryMirrored')).toMatchObject({
      status: 'False',
      reason: 'Paused',
    });
    expect(paused.specPatch).toBeUndefined();
    run(story, 9010, [firing('z', 1, 'Critical')]);
    expect(story.incident.spec.severity).toBe('Critical');
    expect(story.incident.status?.changeSequence).toBe((sequence ?? 0) + 2);
  });

  it('automatic moves go on at 95 changes that the mirror lacks, and pause at 96 exactly; people are recorded at both', () => {
    const mirror = { mirroredSequence: 0 };
    for (const [waiting, severity] of [
      [95, 'Critical'],
      [96, 'Medium'],
    ] as const) {
      const story = opened({ owner: { name: 'ana' } });
      run(story, 1, [firing()], { mirror });
      for (let i = 0; (story.incident.status?.changeSequence ?? 0) < waiting; i += 1) {
        story.write('ana', 10 + i, { phase: i % 2 ? 'Detection' : 'Response' });
        run(story, 10 + i, [firing()], { mirror });
      }
      expect(story.incident.status?.changeSequence).toBe(waiting);
      run(story, 500, [firing('z', 1, 'Critical')], { mirror });
      expect([waiting, story.incident.spec.severity]).toEqual([waiting, severity]);
      const before = story.incident.status?.changeSequence ?? 0;
      story.write('bo', 600, { owner: { name: 'bo' } });
      run(story, 600, [firing('z', 1, 'Critical')], { mirror });
      expect(story.incident.status?.changes?.at(-1)).toMatchObject({ sequence: before + 1, kind: 'Owner', by: 'bo' });
    }
  });

  it('history that is off holds nothing back', () => {
    const story = opened();
    for (let i = 0; i < 300; i += 1) {
      if (i > 0) story.write('ana', i, { phase: i % 2 ? 'Response' : 'Detection' });
      run(story, i + 1, [firing()], { mirror: { mirroredSequence: 0, isOff: true } });
    }
    expect(story.incident.status?.phase).toBe(story.incident.spec.phase);
    expect(story.incident.status?.changes).toHaveLength(16);
    expect(conditionsOf(story).HistoryMirrored).toBe('Unknown');
  });
});

import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident, START } from '../testing/builders.ts';
import { type Answer, answeredStatus, isAnswered, isOrphan, laneOfNews, sameOrigin, whatIsAsked } from './decide.ts';

const NOW = Temporal.Instant.from('2026-03-01T11:00:00Z');
const ROBOT = 'robot';
const isMachine = (user: string) => user === ROBOT;

function answered(alert: Alert, o: { answer?: Answer; incident?: string; episode?: number } = {}): Alert {
  const incident = o.incident ?? 'checkout-amber-falcon';
  const answer = o.answer ?? 'Joined';
  const status = answeredStatus(
    alert,
    { answer, episode: o.episode ?? 1, incident, explanation: 'rule "x"; joined' },
    NOW,
  );
  return { ...alert, status };
}
const among =
  (...incidents: Incident[]) =>
  (name: string) =>
    incidents.find(({ metadata }) => metadata.name === name);
const ask = (alert: Alert, ...incidents: Incident[]) => whatIsAsked(alert, among(...incidents), isMachine);

/** Nobody ever said that it fires. */
const tombstone = () => anAlert({ state: 'Resolved', endsAt: '2026-03-01T10:05:00Z' });
/** It fired, and is over. */
const flap = (o: Partial<Alert['spec']> = {}) =>
  anAlert({ state: 'Resolved', endsAt: '2026-03-01T10:05:00Z', firingStartsAt: START, ...o });

const resolvedBy = (by: string): Incident =>
  anIncident({
    phase: 'Resolution',
    status: {
      observedGeneration: 1,
      phase: 'Resolution',
      changes: [{ sequence: 1, kind: 'Phase', from: 'Response', to: 'Resolution', at: START, recordedAt: START, by }],
    },
  });

describe('what an alert asks for', () => {
  it('asks for its first episode when it fires', () => {
    expect(ask(anAlert())).toEqual({ kind: 'correlate', episode: 1 });
  });

  it('asks for nothing more than a word when all that was ever said is that it is over', () => {
    expect(ask(tombstone())).toEqual({ kind: 'tooLate', episode: 1 });
    const next = { startsAt: '2026-03-01T10:30:00Z', endsAt: '2026-03-01T10:31:00Z' };
    for (const before of [answered(flap()), answered(tombstone(), { answer: 'ResolvedFirst' })])
      expect(ask({ ...before, spec: { ...before.spec, ...next } }, anIncident())).toEqual({
        kind: 'tooLate',
        episode: 2,
      });
  });

  it('asks for its episode when it has fired and is over before anyone looked, once', () => {
    expect(ask(flap())).toEqual({ kind: 'correlate', episode: 1 });
    expect(ask(answered(flap()), anIncident())).toEqual({ kind: 'nothing' });
    expect(ask(answered(flap()), resolvedBy(ROBOT))).toEqual({ kind: 'nothing' });
    const again = { startsAt: '2026-03-01T10:30:00Z', firingStartsAt: '2026-03-01T10:30:00Z' };
    const next = { ...answered(flap()), spec: flap({ ...again, endsAt: '2026-03-01T10:31:00Z' }).spec };
    expect(ask(next, resolvedBy(ROBOT))).toEqual({ kind: 'correlate', episode: 2 });
  });

  it('asks when nobody looked at the episode that fired before one of which only the end was told', () => {
    const later = { startsAt: '2026-03-01T10:30:00Z', endsAt: '2026-03-01T10:31:00Z', firingStartsAt: START };
    expect(ask(flap(later))).toEqual({ kind: 'correlate', episode: 1 });
  });

  it('asks when the firing comes to be known after its end was waved off', () => {
    const waved = answered(tombstone(), { answer: 'ResolvedFirst' });
    expect(ask({ ...waved, spec: flap().spec })).toEqual({ kind: 'correlate', episode: 1 });
    // The sender's own start, when it came, is earlier than the time of receipt that stood in for it.
    const earlier = { startsAt: '2026-03-01T09:59:00Z', firingStartsAt: '2026-03-01T09:59:00Z' };
    expect(ask({ ...waved, spec: flap(earlier).spec })).toEqual({ kind: 'correlate', episode: 1 });
  });

  it('asks on for an incident that was refused, also once it is over', () => {
    const refused = (alert: Alert) => {
      const one = answered(alert, { answer: 'Refused' });
      if (one.status) delete one.status.incidentRef;
      return one;
    };
    for (const alert of [anAlert(), flap()]) expect(ask(refused(alert))).toEqual({ kind: 'correlate', episode: 1 });
    expect(ask(refused(tombstone()))).toEqual({ kind: 'nothing' });
    // But it does not stay in the cluster for that; what nobody has looked at does.
    const mayLeave = (alert: Alert) => isAnswered(alert, among(), isMachine);
    const all = [refused(flap()), refused(anAlert()), flap(), answered(flap())];
    expect(all.map(mayLeave)).toEqual([true, false, false, true]);
    const again = { startsAt: '2026-03-01T10:30:00Z', firingStartsAt: '2026-03-01T10:30:00Z' };
    expect(mayLeave({ ...refused(flap()), spec: flap(again).spec })).toBe(false);
  });

  it('is content once answered, firing or resolved', () => {
    expect(ask(answered(anAlert()), anIncident())).toEqual({ kind: 'nothing' });
    expect(ask(answered(anAlert({ state: 'Resolved' })), anIncident())).toEqual({ kind: 'nothing' });
  });

  it('asks again for a later start, and not for a start that moved back within the episode', () => {
    const alert = answered(anAlert({ startsAt: '2026-03-01T10:00:00Z' }));
    const startsAt = (at: string): Alert => ({ ...alert, spec: { ...alert.spec, startsAt: at } });
    expect(ask(startsAt('2026-03-01T10:30:00Z'), anIncident())).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(startsAt('2026-03-01T09:30:00Z'), anIncident())).toEqual({ kind: 'nothing' });
    expect(ask(startsAt('2026-03-01T11:00:00+01:00'), anIncident())).toEqual({ kind: 'nothing' });
  });

  it('asks again when a resolved one that was waved off fires after all, under the same start', () => {
    const late = answered(tombstone(), { answer: 'ResolvedFirst' });
    expect(ask(late, anIncident())).toEqual({ kind: 'nothing' });
    expect(ask({ ...late, spec: { ...late.spec, state: 'Firing' } })).toEqual({ kind: 'correlate', episode: 1 });
  });

  it('asks as what fires when it expired before anyone looked: nobody said that it is over', () => {
    const expired = (o: Partial<Alert['spec']> = {}) =>
      anAlert({ state: 'Expired', expired: { at: START, reason: 'LeaseRanOut' }, ...o });
    expect(ask(expired())).toEqual({ kind: 'correlate', episode: 1 });
    const waved = answered(tombstone(), { answer: 'ResolvedFirst' });
    expect(ask({ ...waved, spec: expired().spec })).toEqual({ kind: 'correlate', episode: 1 });
    expect(ask(answered(expired()), resolvedBy(ROBOT))).toEqual({ kind: 'correlate', episode: 2 });
  });

  it('is content when it expires once answered, wherever its incident is by then', () => {
    const alert = answered(anAlert());
    const spec: Alert['spec'] = {
      ...alert.spec,
      state: 'Expired',
      // Heard until long after the person resolved the incident, which everybody knew.
      receivedAt: '2027-01-01T00:00:00Z',
      expired: { at: '2027-01-01T00:10:00Z', reason: 'LeaseRanOut' },
    };
    const ended = resolvedBy('ana');
    for (const incidents of [
      [anIncident()],
      [ended],
      [{ ...ended, status: { ...ended.status, resolvedAt: START } }],
      [],
    ])
      expect(ask({ ...alert, spec }, ...(incidents as Incident[]))).toEqual({ kind: 'nothing' });
  });

  it('goes on with its episode when it comes back from silence, and opens anew where a person had ended its incident', () => {
    const back = answered(anAlert({ receivedAt: '2027-01-01T00:00:00Z' }));
    expect(ask(back, anIncident())).toEqual({ kind: 'nothing' });
    const ended = resolvedBy('ana');
    const incident = { ...ended, status: { ...ended.status, resolvedAt: START } } as Incident;
    expect(ask(back, incident)).toEqual({ kind: 'correlate', episode: 2 });
  });

  it('asks for another incident when its own is deleted, or about to be, while it fires', () => {
    const going = anIncident({ metadata: { deletionTimestamp: START } });
    expect(ask(answered(anAlert()))).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(answered(anAlert()), going)).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(answered(anAlert({ state: 'Resolved' })), going)).toEqual({ kind: 'nothing' });
  });

  it('follows a merge to its end, resolved ones too', () => {
    const a = anIncident({ phase: 'Closed', mergedInto: { name: 'b' } });
    const b = anIncident({ name: 'b', phase: 'Closed', mergedInto: { name: 'c' } });
    const c = anIncident({ name: 'c' });
    const moved = { kind: 'move', from: 'checkout-amber-falcon', to: 'c' };
    expect(ask(answered(anAlert()), a, b, c)).toEqual(moved);
    expect(ask(answered(anAlert({ state: 'Resolved' })), a, b, c)).toEqual(moved);
  });

  it('does not leave a firing alert with a merge that leads nowhere or round in a circle', () => {
    const nowhere = anIncident({ phase: 'Closed', mergedInto: { name: 'typo' } });
    const a = anIncident({ phase: 'Closed', mergedInto: { name: 'b' } });
    const b = anIncident({ name: 'b', phase: 'Closed', mergedInto: { name: 'checkout-amber-falcon' } });
    expect(ask(answered(anAlert()), nowhere)).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(answered(anAlert()), a, b)).toEqual({ kind: 'correlate', episode: 2 });
  });

  it('asks when it fires in an incident that the operator resolved, and not when a person did', () => {
    expect(ask(answered(anAlert()), resolvedBy(ROBOT))).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(answered(anAlert()), resolvedBy('ana'))).toEqual({ kind: 'nothing' });
    expect(ask(answered(anAlert({ state: 'Resolved' })), resolvedBy(ROBOT))).toEqual({ kind: 'nothing' });
  });

  it('asks when it is reported anew under the same start after a person ended its incident, not when that was known', () => {
    const at = (second: string) => `2026-03-01T10:05:${second}Z`;
    const endedBy = (phase: 'Resolution' | 'Postmortem' | 'Closed', times: object): Incident => {
      const { status } = resolvedBy('ana');
      return anIncident({ phase, status: { observedGeneration: 1, ...status, phase, ...times } });
    };
    const reported = (second: string) => answered(anAlert({ receivedAt: at(second) }));
    const closed = endedBy('Closed', { resolvedAt: at('10'), closedAt: at('20') });
    for (const ended of [
      closed,
      endedBy('Closed', { closedAt: at('10') }),
      endedBy('Postmortem', { resolvedAt: at('10') }),
      endedBy('Resolution', { resolvedAt: at('10') }),
    ]) {
      expect(ask(reported('30'), ended)).toEqual({ kind: 'correlate', episode: 2 });
      expect(ask(reported('10.900'), ended)).toEqual({ kind: 'nothing' });
      expect(ask(answered(anAlert({ state: 'Resolved', receivedAt: at('30') })), ended)).toEqual({ kind: 'nothing' });
    }
    expect(ask(reported('30'), anIncident({ phase: 'Closed' }))).toEqual({ kind: 'nothing' });
  });

  it('asks when it is reported anew after a merge into what a person had ended, not when it fired already then', () => {
    const at = (second: string) => `2026-03-01T10:05:${second}Z`;
    const status = { ...resolvedBy('ana').status, observedGeneration: 1, phase: 'Resolution' as const };
    const ended = anIncident({ phase: 'Resolution', status: { ...status, resolvedAt: at('10') } });
    const merged = (closedAt: string | undefined, log?: string) =>
      anIncident({
        name: 'left',
        phase: 'Closed',
        mergedInto: { name: ended.metadata.name },
        metadata: log === undefined ? {} : { annotations: { [CHANGES_ANNOTATION]: `1;phase|Closed|ana|${log}|` } },
        status: {
          observedGeneration: 1,
          phase: closedAt === undefined ? 'Response' : 'Closed',
          ...(closedAt && { resolvedAt: START, closedAt }),
        },
      });
    const moved = (second: string) =>
      answered(answered(anAlert({ receivedAt: at(second) }), { incident: 'left' }), { answer: 'Moved' });
    expect(ask(moved('30'), ended, merged(at('40')))).toEqual({ kind: 'nothing' });
    expect(ask(moved('30'), ended, merged(undefined, at('40')))).toEqual({ kind: 'nothing' });
    expect(ask(moved('50'), ended, merged(undefined, at('40')))).toEqual({ kind: 'correlate', episode: 2 });
    // Nobody knows when: people are told.
    expect(ask(moved('30'), ended, merged(undefined))).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(moved('50'), ended, merged(at('40')))).toEqual({ kind: 'correlate', episode: 2 });
    // What it came from has left the cluster since.
    expect(ask(moved('30'), ended)).toEqual({ kind: 'correlate', episode: 2 });
    expect(ask(moved('05'), ended)).toEqual({ kind: 'nothing' });
  });

  it('stays with "recorded" for the whole episode', () => {
    const byRule = answered(anAlert(), { answer: 'Recorded' });
    if (byRule.status) byRule.status.ruleRef = { name: 'watchdog' };
    if (byRule.status) delete byRule.status.incidentRef;
    expect(ask(byRule)).toEqual({ kind: 'nothing' });
  });

  it('asks again when the built-in rule recorded it and it has become worse', () => {
    const now = (severity: 'Info' | 'Low' | 'Medium' | 'Critical', state: 'Firing' | 'Resolved' = 'Firing'): Alert => {
      const recorded = answered(anAlert({ severity, state }), { answer: 'Recorded' });
      if (recorded.status) delete recorded.status.incidentRef;
      return recorded;
    };
    expect(ask(now('Info'))).toEqual({ kind: 'nothing' });
    expect(ask(now('Low'))).toEqual({ kind: 'nothing' });
    expect(ask(now('Critical'))).toEqual({ kind: 'correlate', episode: 1 });
    expect(ask(now('Medium'))).toEqual({ kind: 'correlate', episode: 1 });
    expect(ask(now('Critical', 'Resolved'))).toEqual({ kind: 'nothing' });
  });
});

describe('the answer', () => {
  it('says which incidents the alert was in before, the last eight, and never the one that it is in', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const moved = names.reduce((alert, incident) => answered(alert, { answer: 'Moved', incident }), anAlert());
    expect(moved.status?.formerIncidents).toEqual(names.slice(1, -1));
    const back = answered(moved, { answer: 'Returned', incident: 'c' });
    expect(back.status?.formerIncidents).toEqual(['b', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
    expect(answered(back, { incident: 'c' }).status).toEqual({ ...back.status, conditions: expect.anything() });
  });

  it('names no incident that it has left with its next episode: there it has resolved', () => {
    const first = answered(anAlert({ startsAt: '2026-03-01T10:00:00Z' }), { incident: 'a' });
    const { spec, status } = first;
    const next = answered({ ...first, spec: { ...spec, startsAt: '2026-03-01T10:30:00Z' } }, { incident: 'b' });
    expect(next.status).not.toHaveProperty('formerIncidents');
    const moved = answered({ ...first, status: { ...status, formerIncidents: ['x'] } }, { incident: 'b', episode: 2 });
    expect(moved.status?.formerIncidents).toEqual(['x', 'a']);
  });

  it('is one status that holds incident, rule, episode, start and words', () => {
    const alert = anAlert();
    const status = answeredStatus(
      alert,
      {
        answer: 'Opened',
        episode: 1,
        incident: 'x',
        rule: 'pods',
        explanation: 'rule "pods" on namespace=pay; opened x',
      },
      NOW,
    );
    expect(status).toEqual({
      incidentRef: { name: 'x' },
      ruleRef: { name: 'pods' },
      episode: 1,
      episodeStartedAt: alert.spec.startsAt,
      explanation: 'rule "pods" on namespace=pay; opened x',
      conditions: [
        {
          type: 'Correlated',
          status: 'True',
          reason: 'Opened',
          message: 'rule "pods" on namespace=pay; opened x',
          lastTransitionTime: '2026-03-01T11:00:00Z',
        },
      ],
    });
  });

  it('is cut where it is too long for its field, and never within a character', () => {
    for (const explanation of [`x${'🔥'.repeat(600)}`, '🔥'.repeat(600)]) {
      const { explanation: kept = '' } = answeredStatus(anAlert(), { answer: 'Refused', episode: 1, explanation }, NOW);
      expect(kept.length).toBeLessThanOrEqual(1_024);
      expect(kept).toMatch(/🔥…$/u);
    }
  });

  it('is Correlated=False only where no rule was followed', () => {
    const stateOf = (answer: Answer) =>
      answeredStatus(anAlert(), { answer, episode: 1, explanation: 'e' }, NOW).conditions?.[0]?.status;
    expect(stateOf('Recorded')).toBe('True');
    expect(stateOf('ResolvedFirst')).toBe('False');
    expect(stateOf('Refused')).toBe('False');
  });
});

describe('an incident found under a name that was wanted', () => {
  const origin = { ruleRef: { name: 'pods' }, groupKey: '[]', opening: 1 };
  it('is the same only with the same rule, group and opening', () => {
    const one = anIncident({ origin });
    expect(sameOrigin(one, anIncident({ origin: { ...origin } }))).toBe(true);
    expect(sameOrigin(one, anIncident({ origin: { ...origin, opening: 2 } }))).toBe(false);
    expect(sameOrigin(one, anIncident({ origin: { ...origin, groupKey: '[["a","b"]]' } }))).toBe(false);
    expect(sameOrigin(one, anIncident({ origin: { groupKey: '[]', opening: 1 } }))).toBe(false);
    expect(sameOrigin(one, anIncident())).toBe(false);
  });

  it('is an orphan only while it is open and no alert ever joined', () => {
    expect(isOrphan(anIncident({ origin }), 0)).toBe(true);
    expect(isOrphan(anIncident({ origin }), 1)).toBe(false);
    expect(isOrphan(anIncident({ origin, phase: 'Resolution' }), 0)).toBe(false);
    const had = { observedGeneration: 1, alerts: { firing: 0, resolved: 0, total: 3, asOf: START } };
    expect(isOrphan(anIncident({ origin, status: had }), 0)).toBe(false);
  });
});

describe('in a storm', () => {
  const open = anIncident({ phase: 'Response' });
  const closed = anIncident({ phase: 'Closed' });

  it('what may open an incident goes before the next of one that is open, and Critical before all of them', () => {
    expect(laneOfNews(anAlert().spec, [])).toBe('news');
    expect(laneOfNews(anAlert().spec, [closed])).toBe('news');
    expect(laneOfNews(anAlert().spec, [closed, open])).toBe('routine');
    expect(laneOfNews(anAlert({ severity: 'Critical' }).spec, [open])).toBe('news');
  });

  it('what has resolved is in no hurry', () => {
    expect(laneOfNews(anAlert({ state: 'Resolved', severity: 'Critical' }).spec, [])).toBe('routine');
  });
});

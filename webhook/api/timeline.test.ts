import type { IncidentChange } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { explain, movedVerdict } from '@funnelai/domain/explanation';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident } from '../testing/builders.ts';
import { type TimelineFacts, timelineOf } from './timeline.ts';

const at = (minute: number): string => `2026-01-01T12:${String(minute).padStart(2, '0')}:00Z`;
const change = (
  sequence: number,
  kind: IncidentChange['kind'],
  from: string,
  to: string,
  by = 'ana',
): IncidentChange => ({ sequence, kind, from, to, at: at(sequence), recordedAt: at(sequence), by });

describe('a timeline', () => {
  const changes = [
    change(1, 'Phase', '', 'Detection', 'operator'),
    change(2, 'Phase', 'Detection', 'Response'),
    change(3, 'Owner', '', 'ana'),
  ];

  it('holds each change once, though status and history both have it', () => {
    const incident = anIncident({
      spec: { phase: 'Response', origin: { groupKey: '[]', opening: 1 } },
      status: { observedGeneration: 1, changes: changes.slice(1), logSequence: 3 },
    });
    const timeline = timelineOf({ incident, changes, alerts: [] });
    expect(timeline.map((e) => [e.sequence, e.kind, e.text])).toEqual([
      [1, 'Opened', 'opened by the built-in rule'],
      [2, 'Phase', 'moved from Triggered to Responding'],
      [3, 'Owner', 'owner set to ana'],
    ]);
  });

  it('tells of changes that are lost, a run of them in one line, and of what the operator said', () => {
    const lost = [2, 3, 5].map((sequence) => ({ ...change(sequence, 'Phase', '', '', ''), kind: 'Lost' as const }));
    const timeline = timelineOf({
      incident: anIncident({ status: { observedGeneration: 1 } }),
      changes: [change(1, 'Phase', '', 'Detection'), ...lost, change(4, 'Owner', '', 'ana')],
      alerts: [],
      events: [
        { type: 'Warning', reason: 'HistoryRefused', note: 'too long', count: 3, firstAt: at(9), lastAt: at(20) },
      ],
    });
    expect(timeline.map((e) => [e.kind, e.text])).toEqual([
      ['Opened', 'declared'],
      ['Lost', '2 changes were lost: neither the cluster nor history has them any more'],
      ['Owner', 'owner set to ana'],
      ['Lost', 'a change was lost: neither the cluster nor history has them any more'],
      ['Event', 'too long (3 times)'],
    ]);
    expect(timeline.at(-1)).toMatchObject({ at: at(9), reason: 'HistoryRefused' });
  });

  it('shows with Postgres away what status holds', () => {
    const incident = anIncident({ status: { observedGeneration: 1, changes: changes.slice(1), logSequence: 3 } });
    expect(timelineOf({ incident, changes: [], alerts: [] }).map((e) => e.kind)).toEqual(['Opened', 'Phase', 'Owner']);
  });

  it('shows what admission noted while the operator is away, and no longer once it is numbered', () => {
    const log = `3;phase|Detection|ana|${at(0)}|;phase|Response|bo|${at(5)}|on it;owner|bo|bo|${at(5)}|`;
    const away = anIncident({
      metadata: { annotations: { [CHANGES_ANNOTATION]: log } },
      status: { observedGeneration: 1, phase: 'Detection', logSequence: 1, changes: changes.slice(0, 1) },
    });
    const entries = timelineOf({ incident: away, changes: [], alerts: [] });
    expect(entries.map((e) => [e.kind, e.by, e.text, e.reason])).toEqual([
      ['Opened', 'operator', 'declared', undefined],
      ['Phase', 'bo', 'moved from Triggered to Responding', 'on it'],
      ['Owner', 'bo', 'owner set to bo', undefined],
    ]);
    const back = { ...away, status: { observedGeneration: 1, phase: 'Response' as const, logSequence: 3, changes } };
    expect(timelineOf({ incident: back, changes: [], alerts: [] })).toHaveLength(3);
  });

  const merged = (from: string, to: string, minute: number) => ({
    ...change(minute, 'Merge', from, to),
    at: at(minute),
  });
  const answered = (reason: string, explanation: string, minute: number) =>
    anAlert({
      name: 'prom-1',
      spec: { title: 'Disk is full', startsAt: at(1) },
      status: {
        episodeStartedAt: at(1),
        explanation,
        conditions: [{ type: 'Correlated', status: 'True', reason, message: '', lastTransitionTime: at(minute) }],
      },
    });
  const told = (facts: Pick<TimelineFacts, 'incident' | 'changes' | 'alerts' | 'merges'>) =>
    timelineOf(facts).map(({ at: when, text, by, reason }) => [when, text, by, reason]);

  it('tells in the incident that took another in who merged it, and that its alerts came then', () => {
    const incident = anIncident({ metadata: { name: 'big', creationTimestamp: at(0) } });
    const explanation = explain('rule a', movedVerdict('big', 'small'));
    const merges = [
      { incident: 'small', isOut: false, change: merged('', 'big', 5) },
      { incident: 'other', isOut: false, change: merged('', 'big', 6) },
      { incident: 'other', isOut: true, change: merged('big', '', 7) },
    ];
    expect(told({ incident, changes: [], alerts: [answered('Moved', explanation, 2)], merges }).slice(1)).toEqual([
      [at(5), 'incident small was merged into this one', 'ana', undefined],
      [at(5), 'Disk is full joined', undefined, explanation],
      [at(6), 'incident other was merged into this one', 'ana', undefined],
      [at(7), 'incident other was taken out of this one again', 'ana', undefined],
    ]);
    const over = { ...answered('Moved', explanation, 2) };
    over.spec = { ...over.spec, state: 'Resolved', endsAt: at(3) };
    expect(told({ incident, changes: [], alerts: [over], merges }).map(([when, text]) => [when, text])).toContainEqual([
      at(2),
      'Disk is full joined',
    ]);
  });

  it('lets nothing resolve before it joins: what was over before anyone looked says when that was', () => {
    const opened = change(10, 'Phase', '', 'Detection', 'operator');
    const incident = anIncident({ spec: { origin: { groupKey: '[]', opening: 1 } } });
    const flap = answered('Opened', 'rule a; opened x, as it had fired and resolved unseen', 10);
    flap.spec = { ...flap.spec, state: 'Resolved', endsAt: at(2) };
    const earlier = [{ alert: 'prom-2', title: 'Net is slow', startsAt: at(1), endsAt: at(3) }];
    const timeline = timelineOf({ incident, changes: [opened], alerts: [flap], earlier });
    expect(timeline.map(({ at: when, text, reason }) => [when, text, reason])).toEqual([
      [at(10), 'opened by the built-in rule', undefined],
      [at(10), 'Disk is full joined', 'rule a; opened x, as it had fired and resolved unseen'],
      [at(10), 'Disk is full resolved', `at ${at(2)}, before it joined`],
      [at(10), 'Net is slow joined', undefined],
      [at(10), 'Net is slow resolved', undefined],
    ]);
  });

  it('tells after a merge was undone of each alert when it came here, and not before what brought it back', () => {
    const incident = anIncident({ metadata: { name: 'small', creationTimestamp: at(0) } });
    const changes = [merged('', 'big', 5), merged('big', '', 9)];
    const explanation = 'rule a; back in small, which was taken out of big again';
    const joined = (minute: number) =>
      told({ incident, changes, alerts: [answered('Returned', explanation, minute)] }).find(([, text]) =>
        text?.startsWith('Disk'),
      );
    // It was here before the merge; what the answer says now came later, and has a line of its own.
    expect(joined(2)).toEqual([at(2), 'Disk is full joined', undefined, 'rule a']);
    // It came for the group meanwhile, to the other one.
    expect(joined(7)).toEqual([at(9), 'Disk is full joined', undefined, explanation]);
  });

  it('tells of each time that an alert came, also before it came back', () => {
    const alert = anAlert({
      name: 'prom-1',
      spec: { title: 'Disk is full', startsAt: at(20) },
      status: {
        episode: 2,
        episodeStartedAt: at(20),
        conditions: [{ type: 'Correlated', status: 'True', reason: 'Joined', message: '', lastTransitionTime: at(10) }],
      },
    });
    const earlier = [{ alert: 'prom-1', title: 'Disk is full', startsAt: at(9), endsAt: at(12) }];
    const incident = anIncident({ metadata: { creationTimestamp: at(10) } });
    const told = timelineOf({ incident, changes: [], alerts: [alert], earlier });
    expect(told.slice(1).map((e) => [e.at, e.kind, e.alert])).toEqual([
      // Its sender's clock says 9, when there was no incident yet.
      [at(10), 'AlertJoined', 'prom-1'],
      [at(12), 'AlertResolved', 'prom-1'],
      [at(20), 'AlertJoined', 'prom-1'],
    ]);
  });

  it('says which alerts joined and resolved, and why they are here', () => {
    const alert = anAlert({
      name: 'prom-1',
      spec: { state: 'Resolved', endsAt: at(30) },
      status: {
        incidentRef: { name: 'x' },
        explanation: 'rule "pods" on namespace=pay',
        conditions: [{ type: 'Correlated', status: 'True', reason: 'Joined', message: '', lastTransitionTime: at(10) }],
      },
    });
    const [, joined, resolved] = timelineOf({ incident: anIncident(), changes: [], alerts: [alert] });
    expect(joined).toMatchObject({
      at: at(10),
      kind: 'AlertJoined',
      alert: 'prom-1',
      reason: 'rule "pods" on namespace=pay',
    });
    expect(resolved).toMatchObject({ at: at(30), kind: 'AlertResolved' });
  });
});

import type { IncidentChange } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident } from '../testing/builders.ts';
import { timelineOf } from './timeline.ts';

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

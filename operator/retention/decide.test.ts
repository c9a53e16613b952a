import type { Incident } from '@funnelai/crds/generated/types';
import { AWAITS_INBOX_ANNOTATION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident } from '../testing/builders.ts';
import { decideAlert, decideIncident, isCrowded } from './decide.ts';

const DAY_MS = 86_400_000;
const now = Temporal.Instant.from('2026-03-10T12:00:00Z');
const ago = (ms: number) => now.subtract({ milliseconds: ms }).toString();
const about = { isAnswered: true, isCrowded: false, retentionMs: DAY_MS, now };
const resolved = (receivedMsAgo: number, endedMsAgo = receivedMsAgo) =>
  anAlert({ state: 'Resolved', startsAt: ago(9 * DAY_MS), receivedAt: ago(receivedMsAgo), endsAt: ago(endedMsAgo) });

describe('an alert', () => {
  it('leaves a day after it resolved, and not a moment before', () => {
    expect(decideAlert(resolved(DAY_MS), about)).toEqual({ kind: 'leave' });
    expect(decideAlert(resolved(DAY_MS - 1), about)).toEqual({ kind: 'wait', dueMs: 1 });
  });

  it('counts from the end or its report, whichever is later, and believes no end that lies ahead', () => {
    expect(decideAlert(resolved(1_000, 5 * DAY_MS), about)).toEqual({ kind: 'wait', dueMs: DAY_MS - 1_000 });
    expect(decideAlert(resolved(5 * DAY_MS, 1_000), about)).toEqual({ kind: 'wait', dueMs: DAY_MS - 1_000 });
    expect(decideAlert(resolved(2 * DAY_MS, -1_000 * DAY_MS), about)).toEqual({ kind: 'leave' });
  });

  it('leaves a day after it expired, whenever it was last heard of', () => {
    const expired = (msAgo: number) =>
      anAlert({ state: 'Expired', receivedAt: ago(9 * DAY_MS), expired: { at: ago(msAgo), reason: 'LeaseRanOut' } });
    expect(decideAlert(expired(DAY_MS), about)).toEqual({ kind: 'leave' });
    expect(decideAlert(expired(1_000), about)).toEqual({ kind: 'wait', dueMs: DAY_MS - 1_000 });
  });

  it('stays while it fires, while nobody has looked at it, and when it is on its way out already', () => {
    expect(decideAlert(anAlert({ receivedAt: ago(9 * DAY_MS) }), about)).toEqual({ kind: 'stay' });
    expect(decideAlert(resolved(9 * DAY_MS), { ...about, isAnswered: false })).toEqual({ kind: 'stay' });
    const going = resolved(9 * DAY_MS);
    going.metadata.deletionTimestamp = ago(0);
    expect(decideAlert(going, about)).toEqual({ kind: 'stay' });
  });

  it('leaves at once, but for what its incident needs to count it, where its source is short of room', () => {
    expect(decideAlert(resolved(10_000), { ...about, isCrowded: true })).toEqual({ kind: 'leave' });
    expect(decideAlert(resolved(9_000), { ...about, isCrowded: true })).toEqual({ kind: 'wait', dueMs: 1_000 });
    expect([isCrowded(49, 100), isCrowded(50, 100)]).toEqual([false, true]);
  });

  it('that stood for folded ones leaves with the last of them; one that a person has resolved stays as any other', () => {
    const overflow = resolved(10_000);
    overflow.spec.folded = { count: 7, firing: 0, asOf: ago(10_000) };
    expect(decideAlert(overflow, about)).toEqual({ kind: 'leave' });
    overflow.spec.folded.firing = 3;
    expect(decideAlert(overflow, about)).toEqual({ kind: 'wait', dueMs: DAY_MS - 10_000 });
  });

  it('that stood for folded ones and has expired stays as any that did: a report may bring it back', () => {
    const overflow = resolved(10_000);
    overflow.spec.folded = { count: 7, firing: 0, expired: 2, asOf: ago(10_000) };
    const { endsAt: _, ...spec } = overflow.spec;
    overflow.spec = { ...spec, state: 'Expired', expired: { at: ago(10_000), reason: 'LeaseRanOut' } };
    expect(decideAlert(overflow, about)).toEqual({ kind: 'wait', dueMs: DAY_MS - 10_000 });
    expect(decideAlert(overflow, { ...about, isCrowded: true })).toEqual({ kind: 'leave' });
  });

  it('stays as long as an older report of it may wait in the inbox, also where room is short', () => {
    const held = resolved(9 * DAY_MS);
    held.metadata.annotations = { [AWAITS_INBOX_ANNOTATION]: 'true' };
    expect(decideAlert(held, { ...about, isCrowded: true })).toEqual({ kind: 'stay' });
  });

  it('stays when its time of receipt cannot be read: for want of information nothing goes', () => {
    const unreadable = resolved(9 * DAY_MS);
    unreadable.spec.receivedAt = 'yesterday';
    expect(decideAlert(unreadable, about)).toEqual({ kind: 'stay' });
  });
});

describe('an incident', () => {
  const closed = (msAgo: number, o: Parameters<typeof anIncident>[0] = {}): Incident =>
    anIncident({
      phase: 'Closed',
      status: { observedGeneration: 1, phase: 'Closed', closedAt: ago(msAgo) },
      ...o,
    });
  const decide = (incident: Incident, o: { firing?: number; target?: Incident | undefined } = {}) =>
    decideIncident(incident, { firing: 0, target: incident, retentionMs: 7 * DAY_MS, now, ...o });

  it('leaves seven days after it was closed, and not a moment before', () => {
    expect(decide(closed(7 * DAY_MS))).toEqual({ kind: 'leave' });
    expect(decide(closed(6 * DAY_MS))).toEqual({ kind: 'wait', dueMs: DAY_MS });
  });

  it('stays in every other phase, and while its closing, or its reopening, is not on record', () => {
    for (const phase of ['Detection', 'Response', 'Mitigation', 'Resolution', 'Postmortem'] as const) {
      expect(decide(closed(9 * DAY_MS, { phase }))).toEqual({ kind: 'stay' });
    }
    const status = { observedGeneration: 1, phase: 'Resolution' as const };
    expect(decide(closed(9 * DAY_MS, { status }))).toEqual({ kind: 'stay' });
  });

  it('stays while an alert of it fires: that alert would open another', () => {
    expect(decide(closed(9 * DAY_MS), { firing: 1 })).toEqual({ kind: 'stay' });
  });

  it('stays, when it was merged, until what took over its group is closed too', () => {
    const merged = closed(9 * DAY_MS, { mergedInto: { name: 'other' } });
    expect(decide(merged, { target: anIncident({ name: 'other', phase: 'Response' }) })).toEqual({ kind: 'stay' });
    expect(decide(merged, { target: closed(1, { name: 'other' }) })).toEqual({ kind: 'leave' });
    expect(decide(merged, { target: undefined })).toEqual({ kind: 'leave' });
  });
});

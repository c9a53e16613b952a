/** An incident whose alerts are acknowledged in the system that sends them, and what people make of that. */
import type { Alert, AlertSpec } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { compileRules } from './rules.ts';
import { anAlert, aRule, logTime, OPERATOR, time } from './testing/builders.ts';
import { type PlayedIncident, play } from './testing/played-incident.ts';
import { bringBack, run } from './testing/stepped-incident.ts';

const fires = (name = 'a', spec: Partial<AlertSpec> = {}): Alert =>
  anAlert({ name, spec: { sourceRef: { name: 'events' }, startsAt: time(0), receivedAt: time(1), ...spec } });
const noted = (second: number, name = 'a', by = 'Icinga'): Alert =>
  fires(name, { acknowledgedUpstream: { at: time(second), by } });
/** As the webhook notes it while the source says trustAcknowledge. */
const taken = (second: number, name = 'a', by = 'Icinga'): Alert =>
  fires(name, { acknowledgedUpstream: { at: time(second), by, trusted: { at: time(second), by } } });
const over = (name: string, second: number): Alert =>
  fires(name, { state: 'Resolved', endsAt: time(second), receivedAt: time(second) });

function opened(...members: Alert[]): PlayedIncident {
  const story = play(OPERATOR, { spec: { origin: { groupKey: '[]', opening: 1 } } });
  run(story, 1, members);
  return story;
}
const phaseOf = ({ incident }: PlayedIncident) => incident.spec.phase;
const claimOf = ({ incident }: PlayedIncident) => {
  const { status, reason } = incident.status?.conditions?.find(({ type }) => type === 'Acknowledged') ?? {};
  return `${status} ${reason}`;
};

describe('an acknowledgement upstream that is trusted', () => {
  it('moves the incident to Response in two writes, as one change of the operator that says who it was, and through which source', () => {
    const story = opened(fires());
    const before = story.writes;
    const { events } = run(story, 30, [taken(29)]);
    expect(story.writes - before).toBe(2);
    const reason = 'acknowledged upstream by Icinga through AlertSource events';
    expect(story.incident).toMatchObject({
      spec: { phase: 'Response', phaseReason: reason },
      status: { phase: 'Response', acknowledgedAt: logTime(30), round: 1 },
    });
    expect(story.incident.status?.changes?.at(-1)).toMatchObject({
      kind: 'Phase',
      from: 'Detection',
      to: 'Response',
      by: OPERATOR,
      reason,
    });
    expect(events.map((event) => event.reason)).toEqual(['Acknowledged']);
    expect(claimOf(story)).toBe('True Upstream');
    run(story, 60, [taken(29)]);
    expect(story.writes - before).toBe(2);
  });

  it('makes nobody the owner: who it was there is nobody that is known here', () => {
    const story = opened(fires());
    run(story, 30, [taken(29, 'a', 'ana')]);
    run(story, 60, [taken(29, 'a', 'ana')]);
    expect(story.incident.spec).not.toHaveProperty('owner');
  });

  it('waits until every alert that fires has one, and names the last; what has resolved needs none', () => {
    const story = opened(fires('a'), fires('b'), fires('c'));
    for (const members of [
      [taken(20, 'a'), fires('b'), over('c', 10)],
      [taken(20, 'a'), noted(21, 'b'), over('c', 10)],
    ]) {
      run(story, 30, members);
      expect(phaseOf(story)).toBe('Detection');
    }
    run(story, 40, [taken(35, 'a', 'bo'), taken(20, 'b'), over('c', 10)]);
    expect(phaseOf(story)).toBe('Response');
    expect(story.incident.spec.phaseReason).toBe(
      'acknowledged upstream by bo through AlertSource events (the last of 2 alerts that fire)',
    );
  });

  it('counts for what has come before the incident did, and is a change of its own then too', () => {
    const story = opened(taken(0.5));
    expect(story.incident.status?.phase).toBe('Detection');
    run(story, 2, [taken(0.5)]);
    expect(story.incident.status?.changes?.map(({ from, to }) => `${from ?? ''}>${to}`)).toContain(
      'Detection>Response',
    );
  });

  it('that nobody trusts is noted only', () => {
    const story = opened(fires());
    run(story, 30, [noted(29)]);
    run(story, 90, [noted(29)]);
    expect(phaseOf(story)).toBe('Detection');
    expect(claimOf(story)).toBe('False NobodyYet');
  });

  it('does nothing for an incident of which nothing fires any more', () => {
    const story = opened(fires());
    run(story, 30, [{ ...over('a', 20), spec: { ...taken(10).spec, state: 'Resolved', endsAt: time(20) } }]);
    expect(phaseOf(story)).toBe('Detection');
  });

  it('is no answer for the alerts that an overflow Alert stands for', () => {
    const folded = fires('rest', { folded: { count: 3, firing: 3, asOf: time(5) } });
    const story = opened(fires(), folded);
    run(story, 30, [taken(29), folded]);
    expect(phaseOf(story)).toBe('Detection');
  });

  it('is not taken back by an alert that joins later, nor when the change has left the status', () => {
    const story = opened(fires());
    run(story, 30, [taken(29)]);
    run(story, 60, [taken(29), fires('b', { receivedAt: time(50) })]);
    expect(phaseOf(story)).toBe('Response');
    for (let i = 0; i < 20; i += 1) {
      story.write('ana', 100 + i, { severity: i % 2 === 0 ? 'High' : 'Low' });
      run(story, 100 + i, [taken(29)]);
    }
    expect(story.incident.status?.changes?.some(({ kind }) => kind === 'Phase')).toBe(false);
    expect(claimOf(story)).toBe('True Upstream');
  });

  it('is somebody having it: from then on the default rule only proposes to resolve', () => {
    const resolve = { when: 'Unacknowledged', after: '10s' } as const;
    const [rule] = compileRules([aRule('r', { resolve })]).rules;
    const story = opened(fires());
    run(story, 30, [taken(29)], { rule });
    run(story, 900, [over('a', 90)], { rule });
    expect(phaseOf(story)).toBe('Response');
    expect(story.incident.status?.conditions?.find(({ type }) => type === 'AlertsCleared')?.status).toBe('True');
  });

  it('says so in a reason that fits, whatever the sender calls itself', () => {
    for (const by of ['界'.repeat(85), '\n '.repeat(128), 'x'.repeat(256)]) {
      const alerts = Array.from({ length: 3 }, (_, i) => taken(20 + i, `alert-${i}`, by));
      for (const { spec } of alerts) spec.sourceRef = { name: 's'.repeat(40) };
      const story = opened(...alerts);
      run(story, 30, alerts);
      expect(story.incident.spec.phaseReason?.length).toBeLessThanOrEqual(256);
      expect(phaseOf(story)).toBe('Response');
    }
  });
});

describe('a person who moves it back to Detection', () => {
  const handedBack = (...members: Alert[]) => {
    const story = opened(...members);
    run(story, 30, members);
    expect(phaseOf(story)).toBe('Response');
    story.write('ana', 50.7, { phase: 'Detection', phaseReason: 'nobody is there' });
    return story;
  };

  it('is not overruled by the same acknowledgement, however long it stands', () => {
    const story = handedBack(taken(20));
    for (const second of [51, 100, 86_400]) {
      run(story, second, [taken(20)]);
      expect(phaseOf(story)).toBe('Detection');
    }
    // Neither is it by one of the second that is theirs, nor once the change is not in the status any more.
    run(story, 90_000, [taken(50.9)]);
    for (let i = 0; i < 20; i += 1) {
      story.write('ana', 90_001 + i, { severity: i % 2 === 0 ? 'High' : 'Low' });
      run(story, 90_001 + i, [taken(20)]);
    }
    expect(story.incident.status?.changes?.some(({ kind }) => kind === 'Phase')).toBe(false);
    run(story, 90_100, [taken(20)]);
    expect(phaseOf(story)).toBe('Detection');
  });

  it('is by newer ones, of every alert that fires', () => {
    const story = handedBack(taken(20, 'a'), taken(20, 'b'));
    run(story, 60, [taken(55, 'a'), taken(20, 'b')]);
    expect(phaseOf(story)).toBe('Detection');
    run(story, 70, [taken(55, 'a'), taken(65, 'b')]);
    expect(phaseOf(story)).toBe('Response');
    // The first answer of the round stays the first.
    expect(story.incident.status?.acknowledgedAt).toBe(logTime(30));
  });

  it('is so too after they had acknowledged it themselves, and when they reopen what had ended', () => {
    const story = opened(fires());
    story.write('ana', 10, { phase: 'Response' });
    run(story, 11, [taken(12)]);
    story.write('ana', 20, { phase: 'Detection' });
    run(story, 21, [taken(12)]);
    expect(phaseOf(story)).toBe('Detection');
    story.write('ana', 30, { phase: 'Resolution' });
    run(story, 31, [taken(35)]);
    story.write('bo', 40, { phase: 'Detection' });
    run(story, 41, [taken(35)]);
    expect(phaseOf(story)).toBe('Detection');
    expect(claimOf(story)).toBe('False NobodyYet');
  });
});

describe('an incident that came back', () => {
  const again = (ended: number, received: number, acknowledged?: number): Alert => {
    const at = acknowledged === undefined ? undefined : time(acknowledged);
    const startsAt = time(ended);
    const acknowledgedUpstream = at === undefined ? {} : { acknowledgedUpstream: { at, trusted: { at } } };
    return fires('a', { startsAt, receivedAt: time(received), ...acknowledgedUpstream });
  };
  const resolvedByOperator = () => {
    const story = opened(fires());
    run(story, 400, [over('a', 90)]);
    expect(phaseOf(story)).toBe('Resolution');
    return story;
  };

  it('is unanswered, until it is acknowledged anew', () => {
    const story = resolvedByOperator();
    bringBack(story, 420);
    run(story, 420, [again(410, 410)]);
    expect(story.incident.status).toMatchObject({ phase: 'Detection', round: 2 });
    run(story, 440, [again(410, 410, 430)]);
    expect(story.incident.status).toMatchObject({ phase: 'Response', round: 2, acknowledgedAt: logTime(440) });
  });

  it('is answered by what was acknowledged before the operator had reopened it', () => {
    const story = resolvedByOperator();
    bringBack(story, 700);
    run(story, 700, [again(410, 410, 415)]);
    run(story, 701, [again(410, 410, 415)]);
    expect(story.incident.status).toMatchObject({ phase: 'Response', round: 2, acknowledgedAt: logTime(700) });
  });

  it('is not by an acknowledgement of before it was resolved, though its sender names the old start', () => {
    const story = resolvedByOperator();
    bringBack(story, 420);
    run(story, 420, [again(0, 410, 20)]);
    run(story, 440, [again(0, 410, 20)]);
    expect(phaseOf(story)).toBe('Detection');
  });
});

it('where admission keeps no log, an incident that was acknowledged upstream before it was looked at was still born in Detection', () => {
  const story = play(OPERATOR, { spec: { origin: { groupKey: '[]', opening: 1 } } }, { withLog: false });
  const o = { manager: OPERATOR };
  run(story, 3, [taken(2)], o);
  run(story, 4, [taken(2)], o);
  expect(story.incident.status).toMatchObject({ phase: 'Response', acknowledgedAt: time(4) });
  expect(story.incident.status?.changes?.filter(({ kind }) => kind === 'Phase').map(({ to }) => to)).toEqual([
    'Detection',
    'Response',
  ]);
});

import type { Incident, IncidentChange, Phase } from '@funnelai/crds/generated/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANGES_MAX } from './change-ring.ts';
import { COLLAPSED, type NextChanges, nextChanges } from './changes.ts';
import { MOVES } from './lifecycle.ts';
import { anIncident, at, logTime, OPERATOR, time } from './testing/builders.ts';
import { type PlayedIncident, play } from './testing/played-incident.ts';
import { isMachineUser } from './users.ts';

const step = (incident: Incident, second: number, mirroredSequence = 0, manager?: string): NextChanges =>
  nextChanges(incident, { isMachine: isMachineUser, now: at(second), mirroredSequence, manager });
function record(played: PlayedIncident, second: number, mirroredSequence = 0, manager?: string): IncidentChange[] {
  const next = step(played.incident, second, mirroredSequence, manager);
  if (next.added.length > 0) played.writeStatus({ observedGeneration: 1, ...next.status });
  return next.added;
}
const brief = (changes: readonly IncidentChange[]) =>
  changes.map((c) => `${c.sequence} ${c.kind} ${c.from ?? ''}→${c.to ?? ''} ${c.by}`);

describe('nextChanges', () => {
  it('numbers the values at birth and each act after it, with who and when', () => {
    const story = play(OPERATOR, { spec: { origin: { groupKey: '[]', opening: 1 } } });
    story.write('ana', 30, { phase: 'Response', phaseReason: 'on it' });
    story.write('bo', 40, { severity: 'High', owner: { name: 'ana' } });
    expect(brief(record(story, 50))).toEqual([
      `1 Phase →Detection ${OPERATOR}`,
      `2 Severity →Medium ${OPERATOR}`,
      `3 Priority →P3 ${OPERATOR}`,
      '4 Phase Detection→Response ana',
      '5 Severity Medium→High bo',
      '6 Owner →ana bo',
    ]);
    expect(story.incident.status).toMatchObject({
      phase: 'Response',
      detectedAt: logTime(0),
      acknowledgedAt: logTime(30),
      phaseSince: logTime(30),
      round: 1,
      changeSequence: 6,
      logSequence: 6,
      pinned: ['severity'],
      observed: { severity: 'High', priority: 'P3', owner: 'ana' },
    });
    expect(story.incident.status?.changes?.[3]).toMatchObject({
      at: logTime(30),
      recordedAt: time(50),
      reason: 'on it',
      verified: true,
    });
    expect(step(story.incident, 60).added).toEqual([]);
  });

  it('takes the removal of an owner for a change to nothing', () => {
    const story = play('ana', { spec: { owner: { name: 'ana' } } });
    record(story, 1);
    story.write('bo', 5, { owner: undefined } as never);
    const [change] = record(story, 6);
    expect(change).toMatchObject({ kind: 'Owner', from: 'ana', by: 'bo' });
    expect(change).not.toHaveProperty('to');
    // The write left no time: the moment of recording has to do.
    expect(change).toMatchObject({ at: time(6), verified: true });
  });

  it('dates a removal that nobody saw by the act that followed it, so that times never run backwards', () => {
    const story = play('ana', { spec: { owner: { name: 'ana' } } });
    record(story, 1);
    story.write('bo', 5, { owner: undefined } as never);
    story.write('bo', 9, { severity: 'Critical' });
    expect(record(story, 60).map((c) => [c.kind, c.at])).toEqual([
      ['Owner', logTime(9)],
      ['Severity', logTime(9)],
    ]);
  });

  it('says Collapsed once when more happened in one absence than the log holds', () => {
    const story = play(OPERATOR, { spec: { origin: { groupKey: '[]', opening: 1 } } });
    record(story, 1);
    for (let i = 0; i < 20; i += 1) story.write('ana', 10 + i, { phase: i % 2 ? 'Detection' : 'Response' });
    const added = record(story, 60);
    expect(added).toHaveLength(16);
    expect(added.map((c) => c.reason === COLLAPSED)).toEqual([true, ...Array.from({ length: 15 }, () => false)]);
    expect(story.incident.status).toMatchObject({ phase: 'Detection', logSequence: 23, changeSequence: 19 });
    expect(step(story.incident, 61).added).toEqual([]);
  });

  it('says Collapsed also when what was lost went in a circle, and for a field that the log no longer mentions', () => {
    const circle = play('ana');
    record(circle, 1);
    for (let i = 0; i < 17; i += 1) circle.write('ana', 10 + i, { phase: i % 2 ? 'Detection' : 'Response' });
    expect(record(circle, 60)[0]).toMatchObject({ from: 'Detection', to: 'Detection', reason: COLLAPSED });

    const silent = play('ana');
    record(silent, 1);
    silent.write('ana', 5, { severity: 'Critical' });
    for (let i = 0; i < 16; i += 1) silent.write('bo', 10 + i, { owner: { name: `p${i}` } });
    const added = record(silent, 60, 0, 'kubectl-edit');
    expect(added[0]).toMatchObject({
      kind: 'Severity',
      from: 'Medium',
      to: 'Critical',
      by: 'kubectl-edit',
      reason: COLLAPSED,
      verified: false,
    });
    expect(added.filter((c) => c.reason === COLLAPSED)).toHaveLength(1);
    expect(added).toHaveLength(17);
  });

  it('records differences under the field manager where no log is, Collapsed when no single move can explain them', () => {
    const story = play('nobody', { spec: { origin: { groupKey: '[]', opening: 1 } } }, { withLog: false });
    expect(record(story, 1, 0, 'funnelai-operator').every((c) => c.verified === false && c.at === logTime(0))).toBe(
      true,
    );
    expect(story.incident.status?.pinned).toBeUndefined();
    story.write('ana', 10, { phase: 'Response', phaseReason: 'mine' });
    expect(record(story, 11, 0, 'kubectl-edit')).toMatchObject([
      { from: 'Detection', to: 'Response', by: 'kubectl-edit', reason: 'mine' },
    ]);
    story.write('ana', 20, { phase: 'Resolution' });
    story.write('ana', 21, { phase: 'Postmortem' });
    expect(record(story, 22)).toMatchObject([{ from: 'Response', to: 'Postmortem', by: 'unknown', reason: COLLAPSED }]);
  });

  it('says of a merge who did it, and when: whoever closed in that write, or reopened', () => {
    const story = play('ana');
    record(story, 1);
    story.write('bo', 9, { phase: 'Closed', mergedInto: { name: 'other' } });
    expect(record(story, 20, 0, 'kubectl-patch')).toMatchObject([
      { kind: 'Phase', from: 'Detection', to: 'Closed', by: 'bo', verified: true },
      { kind: 'Merge', to: 'other', at: logTime(9), by: 'bo', verified: true },
    ]);
    story.write('ana', 30, { phase: 'Response', mergedInto: undefined } as never);
    story.write('bo', 33, { phase: 'Resolution' });
    story.write('bo', 34, { phase: 'Closed' });
    story.write('cy', 35, { phase: 'Response' });
    expect(record(story, 40).at(-1)).toMatchObject({ kind: 'Merge', from: 'other', at: logTime(30), by: 'ana' });
    expect(story.incident.status?.round).toBe(3);
    story.write('bo', 50, { phase: 'Closed', mergedInto: { name: 'one' } });
    story.write('bo', 51, { phase: 'Response', mergedInto: undefined } as never);
    story.write('cy', 52, { phase: 'Closed', mergedInto: { name: 'two' } });
    expect(record(story, 60).at(-1)).toMatchObject({ kind: 'Merge', to: 'two', at: logTime(52), by: 'cy' });
  });

  it('does not vouch for a merge where no log says who moved', () => {
    const story = play('ana', {}, { withLog: false });
    record(story, 1);
    story.write('bo', 9, { phase: 'Closed', mergedInto: { name: 'other' } });
    expect(record(story, 20, 0, 'kubectl-patch').at(-1)).toMatchObject({
      kind: 'Merge',
      by: 'kubectl-patch',
      verified: false,
    });
  });

  it('does not pin a priority that was only filled in at birth', () => {
    const filledIn = play('ana', { spec: { severity: 'High', priority: 'P2' } });
    record(filledIn, 1);
    expect(filledIn.incident.status?.pinned).toEqual(['severity']);
    const chosen = play('ana', { spec: { severity: 'High', priority: 'P1' } });
    record(chosen, 1);
    expect(chosen.incident.status?.pinned).toEqual(['priority', 'severity']);
  });

  it('records nothing more at 128 that the mirror lacks, and goes on where it stopped', () => {
    const story = play('ana');
    record(story, 1);
    let second = 10;
    const move = () => {
      second += 1;
      story.write('ana', second, { phase: story.incident.spec.phase === 'Detection' ? 'Response' : 'Detection' });
    };
    for (let i = 0; i < 200 && (story.incident.status?.changeSequence ?? 0) < CHANGES_MAX; i += 1) {
      move();
      record(story, second);
    }
    for (let i = 0; i < 3; i += 1) move();
    const full = step(story.incident, second);
    expect(full).toMatchObject({ isFull: true, added: [], status: { changeSequence: 128, logSequence: 128 } });
    expect(full.status.changes).toHaveLength(128);
    const taken = record(story, second, 127);
    expect(brief(taken).map((line) => line.split(' ')[0])).toEqual(['129', '130', '131']);
    expect(story.incident.status?.changes?.map((c) => c.sequence)).toEqual(
      Array.from({ length: 16 }, (_, i) => 116 + i),
    );
  });

  it('counts on when the annotation is not what the policy writes', () => {
    const broken = anIncident({ metadata: { annotations: { 'funnelai.dev/changes': 'rubbish' } } });
    expect(step(broken, 1).added.map((c) => c.verified)).toEqual([false, false, false]);
  });
});

describe('whatever people do, batched in whatever way', () => {
  const acts = fc.array(
    fc.record({
      user: fc.constantFrom('ana', 'b|o;%7C', OPERATOR, 'système 名'),
      what: fc.constantFrom('phase', 'severity', 'priority', 'owner'),
      pick: fc.nat(9),
      recordAfter: fc.boolean(),
      twice: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  it('the changes are contiguous, in order, with their actors, each once, and each begins where the last of its kind ended', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const story = play('ana');
        const recorded: IncidentChange[] = record(story, 0);
        let unrecorded = 0;
        let second = 1;
        for (const { user, what, pick, recordAfter, twice } of list) {
          second += 1;
          const spec = story.incident.spec;
          const before = story.log.length;
          if (what === 'phase')
            story.write(user, second, {
              phase: MOVES[spec.phase][pick % MOVES[spec.phase].length] as Phase,
              phaseReason: `why ${second};|%`,
            });
          if (what === 'severity')
            story.write(user, second, { severity: (['Critical', 'High', 'Info'] as const)[pick % 3] ?? 'Low' });
          if (what === 'priority') story.write(user, second, { priority: (['P1', 'P2'] as const)[pick % 2] ?? 'P3' });
          if (what === 'owner')
            story.write(
              user,
              second,
              (pick % 3 === 0 ? { owner: undefined } : { owner: { name: `o${pick}` } }) as never,
            );
          unrecorded += story.log.length - before;
          if (recordAfter || unrecorded >= 15) {
            recorded.push(...record(story, second, recorded.length));
            if (twice) expect(step(story.incident, second).added).toEqual([]);
            unrecorded = 0;
          }
        }
        recorded.push(...record(story, second + 1, recorded.length));
        expect(recorded.map((c) => c.sequence)).toEqual(recorded.map((_, i) => i + 1));
        expect(recorded.map((c) => [c.kind.toLowerCase(), c.to ?? '', c.by, c.reason ?? ''])).toEqual(
          story.log.map((e) => [e.field, e.value, e.user, e.reason]),
        );
        const times = recorded.map((c) => c.at);
        expect(times.map((t, i) => (story.log[i]?.at === '' ? '' : t))).toEqual(story.log.map((e) => e.at));
        const last = new Map<string, string | undefined>();
        for (const change of recorded) {
          expect(change.from).toBe(last.get(change.kind));
          last.set(change.kind, change.to);
        }
        const { status } = story.incident;
        expect(status?.phase).toBe(story.incident.spec.phase);
        expect(status?.changes?.at(-1)?.sequence).toBe(status?.changeSequence);
      }),
      { numRuns: 200 },
    );
  });
});

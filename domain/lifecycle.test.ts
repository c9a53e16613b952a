import { readFileSync } from 'node:fs';
import type { Phase } from '@funnelai/crds/generated/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginsRound,
  canMove,
  legalMoves,
  MOVES,
  PHASES,
  type PhaseTimes,
  shownAs,
  timesAfter,
  timesAtBirth,
} from './lifecycle.ts';

describe('the table', () => {
  it('is the one that the API server enforces', () => {
    const crd = readFileSync(new URL('../crds/incidents.yaml', import.meta.url), 'utf8');
    const rows = [...crd.matchAll(/'(\w+)': \[('\w+'(?:, '\w+')*)\]/g)].map(([, from, to]) => [
      from,
      (to ?? '').replaceAll("'", '').split(', '),
    ]);
    expect(Object.fromEntries(rows)).toEqual(MOVES);
  });

  it('allows 14 of the 30 moves, and Closed from anywhere by a merge', () => {
    const pairs = PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const));
    expect(pairs.filter(([from, to]) => canMove(from, to))).toHaveLength(14);
    expect(PHASES.filter((from) => canMove(from, 'Closed', { merging: true }))).toEqual(PHASES.slice(0, 5));
    expect(pairs.filter(([from, to]) => from === to && canMove(from, to))).toEqual([]);
    expect(legalMoves('Closed', { merging: true })).toEqual(['Response']);
  });

  it('shows each phase in words', () =>
    expect(PHASES.map(shownAs)).toEqual(['Triggered', 'Responding', 'Mitigated', 'Resolved', 'Post-mortem', 'Closed']));
});

const walk = (...moves: [Phase, string, boolean?][]): PhaseTimes => {
  let times = timesAtBirth('Detection', 't0', false);
  for (const [to, at, byPerson = true] of moves)
    times = timesAfter(times, times.phase ?? 'Detection', to, at, byPerson);
  return times;
};

describe('times', () => {
  it('follow the way forward', () => {
    expect(
      walk(['Response', 't1'], ['Mitigation', 't2'], ['Resolution', 't3'], ['Postmortem', 't4'], ['Closed', 't5']),
    ).toEqual({
      phase: 'Closed',
      phaseSince: 't5',
      detectedAt: 't0',
      acknowledgedAt: 't1',
      mitigatedAt: 't2',
      resolvedAt: 't3',
      closedAt: 't5',
      round: 1,
    });
  });

  it('acknowledge by a person alone, also when they jump; born in Response by a person is acknowledged at birth', () => {
    expect(walk(['Resolution', 't1', false])).not.toHaveProperty('acknowledgedAt');
    expect(walk(['Resolution', 't1'])).toMatchObject({ acknowledgedAt: 't1', resolvedAt: 't1' });
    expect(timesAtBirth('Response', 't0', true)).toMatchObject({ acknowledgedAt: 't0', detectedAt: 't0' });
    expect(timesAtBirth('Response', 't0', false)).not.toHaveProperty('acknowledgedAt');
  });

  it('keep the first acknowledgement and the round over a hand-back', () => {
    expect(walk(['Response', 't1'], ['Detection', 't2'], ['Response', 't3'])).toMatchObject({
      acknowledgedAt: 't1',
      detectedAt: 't0',
      round: 1,
    });
    expect(walk(['Response', 't1', false], ['Detection', 't2', false], ['Response', 't3'])).toMatchObject({
      acknowledgedAt: 't3',
    });
  });

  it('clear what was left on the way back', () => {
    const back = walk(['Response', 't1'], ['Mitigation', 't2'], ['Response', 't3']);
    expect(back).not.toHaveProperty('mitigatedAt');
    const again = walk(['Response', 't1'], ['Mitigation', 't2'], ['Resolution', 't3'], ['Detection', 't4', false]);
    expect(again).toEqual({ phase: 'Detection', phaseSince: 't4', detectedAt: 't4', round: 2 });
    expect(walk(['Resolution', 't1'], ['Closed', 't2'], ['Response', 't3'])).toEqual({
      phase: 'Response',
      phaseSince: 't3',
      detectedAt: 't3',
      acknowledgedAt: 't3',
      round: 2,
    });
  });

  it('hold on every walk: phaseSince is the last move, no time of a phase that lies ahead, rounds count the returns', () => {
    const steps = fc.array(fc.record({ pick: fc.nat(9), byPerson: fc.boolean() }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (list) => {
        let times = timesAtBirth('Detection', '0', false);
        let returns = 0;
        for (const [i, { pick, byPerson }] of list.entries()) {
          const from = times.phase ?? 'Detection';
          const to = MOVES[from][pick % MOVES[from].length] ?? 'Closed';
          if (beginsRound(from, to)) returns += 1;
          times = timesAfter(times, from, to, String(i + 1), byPerson);
          expect(times).toMatchObject({ phase: to, phaseSince: String(i + 1), round: 1 + returns });
          const rank = PHASES.indexOf(to);
          if (rank < PHASES.indexOf('Mitigation')) expect(times).not.toHaveProperty('mitigatedAt');
          if (rank < PHASES.indexOf('Resolution')) expect(times).not.toHaveProperty('resolvedAt');
          if (to !== 'Closed') expect(times).not.toHaveProperty('closedAt');
        }
      }),
    );
  });
});

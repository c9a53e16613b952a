import type { Phase } from '@funnelai/crds/generated/types';
import { canMove, MOVES, PHASES } from '@funnelai/domain/lifecycle';
import { describe, expect, it } from 'vitest';
import { anIncidentItem } from '../../testing/builders.ts';
import { endingEdits, moveLabel, otherMoves, reversalOf, undoLabel, usualMove } from './moves.ts';
import { undoEdits } from './undo.ts';

const pairs = PHASES.flatMap((from) => MOVES[from].map((to): [Phase, Phase] => [from, to]));

describe('what is offered', () => {
  it.each(PHASES)('from %s: the usual move is legal, and the menu has every other phase once', (phase) => {
    const usual = usualMove(phase, false);
    expect(canMove(phase, usual)).toBe(true);
    const others = otherMoves(phase, usual);
    expect(others.map(({ to }) => to).sort()).toEqual(PHASES.filter((to) => to !== phase && to !== usual).sort());
    for (const { to, reason } of others) expect(reason === undefined).toBe(canMove(phase, to));
  });

  it('says where one can go instead', () => {
    const close = otherMoves('Detection', 'Response').find(({ to }) => to === 'Closed');
    expect(close?.reason).toBe('From Triggered it can go to Responding or Resolved');
  });

  it('is to resolve once all alerts have resolved, but never to pass over an acknowledgement', () => {
    expect(usualMove('Response', true)).toBe('Resolution');
    expect(usualMove('Detection', true)).toBe('Response');
  });

  it('has a word for every legal move', () => {
    expect(moveLabel('Detection', 'Response')).toBe('Acknowledge');
    expect(moveLabel('Closed', 'Response')).toBe('Reopen');
    for (const [from, to] of pairs) expect(moveLabel(from, to)).toMatch(/^[A-Z]/);
  });
});

describe('how it ended', () => {
  const field = 'resolution';
  it('is written only when it says something else than what stands there', () => {
    expect(endingEdits(undefined, '')).toEqual([]);
    expect(endingEdits({ reason: 'Fixed', cause: 'dns' }, 'Fixed')).toEqual([]);
    expect(endingEdits(undefined, 'Fixed')).toEqual([{ field, from: null, to: { reason: 'Fixed' } }]);
  });

  it('of an earlier round can be changed or taken away; the cause stays', () => {
    const before = { reason: 'FalseAlarm', cause: 'dns' } as const;
    expect(endingEdits(before, 'Fixed')).toEqual([{ field, from: before, to: { reason: 'Fixed', cause: 'dns' } }]);
    expect(endingEdits(before, '')).toEqual([{ field, from: before, to: { cause: 'dns' } }]);
    expect(endingEdits({ reason: 'FalseAlarm' }, '')).toEqual([{ field, from: { reason: 'FalseAlarm' }, to: null }]);
  });
});

describe('Undo', () => {
  it('is offered exactly where the way back is a legal move', () => {
    for (const [from, to] of pairs) expect(reversalOf(from, to).isOffered).toBe(canMove(to, from));
    const offered = pairs.filter(([from, to]) => reversalOf(from, to).isOffered).map((pair) => pair.join('→'));
    expect(offered).toEqual([
      'Detection→Response',
      'Detection→Resolution',
      'Response→Mitigation',
      'Response→Resolution',
      'Response→Detection',
      'Mitigation→Response',
      'Resolution→Detection',
      'Resolution→Response',
    ]);
  });

  it('says that it pages again where it leads back to Triggered', () => {
    const acknowledged = reversalOf('Detection', 'Response');
    const mitigated = reversalOf('Response', 'Mitigation');
    if (!acknowledged.isOffered || !mitigated.isOffered) throw new Error('both have a way back');
    expect(undoLabel(acknowledged, true)).toBe('Undo (pages again)');
    expect(undoLabel(acknowledged, false)).toBe('Undo (would page again)');
    expect(undoLabel(mitigated, true)).toBe('Undo');
  });

  it('says why it is not offered', () => {
    const closed = reversalOf('Resolution', 'Closed');
    expect(closed.isOffered ? '' : closed.why).toBe('This cannot be undone: from Closed it can only go to Responding.');
  });

  it('of an acknowledgement gives back the ownership that came with it, and no other', () => {
    const before = anIncidentItem();
    const phase = { field: 'phase', from: 'Response', to: 'Detection' };
    expect(undoEdits(before, { ...before, owner: 'ana' }, 'Response', 'ana')).toEqual([
      phase,
      { field: 'owner', from: 'ana', to: null },
    ]);
    expect(undoEdits(before, { ...before, owner: 'bo' }, 'Response', 'ana')).toEqual([phase]);
    expect(undoEdits({ ...before, owner: 'ana' }, { ...before, owner: 'ana' }, 'Response', 'ana')).toEqual([phase]);
  });
});

import { HISTORY_FINALIZER } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anIncident, START } from '../testing/builders.ts';
import { finalizerOps, lagCheckAfterMs, mirrorFacts, newestManager, specOps, withHeldDeletion } from './decide.ts';

const NOW = Temporal.Instant.from('2026-03-01T11:00:00Z');

describe('what is known of the mirror', () => {
  const change = (sequence: number) =>
    ({ sequence, kind: 'Severity', at: START, recordedAt: START, by: 'ana' }) as const;
  const withChanges = (...numbers: number[]) =>
    anIncident({
      status: { observedGeneration: 1, changeSequence: numbers.at(-1) ?? 0, changes: numbers.map(change) },
    });
  const facts = (incident: ReturnType<typeof anIncident>, entry?: Parameters<typeof mirrorFacts>[1]['entry']) =>
    mirrorFacts(incident, { enabled: true, entry, monotonicMs: 90_000 });

  it('is, before Postgres was asked, what the list of changes proves', () => {
    expect(facts(anIncident())).toEqual({ mirroredSequence: 0 });
    expect(facts(withChanges(1, 2, 3))).toEqual({ mirroredSequence: 0 });
    expect(facts(withChanges(185, 186, 187))).toEqual({ mirroredSequence: 184 });
  });

  it('is what Postgres said, once it did, with how long it has been behind', () => {
    expect(facts(withChanges(1, 2, 3), { mirroredSequence: 2, waitingSinceMs: 20_000 })).toEqual({
      mirroredSequence: 2,
      lagMs: 70_000,
    });
    expect(facts(withChanges(1), { refused: 'too long' })).toMatchObject({ refused: 'too long' });
  });

  it('says when there is no database', () => {
    expect(mirrorFacts(anIncident(), { enabled: false, entry: undefined, monotonicMs: 0 })).toMatchObject({
      isOff: true,
    });
  });

  it('is looked at again when a minute of waiting is over', () => {
    expect(lagCheckAfterMs({ waitingSinceMs: 1_000 }, 2_000)).toBe(59_000);
    expect(lagCheckAfterMs({}, 2_000)).toBeUndefined();
    expect(lagCheckAfterMs({ waitingSinceMs: 0 }, 60_000)).toBeUndefined();
  });
});

describe('a deletion that is held', () => {
  const status = { observedGeneration: 1 };
  const dying = anIncident({ metadata: { deletionTimestamp: START, finalizers: [HISTORY_FINALIZER] } });
  const at = (entry: Parameters<typeof withHeldDeletion>[2]['entry'], enabled = true) => ({
    enabled,
    entry,
    monotonicMs: 90_000,
    now: NOW,
  });
  const conditionOf = (held: ReturnType<typeof withHeldDeletion>) => held.conditions?.[0];

  it('for want of a database says so with a way out', () => {
    const held = conditionOf(withHeldDeletion(status, dying, at(undefined, false)));
    expect(held).toMatchObject({ type: 'DeletionHeld', status: 'True', reason: 'NoDatabase' });
    expect(held?.message).toContain('waive-history');
  });

  it('by a Postgres that is away says so after a minute, and by one that refuses it at once', () => {
    expect(withHeldDeletion(status, dying, at({ waitingSinceMs: 31_000 }))).toBe(status);
    const away = conditionOf(withHeldDeletion(status, dying, at({ waitingSinceMs: 30_000 })));
    expect(away).toMatchObject({ type: 'DeletionHeld', status: 'True', reason: 'HistoryBehind' });
    const refused = conditionOf(withHeldDeletion(status, dying, at({ waitingSinceMs: 89_000, refused: 'too long' })));
    expect(refused).toMatchObject({ status: 'True', reason: 'HistoryRefused' });
    expect(refused?.message).toMatch(/too long.*waive-history/);
  });

  it('says it once, and of nothing else', () => {
    const said = withHeldDeletion(status, dying, at(undefined, false));
    expect(withHeldDeletion(said, dying, at(undefined, false))).toBe(said);
    expect(withHeldDeletion(status, anIncident(), at({ waitingSinceMs: 0 }, false))).toBe(status);
    expect(withHeldDeletion(status, dying, at({}))).toBe(status);
    const behind = withHeldDeletion(status, dying, at({ waitingSinceMs: 0 }));
    expect(withHeldDeletion(behind, dying, at({ waitingSinceMs: 1 }))).toBe(behind);
    // What came of it is seen in a moment: it goes.
    expect(withHeldDeletion(behind, dying, at({}))).toBe(behind);
  });

  it('takes it back when history has let go and another finalizer still holds', () => {
    const behind = withHeldDeletion(status, dying, at({ waitingSinceMs: 0 }));
    const others = anIncident({ metadata: { deletionTimestamp: START, finalizers: ['foregroundDeletion'] } });
    expect(conditionOf(withHeldDeletion(behind, others, at({})))).toMatchObject({ status: 'False', reason: 'LetGo' });
  });
});

describe('what the operator writes into the spec', () => {
  it('is void when anybody wrote in between', () => {
    const ops = specOps(anIncident({ phase: 'Response' }), { owner: { name: 'ana' } });
    expect(ops).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'uid-checkout-amber-falcon' },
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'test', path: '/spec/phase', value: 'Response' },
      { op: 'add', path: '/spec/owner', value: { name: 'ana' } },
    ]);
  });

  it('adds the finalizer where admission did not, beside those of others, and never to what is being deleted', () => {
    const added = (finalizers?: string[]) =>
      finalizerOps(anIncident({ metadata: finalizers ? { finalizers } : {} }))?.at(-1);
    expect(added()).toEqual({ op: 'add', path: '/metadata/finalizers', value: [HISTORY_FINALIZER] });
    expect(added(['other.io/guard'])).toEqual({ op: 'add', path: '/metadata/finalizers/-', value: HISTORY_FINALIZER });
    expect(added([HISTORY_FINALIZER])).toBeUndefined();
    expect(finalizerOps(anIncident({ metadata: { deletionTimestamp: START } }))).toBeUndefined();
  });
});

describe('who wrote, where no log says', () => {
  it('is the manager of the newest entry that is not about status', () => {
    const managedFields = [
      { manager: 'kubectl-create', time: '2026-03-01T10:00:00Z' },
      { manager: 'kubectl-edit', time: '2026-03-01T10:02:00Z' },
      { manager: 'funnelai-operator', subresource: 'status', time: '2026-03-01T10:03:00Z' },
    ];
    expect(newestManager(anIncident({ metadata: { managedFields } }))).toBe('kubectl-edit');
    expect(newestManager(anIncident())).toBeUndefined();
  });

  it('is, within one second, whoever is not the operator', () => {
    const time = '2026-03-01T10:00:00Z';
    const opened = { manager: 'funnelai-operator', time };
    const merged = { manager: 'kubectl-patch', time };
    expect(newestManager(anIncident({ metadata: { managedFields: [opened, merged] } }))).toBe('kubectl-patch');
    expect(newestManager(anIncident({ metadata: { managedFields: [merged, opened] } }))).toBe('kubectl-patch');
  });
});

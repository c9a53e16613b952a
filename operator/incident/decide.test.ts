import type { IncidentStatus } from '@funnelai/crds/generated/types';
import { HISTORY_FINALIZER } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import type { MirrorFacts } from '../mirror/facts.ts';
import { anIncident, START } from '../testing/builders.ts';
import {
  finalizerOps,
  isUrgent,
  keepAsOf,
  LAG_MS,
  lagCheckAfterMs,
  newestManager,
  specOps,
  withHistory,
} from './decide.ts';

const NOW = Temporal.Instant.from('2026-03-01T11:00:00Z');
const STATUS: IncidentStatus = { observedGeneration: 1, phase: 'Detection', changeSequence: 3 };

const told = (
  facts: MirrorFacts | undefined,
  o: { enabled?: boolean; monotonicMs?: number; status?: IncidentStatus } = {},
) =>
  withHistory(o.status ?? STATUS, anIncident(), {
    enabled: o.enabled ?? true,
    facts,
    now: NOW,
    monotonicMs: o.monotonicMs ?? 0,
  }).conditions?.find(({ type }) => type === 'HistoryMirrored');

describe('the condition HistoryMirrored', () => {
  it('says nothing before anything is known, so that a birth costs no write more', () => {
    expect(told(undefined)).toBeUndefined();
    expect(told({ waitingSinceMs: 0 })).toBeUndefined();
  });

  it('is true while history keeps up, and through the moment between a change and its row', () => {
    expect(told({ mirroredSequence: 3 })).toMatchObject({ status: 'True', reason: 'Mirrored' });
    expect(told({ mirroredSequence: 2, waitingSinceMs: 0 }, { monotonicMs: LAG_MS - 1 })).toMatchObject({
      status: 'True',
    });
  });

  it('turns false after a minute of waiting, and back', () => {
    const lagging = told({ mirroredSequence: 2, waitingSinceMs: 0 }, { monotonicMs: LAG_MS });
    expect(lagging).toMatchObject({ status: 'False', reason: 'HistoryLagging' });
    const status = { ...STATUS, conditions: lagging ? [lagging] : [] };
    expect(told({ mirroredSequence: 3 }, { status })).toMatchObject({ status: 'True' });
  });

  it('turns false at once when Postgres refuses it, with the reason', () => {
    expect(told({ refused: 'history refuses column title: too long', waitingSinceMs: 0 })).toMatchObject({
      status: 'False',
      reason: 'HistoryRefused',
      message: 'history refuses column title: too long',
    });
  });

  it('says without a database that deletions are held, and who may let go', () => {
    const off = told(undefined, { enabled: false });
    expect(off).toMatchObject({ status: 'False', reason: 'HistoryOff' });
    expect(off?.message).toContain('waive-history');
    expect(off?.message).toContain(HISTORY_FINALIZER);
  });

  it('is not rewritten for a message alone', () => {
    const held = told({ mirroredSequence: 2, waitingSinceMs: 0 }, { monotonicMs: LAG_MS });
    const status = { ...STATUS, changeSequence: 9, conditions: held ? [held] : [] };
    expect(told({ mirroredSequence: 2, waitingSinceMs: 0 }, { monotonicMs: 2 * LAG_MS, status })).toBe(held);
  });

  it('is looked at again when the minute is over', () => {
    expect(lagCheckAfterMs({ waitingSinceMs: 1_000 }, 2_000)).toBe(LAG_MS - 1_000);
    expect(lagCheckAfterMs({}, 2_000)).toBeUndefined();
    expect(lagCheckAfterMs({ waitingSinceMs: 0 }, LAG_MS)).toBeUndefined();
  });
});

describe('which writes can wait', () => {
  const counts = (firing: number, asOf = START) => ({
    ...STATUS,
    alerts: { firing, resolved: 0, total: firing, asOf },
  });

  it('a numbered change cannot; counts and conditions can', () => {
    expect(isUrgent(undefined, STATUS)).toBe(true);
    expect(isUrgent(STATUS, { ...STATUS, phase: 'Response', changeSequence: 4 })).toBe(true);
    expect(isUrgent(STATUS, { ...STATUS, logSequence: 4 })).toBe(true);
    expect(isUrgent(counts(1), counts(2))).toBe(false);
    expect(isUrgent(STATUS, { ...STATUS, conditions: [] })).toBe(false);
  });

  it('the passing of time alone is no change of the counts', () => {
    const later = '2026-03-01T10:05:00Z';
    expect(keepAsOf(counts(1), counts(1, later))).toEqual(counts(1));
    expect(keepAsOf(counts(1), counts(2, later))).toEqual(counts(2, later));
    expect(keepAsOf(undefined, counts(1))).toEqual(counts(1));
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
});

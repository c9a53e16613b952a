import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { toAlertSpec } from './alert-input.ts';
import { dedupHashOf, isOrphanedByDedup } from './dedup-identity.ts';
import { anInput, aSource } from './testing/builders.ts';

const NOW = Temporal.Instant.from('2026-03-01T14:00:00Z');
const labels = { alertname: 'Down', pod: 'api-1', replica: 'a' };
const sourceWith = (dedup: { labels?: string[]; ignore?: string[] } | undefined, added?: Record<string, string>) =>
  aSource({ ...(dedup === undefined ? {} : { dedup }), ...(added === undefined ? {} : { labels: added }) });
const alertOf = (source: ReturnType<typeof sourceWith>, dedupKey?: string) =>
  toAlertSpec(anInput({ labels, ...(dedupKey === undefined ? {} : { dedupKey }) }), source, NOW).spec;

describe('the identity rules of a source', () => {
  it('are the same in whatever order they name their labels, and when the defaults are written out', () => {
    expect(dedupHashOf({ labels: ['b', 'a'], ignore: [] })).toBe(dedupHashOf({ labels: ['a', 'b', 'a'], ignore: [] }));
    expect(dedupHashOf(undefined)).toBe(dedupHashOf({ ignore: ['replica', 'prometheus_replica'] }));
    expect(dedupHashOf({ labels: ['a'] })).not.toBe(dedupHashOf({ labels: ['b'] }));
    expect(dedupHashOf({ labels: ['a'] })).not.toBe(dedupHashOf(undefined));
  });

  it('orphan what was told apart in another way, once they change', () => {
    const alert = alertOf(sourceWith(undefined));
    expect(isOrphanedByDedup(alert, sourceWith(undefined))).toBe(false);
    expect(isOrphanedByDedup(alert, sourceWith({ labels: ['alertname'] }))).toBe(true);
    expect(isOrphanedByDedup(alert, sourceWith({ ignore: ['pod'] }))).toBe(true);
  });

  it('orphan nothing that they still name as before', () => {
    const alert = alertOf(sourceWith(undefined));
    expect(isOrphanedByDedup(alert, sourceWith({ ignore: ['replica', 'prometheus_replica', 'zone'] }))).toBe(false);
    const enriched = alertOf(sourceWith(undefined, { cluster: 'eu-1' }));
    const wider = sourceWith({ ignore: ['replica', 'prometheus_replica', 'zone'] }, { cluster: 'eu-1' });
    expect(isOrphanedByDedup(enriched, wider)).toBe(false);
  });

  it('orphan nothing when only the labels that the source adds change', () => {
    expect(isOrphanedByDedup(alertOf(sourceWith(undefined)), sourceWith(undefined, { cluster: 'eu-2' }))).toBe(false);
  });

  it('have no say about a key of the sender’s own, nor about alerts from before they were noted', () => {
    const keyed = alertOf(sourceWith(undefined), 'key-1');
    expect(keyed).not.toHaveProperty('dedupHash');
    const { dedupHash: _, ...old } = alertOf(sourceWith(undefined));
    for (const alert of [keyed, old]) expect(isOrphanedByDedup(alert, sourceWith({ labels: ['pod'] }))).toBe(false);
  });
});

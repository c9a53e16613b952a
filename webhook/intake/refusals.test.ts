import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { type AlertInput, toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { countedOverflow, newOverflow } from '@funnelai/domain/folding';
import { formatMicros } from '@funnelai/domain/instants';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyInput, anySource, HANDED_OVER } from '../testing/any-input.ts';
import { refusalsOf } from '../testing/refusals.ts';
import { combined, type Report, receivedAfter, reportOf } from './report.ts';

const SEED = 20_260_301;
const later = (seconds: number) => HANDED_OVER.add({ seconds });
function reportFrom(one: AlertInput, of: AlertSource, seconds: number, known?: AlertSpec): Report {
  const made = toAlertSpec(one, of, later(seconds));
  return reportOf(one, made, receivedAfter(made.spec, known));
}

describe('whatever a receiver hands over', () => {
  it('becomes an Alert that the API server takes', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anyInput, anySource, anySource, (one, of, via) => {
        const { spec } = toAlertSpec(one, of, HANDED_OVER, via);
        expect(refusalsOf(spec)).toEqual([]);
        expect(alertName(of.metadata.name, spec.fingerprint)).toMatch(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])$/);
        // What Postgres would refuse of a row: it takes neither.
        expect(JSON.stringify(spec)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it('and is one with what is stored, whatever that is, in whatever order', { timeout: 60_000 }, () => {
    const byHand: fc.Arbitrary<Partial<AlertSpec>> = fc.constantFrom(
      {},
      { state: 'Resolved' },
      { state: 'Resolved', expired: { at: '2026-03-01T14:00:05Z', reason: 'LeaseRanOut' } },
      { state: 'Expired', expired: { at: '2026-03-01T14:00:05Z', reason: 'DedupChanged' } },
    );
    const told = fc.record({ one: anyInput, seconds: fc.integer({ min: 0, max: 20 }), byHand });
    const keyed = fc.array(told, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(keyed, anySource, (reports, of) => {
        let stored: AlertSpec | undefined;
        for (const { one, seconds, byHand: change } of reports) {
          const next = combined(stored, reportFrom({ ...one, dedupKey: 'k' }, of, seconds, stored));
          if (next === undefined) continue;
          expect(refusalsOf(next, stored)).toEqual([]);
          // As somebody, or the expirer, writes it: an end stands only with Resolved.
          const { endsAt: _, expired: __, ...rest } = next;
          stored = Object.keys(change).length === 0 ? next : { ...rest, ...change };
          expect(refusalsOf(stored)).toEqual([]);
        }
      }),
      { numRuns: 100, seed: SEED },
    );
  });

  it('and where it finds no room, the Alert that counts it is taken, too', { timeout: 60_000 }, () => {
    const count = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(anyInput, anySource, count, count, count, fc.boolean(), (one, of, firing, expired, more, isNews) => {
        const sample = toAlertSpec(one, of, HANDED_OVER).spec;
        const lastSeen = expired > 0 ? formatMicros(HANDED_OVER) : undefined;
        const counted = { count: firing + expired + more, firing, expired, lastSeen };
        const born = newOverflow({ sample, kind: 'f'.repeat(64), counted, now: HANDED_OVER });
        expect(refusalsOf(born)).toEqual([]);
        const next = { count: more + expired, firing: Math.min(more, firing), expired, lastSeen };
        const again = countedOverflow(born, { counted: next, labels: {}, isNews, now: later(20), sinceMs: 20_000 });
        expect(again === undefined ? [] : refusalsOf(again, born)).toEqual([]);
      }),
      { numRuns: 100, seed: SEED },
    );
  });
});

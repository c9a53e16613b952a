/** Lets faults that are held wait until the rate of their source lets them through, one after the other in the order in which they are asked about. */
import type { StoredRow } from '@funnelai/history/inbox';
import type { SourceRates } from '../intake/source-rates.ts';
import type { StoreRequest } from '../intake/store.ts';
import type { Fault } from './held.ts';

export interface RatedTurns {
  /** All are asked about anew. */
  begin(): void;
  /** May the fault be written now? Then it has been counted; else it is put off until its turn. */
  mayGo(fault: Fault, row: StoredRow, requests: readonly StoreRequest[], nowMs: number): boolean;
}

export function createRatedTurns(rates: SourceRates): RatedTurns {
  /** How many wait of each source, as far as they have been asked about. */
  const waiting = new Map<string, number>();
  return {
    begin: () => waiting.clear(),
    mayGo(fault, row, requests, nowMs) {
      const pace = rates.paceOf(row);
      const counts = pace !== undefined && requests.some((request) => rates.weightOf(request) === 'one');
      const waitMs = counts ? rates.take(pace) : 0;
      fault.isOverRate = waitMs > 0;
      if (pace === undefined || waitMs === 0) return true;
      // Not all of them at the same moment: each look takes its report apart.
      const before = waiting.get(pace.source) ?? 0;
      waiting.set(pace.source, before + 1);
      fault.notBeforeMs = nowMs + waitMs + (before * 1_000) / pace.rate.ratePerSecond;
      return false;
    },
  };
}

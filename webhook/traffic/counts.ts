/**
 * How much came to one source, in buckets of five minutes over a day, by what became of each body. Pure bookkeeping: who calls says what
 * time it is, and may add up buckets of several replicas in any order.
 */
import type { SourceTraffic } from '@funnelai/domain/wire-sources';
import type { Temporal } from 'temporal-polyfill';
import { TRAFFIC_BUCKET_MS, TRAFFIC_WINDOW_MS } from '../limits.ts';

/** Bodies of one outcome in one bucket. */
export interface Cell {
  bodies: number;
  /** Alerts of those bodies that could be told apart, good and bad. */
  alerts: number;
  stored: number;
}
/** By outcome: TAKEN, or the code of the answer that refused the body or a part of it. */
export type Outcomes = Map<string, Cell>;
/** By the start of the bucket in epoch milliseconds. */
export type Buckets = Map<number, Outcomes>;

/** Outcome of a body that was taken whole. */
export const TAKEN = '';

export function bucketOf(now: Temporal.Instant): number {
  return now.epochMilliseconds - (now.epochMilliseconds % TRAFFIC_BUCKET_MS);
}

/** Adds to a bucket in place. */
export function addTo(buckets: Buckets, startsAtMs: number, outcome: string, cell: Cell): void {
  let outcomes = buckets.get(startsAtMs);
  if (outcomes === undefined) {
    outcomes = new Map();
    buckets.set(startsAtMs, outcomes);
  }
  const held = outcomes.get(outcome);
  if (held === undefined) outcomes.set(outcome, { ...cell });
  else {
    held.bodies += cell.bodies;
    held.alerts += cell.alerts;
    held.stored += cell.stored;
  }
}

/** Forgets in place what lies before the window. */
export function prune(buckets: Buckets, now: Temporal.Instant): void {
  const first = windowStart(now);
  for (const startsAtMs of buckets.keys()) if (startsAtMs < first) buckets.delete(startsAtMs);
}

/** The start of the oldest bucket that still counts. */
export function windowStart(now: Temporal.Instant): number {
  return bucketOf(now) - TRAFFIC_WINDOW_MS;
}

export const noTraffic = (): SourceTraffic => ({ alertsPerMinute: 0, bodies: 0, alerts: 0, stored: 0, rejected: {} });

/** What all these buckets say together at this time. */
export function summarize(all: Iterable<Buckets>, now: Temporal.Instant): SourceTraffic {
  const sum = noTraffic();
  const present = bucketOf(now);
  const first = windowStart(now);
  let inPresent = 0;
  let inLast = 0;
  for (const buckets of all) {
    for (const [startsAtMs, outcomes] of buckets) {
      if (startsAtMs < first) continue;
      for (const [outcome, { bodies, alerts, stored }] of outcomes) {
        sum.bodies += bodies;
        sum.alerts += alerts;
        sum.stored += stored;
        if (outcome !== TAKEN) sum.rejected[outcome] = (sum.rejected[outcome] ?? 0) + bodies;
        // A replica whose clock is ahead counts into a bucket that has not begun here.
        if (startsAtMs >= present) inPresent += alerts;
        else if (startsAtMs === present - TRAFFIC_BUCKET_MS) inLast += alerts;
      }
    }
  }
  // The last five minutes lie across two buckets: of the older one counts the part that is still within them.
  const left = 1 - (now.epochMilliseconds - present) / TRAFFIC_BUCKET_MS;
  sum.alertsPerMinute = (inPresent + inLast * left) / (TRAFFIC_BUCKET_MS / 60_000);
  return sum;
}

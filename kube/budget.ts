/**
 * How many writes of machines may be under way at once, learned from what the API server says: one more for each round that went well, half
 * as many when it refuses (429) or fails, somewhat fewer when it becomes slow. A person's write has slots of its own. Pure; the holding
 * back is write-budget.ts's.
 */
import { type Lane, NONE_PASSED_OVER, nextLane, type PassedOver } from './lanes.ts';

/** Most writes under way, of people and machines together: the connections of the pool. */
export const MOST_IN_FLIGHT = 32;
/** Of those, so many only people may use. */
export const RESERVED_FOR_PEOPLE = 4;
const MOST_MACHINE = MOST_IN_FLIGHT - RESERVED_FOR_PEOPLE;
const FIRST_LIMIT = 16;
/** Where the server refuses outright. */
const LEAST_REFUSED = 1;
/** Where it is only slow, perhaps because of others, to whom we do not give way for ever. */
const LEAST_SLOW = 8;
/** Smoothed latency above this, and above so many times what it was at its best, is slow. */
const SLOW_MS = 500;
const SLOW_FACTOR = 4;
const SMOOTHING = 0.1;
/** How fast the best latency is forgotten: a cluster that has grown is not slow for ever. */
const FORGETTING = 0.0001;
/** One reason shrinks the limit no more often than this: all that was under way then says the same. */
const SHRINK_APART_MS = 1_000;
/** A refusal without Retry-After. */
const PAUSE_MS = 1_000;

export type Outcome = { kind: 'answered' } | { kind: 'refused'; retryAfterMs: number | undefined } | { kind: 'failed' };
export type Shrunk = 'refused' | 'failed' | 'slow';

export interface Budget {
  /** Machine writes that may be under way; its whole part counts. */
  limit: number;
  inFlight: { people: number; machines: number };
  /** Machine writes wait until then: the server asked for it. */
  pausedUntilMs: number;
  shrunkAtMs: number;
  /** Milliseconds; 0 before the first answer. */
  smoothedMs: number;
  bestMs: number;
  passed: PassedOver;
}

export const NEW_BUDGET: Budget = {
  limit: FIRST_LIMIT,
  inFlight: { people: 0, machines: 0 },
  pausedUntilMs: Number.NEGATIVE_INFINITY,
  shrunkAtMs: Number.NEGATIVE_INFINITY,
  smoothedMs: 0,
  bestMs: 0,
  passed: NONE_PASSED_OVER,
};

/** The lane of which a write may begin now; undefined when none may. People are asked about first and pass over nobody. */
export function admit(
  budget: Budget,
  isWaiting: (lane: Lane) => boolean,
  nowMs: number,
): { lane: Lane; budget: Budget } | undefined {
  const { people, machines } = budget.inFlight;
  if (people + machines >= MOST_IN_FLIGHT) return undefined;
  if (isWaiting('human')) {
    return { lane: 'human', budget: { ...budget, inFlight: { machines, people: people + 1 } } };
  }
  if (machines >= Math.floor(budget.limit) || nowMs < budget.pausedUntilMs) return undefined;
  const turn = nextLane(isWaiting, budget.passed);
  if (turn === undefined) return undefined;
  const inFlight = { people, machines: machines + 1 };
  return { lane: turn.lane, budget: { ...budget, passed: turn.passed, inFlight } };
}

/** A write of that lane has ended after `tookMs`. */
export function settle(
  budget: Budget,
  lane: Lane,
  outcome: Outcome,
  tookMs: number,
  nowMs: number,
): { budget: Budget; shrunk?: Shrunk } {
  const { people, machines } = budget.inFlight;
  const wasFull = machines >= Math.floor(budget.limit);
  const inFlight = lane === 'human' ? { machines, people: people - 1 } : { people, machines: machines - 1 };
  const next = { ...budget, inFlight };
  if (outcome.kind === 'refused') {
    const until = nowMs + (outcome.retryAfterMs ?? PAUSE_MS);
    return shrink({ ...next, pausedUntilMs: Math.max(next.pausedUntilMs, until) }, 'refused', nowMs);
  }
  if (outcome.kind === 'failed') return shrink(next, 'failed', nowMs);
  const first = budget.smoothedMs === 0;
  next.smoothedMs = first ? tookMs : budget.smoothedMs + SMOOTHING * (tookMs - budget.smoothedMs);
  next.bestMs = first || tookMs < budget.bestMs ? tookMs : budget.bestMs + FORGETTING * (tookMs - budget.bestMs);
  if (next.smoothedMs > Math.max(SLOW_MS, SLOW_FACTOR * next.bestMs)) return shrink(next, 'slow', nowMs);
  // Only a limit that was used up says that more would go well.
  if (wasFull && lane !== 'human') next.limit = Math.min(MOST_MACHINE, budget.limit + 1 / budget.limit);
  return { budget: next };
}

function shrink(budget: Budget, why: Shrunk, nowMs: number): { budget: Budget; shrunk?: Shrunk } {
  if (nowMs - budget.shrunkAtMs < SHRINK_APART_MS) return { budget };
  const least = why === 'refused' ? LEAST_REFUSED : LEAST_SLOW;
  const limit = Math.min(budget.limit, Math.max(least, budget.limit * (why === 'slow' ? 0.75 : 0.5)));
  if (limit === budget.limit) return { budget };
  return { budget: { ...budget, limit, shrunkAtMs: nowMs }, shrunk: why };
}

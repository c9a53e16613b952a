/**
 * Whether a store is worth asking: it is, until a few attempts in a row have failed; then nobody waits for it any more, but for a few
 * probes now and then, until some of them in a row went well. Pure; who asks, and what counts as failed, is the caller's.
 */

/** Attempts that fail one after the other open it. */
export const FAILURES_TO_OPEN = 3;
/** Probes that may be under way at once, and so many in a row that go well close it. */
export const PROBES_AT_ONCE = 2;
export const PROBES_TO_CLOSE = 3;
/** How long it stays open before the first probe; twice as long after each that fails, up to a bound. */
export const FIRST_WAIT_MS = 500;
export const LONGEST_WAIT_MS = 8_000;

export type Breaker =
  | { state: 'closed'; failures: number; round: number }
  | { state: 'open'; untilMs: number; waitMs: number; round: number }
  | { state: 'halfOpen'; waitMs: number; probes: number; good: number; round: number };

/** Says what an attempt may be: an ordinary one, a probe, or none. `round` is handed back when it has ended. */
export type Verdict = { may: 'try' | 'probe'; round: number } | { may: 'not'; retryAfterMs: number };

export const CLOSED: Breaker = { state: 'closed', failures: 0, round: 0 };

export function ask(breaker: Breaker, nowMs: number): { breaker: Breaker; verdict: Verdict } {
  const { round } = breaker;
  if (breaker.state === 'closed') return { breaker, verdict: { may: 'try', round } };
  if (breaker.state === 'open') {
    const leftMs = breaker.untilMs - nowMs;
    if (leftMs > 0) return { breaker, verdict: { may: 'not', retryAfterMs: leftMs } };
    const next: Breaker = { state: 'halfOpen', waitMs: breaker.waitMs, probes: 1, good: 0, round: round + 1 };
    return { breaker: next, verdict: { may: 'probe', round: next.round } };
  }
  if (breaker.probes >= PROBES_AT_ONCE) return { breaker, verdict: { may: 'not', retryAfterMs: FIRST_WAIT_MS } };
  return { breaker: { ...breaker, probes: breaker.probes + 1 }, verdict: { may: 'probe', round } };
}

/** Nobody waits for it any more, for a while. */
export const opened = ({ round }: Breaker, nowMs: number): Breaker => ({
  state: 'open',
  untilMs: nowMs + FIRST_WAIT_MS,
  waitMs: FIRST_WAIT_MS,
  round: round + 1,
});

/** What an attempt came to. One that was begun in an earlier round says nothing about this one. */
export function ended(breaker: Breaker, round: number, isGood: boolean, nowMs: number): Breaker {
  if (round !== breaker.round) return breaker;
  if (breaker.state === 'closed') {
    if (isGood) return breaker.failures === 0 ? breaker : { ...breaker, failures: 0 };
    const failures = breaker.failures + 1;
    if (failures < FAILURES_TO_OPEN) return { ...breaker, failures };
    return opened(breaker, nowMs);
  }
  if (breaker.state === 'open') return breaker;
  if (!isGood) {
    const waitMs = Math.min(breaker.waitMs * 2, LONGEST_WAIT_MS);
    return { state: 'open', untilMs: nowMs + waitMs, waitMs, round: round + 1 };
  }
  const good = breaker.good + 1;
  if (good >= PROBES_TO_CLOSE) return { state: 'closed', failures: 0, round: round + 1 };
  return { ...breaker, probes: breaker.probes - 1, good };
}

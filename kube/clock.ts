/** The one door to time: every other file takes a Clock or an instant, so that tests can move time by hand (see test-clock.ts). */
import { Temporal } from 'temporal-polyfill';

export interface Clock {
  /** Wall-clock time, microsecond grain where the platform has it. For what is written down; never for measuring. */
  now(): Temporal.Instant;
  /** Milliseconds on a clock that no one can set. For deadlines and expiry; its zero means nothing. */
  monotonicMs(): number;
  /** Calls `fn` once, no earlier than `ms` from now; any length of time. Returns a function that cancels it. */
  after(ms: number, fn: () => void): () => void;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a timer with a longer delay at once, with no more than a warning. */
const LONGEST_TIMER_MS = 2_147_483_647;
/** Estimated and real wall clock may differ by this before the estimate is anchored anew: the host's clock was set. */
const ANCHOR_TOLERANCE_MS = 2;

/** {@link Clock.sleep} on top of {@link Clock.after}. */
export function sleepWith(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

class SystemClock implements Clock {
  #wallMs = Date.now();
  #monotonicMs = performance.now();

  now(): Temporal.Instant {
    const wall = Date.now();
    const monotonic = performance.now();
    let estimate = this.#wallMs + (monotonic - this.#monotonicMs);
    if (Math.abs(estimate - wall) > ANCHOR_TOLERANCE_MS) {
      this.#wallMs = wall;
      this.#monotonicMs = monotonic;
      estimate = wall;
    }
    return Temporal.Instant.fromEpochNanoseconds(BigInt(Math.round(estimate * 1000)) * 1000n);
  }

  monotonicMs(): number {
    return performance.now();
  }

  after(ms: number, fn: () => void): () => void {
    const due = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (left: number) => {
      timer = setTimeout(
        () => {
          const rest = due - performance.now();
          if (rest > 1 && left > LONGEST_TIMER_MS) arm(rest);
          else fn();
        },
        Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
      );
    };
    arm(ms);
    return () => clearTimeout(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }
}

export const systemClock: Clock = new SystemClock();

/** Lets everything that is due have its turn: timers, answers, a Lease to renew. For long work that never waits by itself. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

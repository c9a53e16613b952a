/** A clock that runs as many times faster than the real one as a test says, for stories in which minutes pass while real parts work. */
import { type Clock, sleepWith, systemClock } from '@funnelai/kube/clock';

export interface FastClock extends Clock {
  /** From now on it runs so many times as fast; timers under way too. */
  run(times: number): void;
}

interface Timer {
  dueMs: number;
  fn: () => void;
  cancel: () => void;
}

/** Runs as the real one does until it is told otherwise. */
export function createFastClock(): FastClock {
  const timers = new Set<Timer>();
  const startedAt = systemClock.now();
  const startedMs = systemClock.monotonicMs();
  let speed = 1;
  /** Where it was when its speed was last set. */
  let from = { realMs: startedMs, ownMs: startedMs };
  const monotonicMs = () => from.ownMs + (systemClock.monotonicMs() - from.realMs) * speed;

  function arm(timer: Timer): void {
    timer.cancel();
    timer.cancel = systemClock.after(Math.max(0, timer.dueMs - monotonicMs()) / speed, () => {
      timers.delete(timer);
      timer.fn();
    });
  }
  const clock: FastClock = {
    monotonicMs,
    now: () => startedAt.add({ microseconds: Math.round((monotonicMs() - startedMs) * 1_000) }),
    after(ms, fn) {
      const timer = { dueMs: monotonicMs() + ms, fn, cancel: () => {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timer.cancel();
        timers.delete(timer);
      };
    },
    sleep: (ms, signal) => sleepWith(clock, ms, signal),
    run(times) {
      from = { realMs: systemClock.monotonicMs(), ownMs: monotonicMs() };
      speed = times;
      for (const timer of timers) arm(timer);
    },
  };
  return clock;
}

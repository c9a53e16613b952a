/** The real clock, but for the time of day, which a test moves: what lives by timers goes on living. */
import { type Clock, systemClock } from '@funnelai/kube/clock';

export interface MovedClock extends Clock {
  move(ms: number): void;
}

export function aMovedClock(): MovedClock {
  let movedMs = 0;
  return {
    now: () => systemClock.now().add({ milliseconds: movedMs }),
    monotonicMs: () => systemClock.monotonicMs(),
    after: (ms, fn) => systemClock.after(ms, fn),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    move(ms) {
      movedMs += ms;
    },
  };
}

/** Looks at once and then again, so long after each look has ended. */
import type { Clock } from '@funnelai/kube/clock';

export interface Looking {
  start(): void;
  /** Ends when the look in hand has ended. */
  stop(): Promise<void>;
}

/** `look` never rejects. */
export function createLooking(clock: Pick<Clock, 'after'>, everyMs: number, look: () => Promise<void>): Looking {
  let cancel = () => {};
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;

  function begin(): void {
    looking = look().then(() => {
      if (!stopped) cancel = clock.after(everyMs, begin);
    });
  }
  return {
    start: begin,
    async stop() {
      stopped = true;
      cancel();
      await looking;
    },
  };
}

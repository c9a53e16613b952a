/**
 * The time at which alerts are said to have been received: the clock of Postgres, which all replicas share. The merge goes by it, so two
 * replicas whose clocks differ must not each go by their own. Without Postgres it is this machine's clock, as last corrected.
 */
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { Temporal } from 'temporal-polyfill';

export interface ReceiptClock {
  now(): Temporal.Instant;
  /** Compares with the shared clock (microseconds since 1970), once. A comparison that took long says little and is not used. */
  compare(shared: () => Promise<bigint>): Promise<void>;
}

/** Half of a round trip is the error: a longer one is not used, unless there is none better yet. */
const MOST_ROUND_TRIP_MS = 50;
/** Below this the difference is that of the measurement. */
const WORTH_IT_US = 5_000n;
/** A difference beyond this is no drift: somebody's clock is wrong, and nobody can say whose. */
const BELIEVED_US = 300_000_000n;

export function createReceiptClock({ clock, log }: { clock: Clock; log: Log }): ReceiptClock {
  let offsetUs = 0n;
  let isKnown = false;
  let isDoubted = false;
  return {
    now: () => (offsetUs === 0n ? clock.now() : clock.now().add({ microseconds: Number(offsetUs) })),
    async compare(shared) {
      const beganMs = clock.monotonicMs();
      const began = clock.now().epochNanoseconds / 1_000n;
      const theirs = await shared();
      const tookMs = clock.monotonicMs() - beganMs;
      if (tookMs > MOST_ROUND_TRIP_MS && isKnown) return;
      const difference = theirs - (began + BigInt(Math.round(tookMs * 500)));
      const size = difference < 0n ? -difference : difference;
      if (size > BELIEVED_US !== isDoubted) {
        isDoubted = !isDoubted;
        if (isDoubted)
          log.warn(
            { seconds: Number(difference / 1_000_000n) },
            'the clocks of this machine and of Postgres differ by minutes',
          );
      }
      offsetUs = size < WORTH_IT_US || isDoubted ? 0n : difference;
      isKnown = true;
    },
  };
}

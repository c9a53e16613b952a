/**
 * The time at which alerts are said to have been received: the clock of Postgres, which all replicas share. The merge goes by it, so two
 * replicas whose clocks differ must not each go by their own. Without Postgres it is this machine's clock, as last corrected. Only what a
 * comparison shows beyond its own error is corrected: one that took a second would else set a right clock wrong by half of it.
 */
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import { Temporal } from 'temporal-polyfill';

export interface ReceiptClock {
  /** Each time later than the time before: what is corrected meanwhile may not put a report before one that it follows. */
  now(): Temporal.Instant;
  /** Compares with the shared clock (microseconds since 1970), once. Of those of a minute the one that took least counts. */
  compare(shared: () => Promise<bigint>): Promise<void>;
}

/** The error is half of a round trip at most; clocks drift, so the best comparison is not believed for ever. */
const BEST_LASTS_MS = 60_000;
/** Below this the difference is that of the measurement. */
const WORTH_IT_US = 2_000n;
/** A difference beyond this is no drift: somebody's clock is wrong, and nobody can say whose. */
const BELIEVED_US = 300_000_000n;

export function createReceiptClock({ clock, log }: { clock: Clock; log: Log }): ReceiptClock {
  let offsetUs = 0n;
  let best: { tookMs: number; atMs: number } | undefined;
  let isDoubted = false;
  let lastUs: bigint | undefined;
  return {
    now() {
      const correctedUs = clock.now().epochNanoseconds / 1_000n + offsetUs;
      // Farther back somebody has set the clock: to stand still until it comes there again would be worse.
      const isBehind = lastUs !== undefined && correctedUs <= lastUs && lastUs - correctedUs < BELIEVED_US;
      lastUs = isBehind && lastUs !== undefined ? lastUs + 1n : correctedUs;
      return Temporal.Instant.fromEpochNanoseconds(lastUs * 1_000n);
    },
    async compare(shared) {
      const beganMs = clock.monotonicMs();
      const began = clock.now().epochNanoseconds / 1_000n;
      const theirs = await shared();
      const tookMs = clock.monotonicMs() - beganMs;
      if (best !== undefined && tookMs > best.tookMs && beganMs - best.atMs < BEST_LASTS_MS) return;
      const errorUs = BigInt(Math.ceil(tookMs * 500));
      const difference = theirs - (began + errorUs);
      const size = difference < 0n ? -difference : difference;
      if (size > BELIEVED_US !== isDoubted) {
        isDoubted = !isDoubted;
        if (isDoubted)
          log.warn(
            { seconds: Number(difference / 1_000_000n) },
            'the clocks of this machine and of Postgres differ by minutes',
          );
      }
      offsetUs = size < WORTH_IT_US || size <= errorUs || isDoubted ? 0n : difference;
      best = { tookMs, atMs: beganMs };
    },
  };
}

/**
 * The time at which alerts are said to have been received: the clock of Postgres, which all replicas share. The merge goes by it, so two
 * replicas whose clocks differ must not each go by their own. Without Postgres it is this machine's clock, as last corrected.
 */
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { Temporal } from 'temporal-polyfill';

export interface ReceiptClock {
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
  return {
    now: () => (offsetUs === 0n ? clock.now() : clock.now().add({ microseconds: Number(offsetUs) })),
    async compare(shared) {
      const beganMs = clock.monotonicMs();
      const began = clock.now().epochNanoseconds / 1_000n;
      const theirs = await shared();
      const tookMs = clock.monotonicMs() - beganMs;
      if (best !== undefined && tookMs > best.tookMs && beganMs - best.atMs < BEST_LASTS_MS) return;
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
      best = { tookMs, atMs: beganMs };
    },
  };
}

/** Bounds attempts per minute, of one address and in all. */
import type { Clock } from '@funnelai/kube/clock';
import { ADDRESSES_REMEMBERED, SIGN_INS_IN_ALL, SIGN_INS_PER_ADDRESS } from '../limits.ts';

export interface RateBound {
  /** Milliseconds until an attempt is allowed; 0 when it is allowed now, which counts as one. */
  take(address: string): number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}
const MINUTE_MS = 60_000;

/** Token buckets that refill evenly over a minute. */
export function createRateBound(clock: Clock): RateBound {
  const all: Bucket = { tokens: SIGN_INS_IN_ALL, atMs: clock.monotonicMs() };
  const addresses = new Map<string, Bucket>();
  return {
    take(address) {
      const own = addresses.get(address) ?? { tokens: SIGN_INS_PER_ADDRESS, atMs: clock.monotonicMs() };
      addresses.delete(address);
      if (addresses.size >= ADDRESSES_REMEMBERED) addresses.delete(addresses.keys().next().value ?? '');
      addresses.set(address, own);
      const wait = Math.max(waitOf(own, SIGN_INS_PER_ADDRESS, clock), waitOf(all, SIGN_INS_IN_ALL, clock));
      if (wait > 0) return wait;
      own.tokens -= 1;
      all.tokens -= 1;
      return 0;
    },
  };
}

function waitOf(bucket: Bucket, perMinute: number, clock: Clock): number {
  const now = clock.monotonicMs();
  bucket.tokens = Math.min(perMinute, bucket.tokens + ((now - bucket.atMs) * perMinute) / MINUTE_MS);
  bucket.atMs = now;
  return bucket.tokens >= 1 ? 0 : ((1 - bucket.tokens) * MINUTE_MS) / perMinute;
}

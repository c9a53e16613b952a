/**
 * How many alerts of a source may be written within a time: a token bucket. Promises that within any time t no more than
 * `burst + ratePerSecond * t` pass, and that who waits as long as he is told passes where nobody else came by. Pure; which alerts
 * count, and where the others go, is the webhook's.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';

export interface Rate {
  ratePerSecond: number;
  burst: number;
}

/** What `limits.burst` is when the source does not say, as the time in which the rate lets so many through. */
export const DEFAULT_BURST_SECONDS = 10;

/** Undefined where the source has no bound. */
export function rateOf({ spec }: Pick<AlertSource, 'spec'>): Rate | undefined {
  const { ratePerSecond, burst } = spec.limits ?? {};
  if (ratePerSecond === undefined) return undefined;
  return { ratePerSecond, burst: burst ?? ratePerSecond * DEFAULT_BURST_SECONDS };
}

/** What was left at a time. */
export interface Bucket {
  tokens: number;
  atMs: number;
}

/** Fractions of a token add up to a little less than a whole one. */
const ROUNDING = 1e-6;

/** The bucket as it is now; where none was kept it is full. What was changed of the rate meanwhile counts from the last look on. */
export function filled(held: Bucket | undefined, { ratePerSecond, burst }: Rate, nowMs: number): Bucket {
  if (held === undefined) return { tokens: burst, atMs: nowMs };
  const sinceMs = Math.max(0, nowMs - held.atMs);
  return { tokens: Math.min(burst, held.tokens + (sinceMs * ratePerSecond) / 1_000), atMs: held.atMs + sinceMs };
}

/**
 * Takes so many at once, or none. More than the burst never fit: then it waits for ever.
 * @returns what is left, and the milliseconds until so many could be had; 0 when they were taken.
 */
export function take(
  held: Bucket | undefined,
  count: number,
  rate: Rate,
  nowMs: number,
): { bucket: Bucket; waitMs: number } {
  const bucket = filled(held, rate, nowMs);
  const missing = count - bucket.tokens;
  if (missing <= ROUNDING) return { bucket: { ...bucket, tokens: Math.max(0, -missing) }, waitMs: 0 };
  if (count > rate.burst) return { bucket, waitMs: Number.POSITIVE_INFINITY };
  return { bucket, waitMs: Math.ceil((missing * 1_000) / rate.ratePerSecond) };
}

/** A source at its bound, in words for whoever sends to it. */
export const overRateText = (source: string, { ratePerSecond, burst }: Rate): string =>
  `source ${source} is over limits.ratePerSecond (${ratePerSecond} ${ratePerSecond === 1 ? 'alert' : 'alerts'} a second, burst ${burst})`;

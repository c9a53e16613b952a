/** Exponential backoff with jitter, as a pure function of the number of failures. */

export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
  /** A number in [0, 1); Math.random unless a test says otherwise. */
  random?: () => number;
}

/** Delay before attempt `failures + 1`: between one half and the whole of base · 2^(failures-1), never above `maxMs`. */
export function backoffMs(failures: number, o: BackoffOptions): number {
  const whole = Math.min(o.maxMs, o.baseMs * 2 ** Math.min(Math.max(failures - 1, 0), 52));
  const random = o.random ?? Math.random;
  return whole / 2 + (whole / 2) * random();
}

/** Waiting in tests: for a condition, with a deadline; never for a time. */
import { systemClock } from '../clock.ts';

const POLL_MS = 2;

/** Resolves with the first truthy value of `check`; throws with `what` after `deadlineMs` of real time. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<Exclude<Awaited<T>, undefined | null | false | 0 | ''>> {
  const end = systemClock.monotonicMs() + deadlineMs;
  for (;;) {
    const value = await check();
    if (value) return value as Exclude<Awaited<T>, undefined | null | false | 0 | ''>;
    if (systemClock.monotonicMs() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
}

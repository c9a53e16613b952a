/** Waiting for a condition with a deadline, for everything in dev/ and test/ that has no event to wait for. */
import { Fault } from './fault.ts';

/**
 * Asks `condition` every `everyMs` until it answers something other than undefined and false, and resolves that.
 * Throws when `deadlineMs` has passed, with the last error that the condition threw, or when `signal` aborts.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { everyMs = 50, signal }: { everyMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const began = performance.now();
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const found = await condition();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() - began > deadlineMs) {
      const because = last instanceof Error ? `; last error: ${last.message}` : '';
      throw new Fault(`waited ${Math.round(deadlineMs / 1000)} s for ${what}${because}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Waits for a condition with a deadline, so that no test sleeps for a guess. */
import { systemClock } from '@funnelai/kube/clock';

const STEP_MS = 10;

/** Resolves with what `look` answers once that is neither undefined nor false; fails with `what` and the last error. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = systemClock.monotonicMs() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen as Exclude<T, undefined | false>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (systemClock.monotonicMs() > deadline) {
      const because = last === undefined ? '' : `: ${last instanceof Error ? last.message : String(last)}`;
      throw new Error(`within ${timeoutMs} ms it was not so that ${what}${because}`);
    }
    await systemClock.sleep(STEP_MS);
  }
}

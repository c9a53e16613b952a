/** How long somebody who waits for Postgres waits. */
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { Clock } from '@funnelai/kube/clock';

/** Returns what the work gives. Throws HistoryUnavailable when it takes longer; it goes on all the same, and nobody listens. */
export async function within<T>(
  clock: Pick<Clock, 'after'>,
  { ms, why }: { ms: number; why: string },
  work: Promise<T>,
): Promise<T> {
  let disarm = () => {};
  const late = new Promise<never>((_, reject) => {
    const because = new HistoryUnavailable(why);
    disarm = clock.after(ms, () => reject(because));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    disarm();
  }
}

/**
 * Lets so many alerts be stored at once, in the order of fair-queue.ts. Promises that no request holds up another source's, that what
 * waits is bounded, and that a request whose time is over leaves at once.
 */
import type { Clock } from '@funnelai/kube/clock';
import { STORES_IN_FLIGHT, STORES_WAITING, STORES_WAITING_PER_SOURCE } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { type Entry, FairQueue, type Place } from './fair-queue.ts';

/** `full`: too many wait already, and it was never queued. `left`: the request's time was over before its turn came. */
export type Passed<T> = { kind: 'done'; value: T } | { kind: 'full'; retryAfterMs: number } | { kind: 'left' };

export interface FairGate {
  /** Runs `work` when its turn comes; what it throws is thrown. */
  run<T>(place: Place, work: () => Promise<T>): Promise<Passed<T>>;
  /** Whatever of the request still waits is told `left`. */
  leave(request: number): void;
  /** About how long an alert with this place would wait for its turn now; 0 while there is room. */
  waitMs(place: Place): number;
}

/** What one store is taken to last before any has been seen. */
const FIRST_STORE_MS = 20;
const SMOOTHING = 0.05;

export function createFairGate(deps: {
  clock: Clock;
  metrics: Pick<WebhookMetrics, 'waiting' | 'waited' | 'limitReached'>;
  places?: number;
}): FairGate {
  const { clock, metrics, places = STORES_IN_FLIGHT } = deps;
  const queue = new FairQueue<{ begin: (goes: boolean) => void; sinceMs: number }>();
  let free = places;
  let storeMs = FIRST_STORE_MS;

  function pump(): void {
    while (free > 0) {
      const entry = queue.next();
      if (entry === undefined) return;
      free -= 1;
      metrics.waiting(entry.rank, queue.waitingIn(entry.rank));
      metrics.waited(entry.rank, (clock.monotonicMs() - entry.item.sinceMs) / 1000);
      entry.item.begin(true);
    }
  }

  /** One that begins on a free place takes as long as a turn of its own; each after it, its share of what all places do together. */
  const waitMs = (place: Place): number =>
    free > 0 && queue.size === 0 ? 0 : Math.ceil((queue.ahead(place) + 1) / places) * storeMs;

  async function work<T>(entry: Entry<unknown>, store: () => Promise<T>): Promise<T> {
    const began = clock.monotonicMs();
    try {
      return await store();
    } finally {
      storeMs += SMOOTHING * (clock.monotonicMs() - began - storeMs);
      queue.done(entry as Parameters<typeof queue.done>[0]);
      free += 1;
      pump();
    }
  }

  return {
    async run(place, store) {
      const limit =
        queue.size >= STORES_WAITING
          ? 'STORES_WAITING'
          : queue.sizeOf(place.source) >= STORES_WAITING_PER_SOURCE
            ? 'STORES_WAITING_PER_SOURCE'
            : undefined;
      if (limit !== undefined) {
        metrics.limitReached(limit);
        return { kind: 'full', retryAfterMs: waitMs(place) };
      }
      const turn = Promise.withResolvers<boolean>();
      const entry = queue.add(place, { begin: turn.resolve, sinceMs: clock.monotonicMs() });
      metrics.waiting(entry.rank, queue.waitingIn(entry.rank));
      pump();
      if (!(await turn.promise)) return { kind: 'left' };
      return { kind: 'done', value: await work(entry, store) };
    },
    leave(request) {
      for (const entry of queue.leave(request)) {
        metrics.waiting(entry.rank, queue.waitingIn(entry.rank));
        entry.item.begin(false);
      }
    },
    waitMs,
  };
}

/** Remembers answers for a short time, at most so many of them, and asks once for all who wait for the same one. */
import type { Clock } from '@funnelai/kube/clock';

export interface BoundedCache<T> {
  /** Returns the remembered answer or asks; a failure is never remembered. `maxAgeMs` may ask for a younger one. */
  get(key: string, ask: () => Promise<T>, maxAgeMs?: number): Promise<T>;
  forget(key: string): void;
}

export function createBoundedCache<T>(clock: Clock, ttlMs: number, most: number): BoundedCache<T> {
  const answers = new Map<string, { value: T; atMs: number }>();
  const asking = new Map<string, Promise<T>>();
  return {
    get(key, ask, maxAgeMs = ttlMs) {
      const known = answers.get(key);
      if (known !== undefined && clock.monotonicMs() - known.atMs < Math.min(ttlMs, maxAgeMs))
        return Promise.resolve(known.value);
      const running = asking.get(key);
      if (running !== undefined) return running;
      const atMs = clock.monotonicMs();
      const started = ask()
        .then((value) => {
          answers.delete(key);
          // The oldest goes first: a Map keeps the order in which keys came.
          if (answers.size >= most) answers.delete(answers.keys().next().value ?? '');
          answers.set(key, { value, atMs });
          return value;
        })
        .finally(() => asking.delete(key));
      asking.set(key, started);
      return started;
    },
    forget(key) {
      answers.delete(key);
    },
  };
}

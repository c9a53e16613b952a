/**
 * One at a time for each key, first come first served; different keys do not wait for each other. Holds memory only for
 * keys that are in use. Knows nothing of what the keys mean.
 */
export interface KeyedMutex {
  /** Runs `work` when all earlier work under `key` has ended, however it ended; answers what it answers. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Keys in use now. */
  size(): number;
}

export function createKeyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<void>>();
  return {
    async run(key, work) {
      const before = tails.get(key);
      const { promise: mine, resolve: release } = Promise.withResolvers<void>();
      tails.set(key, mine);
      try {
        await before;
        return await work();
      } finally {
        if (tails.get(key) === mine) tails.delete(key);
        release();
      }
    },
    size: () => tails.size,
  };
}

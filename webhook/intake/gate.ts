/** Bounds how much runs at once: the rest waits in order. */

export interface Gate {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        // A place that is handed over never becomes free in between, so nobody overtakes.
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}

/** Runs `work` over all items, at most `atOnce` together; results stand in the order of the items. */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const gate = createGate(atOnce);
  return Promise.all(items.map((item) => gate.run(() => work(item))));
}

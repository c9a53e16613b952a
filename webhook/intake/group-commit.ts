/**
 * Many small pieces of work in few calls: what comes while a call is under way goes together in the next. Each piece has an answer of its
 * own; one that is refused for its content does not spoil the others of its call.
 */
export interface GroupCommit<T, R> {
  /** Rejects with what the call threw. */
  add(item: T): Promise<R>;
}

interface Waiting<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** @param o.run answers in the order of its items. `isItsOwn`: the error is about one item, and others may well go through. */
export function createGroupCommit<T, R>(o: {
  size: number;
  run(items: T[]): Promise<R[]>;
  isItsOwn(error: unknown): boolean;
}): GroupCommit<T, R> {
  const waiting: Waiting<T, R>[] = [];
  let isRunning = false;

  async function runAll(batch: Waiting<T, R>[]): Promise<void> {
    try {
      const results = await o.run(batch.map(({ item }) => item));
      for (const [i, one] of batch.entries()) one.resolve(results[i] as R);
    } catch (error) {
      if (batch.length > 1 && o.isItsOwn(error)) for (const one of batch) await runAll([one]);
      else for (const one of batch) one.reject(error);
    }
  }

  async function drain(): Promise<void> {
    isRunning = true;
    // A turn of the event loop, so that what one body brings goes together from the first.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await runAll(waiting.splice(0, o.size));
    isRunning = false;
  }

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        if (!isRunning) void drain();
      }),
  };
}

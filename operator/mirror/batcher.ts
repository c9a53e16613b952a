/**
 * Work on many keys in few calls: keys that become due are collected and handed over together; what could not be done comes
 * back with backoff. Promises one call at a time, each key at most once per call, and that nothing due is forgotten. Knows
 * nothing of what the keys stand for.
 */
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';

export interface Batcher {
  add(key: string): void;
  /** Keys that wait. */
  depth(): number;
  /** How long the oldest key has waited, in hand included; 0 when none does. */
  lagMs(): number;
  start(): void;
  /** Ends after the call in hand; with `drainMs`, works off what waits for at most that long first. */
  stop(drainMs?: number): Promise<void>;
  /** Resolves when nothing waits and nothing is in hand. */
  idle(): Promise<void>;
}

export interface BatcherOptions {
  name: string;
  clock: Clock;
  log: Log;
  /** Keys per call. */
  size: number;
  /** How long the first key of a call waits for others. */
  gatherMs: number;
  baseDelayMs: number;
  maxDelayMs: number;
  /** Works on the keys; answers those that must come again. A throw brings all of them again. */
  flush(keys: string[]): Promise<string[]>;
  onDepth?(depth: number): void;
}

export function createBatcher(o: BatcherOptions): Batcher {
  /** Keys and since when each waits: a failure does not make it younger. */
  const waiting = new Map<string, number>();
  let taken = new Map<string, number>();
  let idlers: (() => void)[] = [];
  let failures = 0;
  let running = false;
  let busy = false;
  let cancelTimer: (() => void) | undefined;
  let inHand: Promise<void> = Promise.resolve();

  function arm(ms: number): void {
    if (!running || busy || cancelTimer !== undefined || waiting.size === 0) return;
    cancelTimer = o.clock.after(ms, () => {
      cancelTimer = undefined;
      inHand = run();
    });
  }

  function putBack(keys: Iterable<string>): void {
    for (const key of keys) waiting.set(key, taken.get(key) ?? o.clock.monotonicMs());
  }

  async function run(): Promise<void> {
    busy = true;
    taken = new Map([...waiting].slice(0, o.size));
    for (const key of taken.keys()) waiting.delete(key);
    o.onDepth?.(waiting.size);
    try {
      const again = await o.flush([...taken.keys()]);
      putBack(again);
      failures = again.length > 0 ? failures + 1 : 0;
    } catch (error) {
      putBack(taken.keys());
      failures += 1;
      // Once per doubling: an hour without Postgres is not a thousand lines.
      if ((failures & (failures - 1)) === 0) o.log.warn({ queue: o.name, failures, err: error }, 'will try again');
    } finally {
      busy = false;
      taken.clear();
      o.onDepth?.(waiting.size);
    }
    if (waiting.size === 0) {
      for (const done of idlers.splice(0)) done();
    } else {
      arm(failures === 0 ? 0 : Math.min(o.maxDelayMs, o.baseDelayMs * 2 ** Math.min(failures - 1, MAX_DOUBLINGS)));
    }
  }

  return {
    add(key) {
      if (!waiting.has(key)) waiting.set(key, o.clock.monotonicMs());
      arm(o.gatherMs);
    },
    depth: () => waiting.size,
    lagMs() {
      const now = o.clock.monotonicMs();
      let oldest = now;
      for (const since of waiting.values()) oldest = Math.min(oldest, since);
      for (const since of taken.values()) oldest = Math.min(oldest, since);
      return now - oldest;
    },
    start() {
      running = true;
      arm(0);
    },
    async stop(drainMs = 0) {
      const deadline = o.clock.monotonicMs() + drainMs;
      await inHand;
      while (running && drainMs > 0 && waiting.size > 0 && failures === 0 && o.clock.monotonicMs() < deadline) {
        cancelTimer?.();
        cancelTimer = undefined;
        inHand = run();
        await inHand;
      }
      running = false;
      cancelTimer?.();
      cancelTimer = undefined;
      await inHand;
    },
    idle: () =>
      waiting.size === 0 && !busy
        ? Promise.resolve()
        : new Promise((resolve) => {
            idlers = [...idlers, resolve];
          }),
  };
}

const MAX_DOUBLINGS = 20;

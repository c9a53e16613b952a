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
  const waiting = new Set<string>();
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

  async function run(): Promise<void> {
    busy = true;
    const keys = [...waiting].slice(0, o.size);
    for (const key of keys) waiting.delete(key);
    o.onDepth?.(waiting.size);
    try {
      const again = await o.flush(keys);
      for (const key of again) waiting.add(key);
      failures = again.length > 0 ? failures + 1 : 0;
    } catch (error) {
      for (const key of keys) waiting.add(key);
      failures += 1;
      // Once per doubling: an hour without Postgres is not a thousand lines.
      if ((failures & (failures - 1)) === 0) o.log.warn({ queue: o.name, failures, err: error }, 'will try again');
    } finally {
      busy = false;
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
      waiting.add(key);
      arm(o.gatherMs);
    },
    depth: () => waiting.size,
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

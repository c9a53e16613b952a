/** Which namespaces are left alone for a while because several writes in a row failed in them, as with a quota that is used up. Pure. */
import { backoffMs } from '@funnelai/kube/backoff';
import { DRAIN_FAILURES_TO_PAUSE, DRAIN_RETRY_MAX_MS, DRAIN_RETRY_MS } from '../limits.ts';

export interface Pausing {
  /** True when this one began a pause after a time without any. */
  failed(namespace: string, nowMs: number): boolean;
  succeeded(namespace: string): void;
  isPaused(namespace: string, nowMs: number): boolean;
  paused(nowMs: number): string[];
}

export function createPausing(random?: () => number): Pausing {
  const troubled = new Map<string, { failures: number; untilMs: number }>();
  const isPaused = (namespace: string, nowMs: number) => (troubled.get(namespace)?.untilMs ?? nowMs) > nowMs;
  return {
    failed(namespace, nowMs) {
      const failures = (troubled.get(namespace)?.failures ?? 0) + 1;
      const over = failures - DRAIN_FAILURES_TO_PAUSE;
      const options = {
        baseMs: DRAIN_RETRY_MS,
        maxMs: DRAIN_RETRY_MAX_MS,
        ...(random === undefined ? {} : { random }),
      };
      troubled.set(namespace, { failures, untilMs: over < 0 ? nowMs : nowMs + backoffMs(over + 1, options) });
      return over === 0;
    },
    succeeded: (namespace) => void troubled.delete(namespace),
    isPaused,
    paused: (nowMs) => [...troubled.keys()].filter((namespace) => isPaused(namespace, nowMs)),
  };
}

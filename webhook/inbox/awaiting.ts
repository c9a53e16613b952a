/** What fired and is over is told in two steps, as the straight way has it: what had resolved before anyone looked opens no incident. */
import { DRAIN_ANSWER_MS, DRAIN_REMOVE_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Fault } from './held.ts';

/** Whether answers are still waited for: once for all that is held of a fault, for one that flaps must not wait each time. */
export const mayAwait = ({ awaitedSinceMs }: Fault, nowMs: number): boolean =>
  awaitedSinceMs === undefined || nowMs - awaitedSinceMs < DRAIN_ANSWER_MS;

export function createAwaiting(deps: {
  isAnswered?: (namespace: string, name: string) => boolean;
  metrics: WebhookMetrics;
}) {
  return {
    /** Whether the operator has yet to answer what the last write of this fault left firing. */
    waits(fault: Fault, nowMs: number): boolean {
      if (fault.awaited === undefined) return false;
      const isAnswered = deps.isAnswered?.(fault.awaited.namespace, fault.awaited.name) !== false;
      if (!isAnswered && mayAwait(fault, nowMs)) {
        fault.notBeforeMs = nowMs + DRAIN_REMOVE_MS;
        return true;
      }
      if (!isAnswered) deps.metrics.limitReached('DRAIN_ANSWER_MS');
      fault.awaited = undefined;
      return false;
    },
  };
}

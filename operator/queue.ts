/** The work queue as all controllers use it: nothing is decided before the own writes so far to the kinds it is decided on are seen; the same deadline, the same backoff. */
import type { Resource } from '@funnelai/crds/meta';
import type { Lane } from '@funnelai/kube/lanes';
import { createWorkQueue, type WorkQueue } from '@funnelai/kube/work-queue';
import type { Deps } from './controller.ts';

/** One reconcile may take this long, its API calls included; then it is given up and tried again. */
const DEADLINE_MS = 30_000;
const BASE_DELAY_MS = 20;
const MAX_DELAY_MS = 60_000;

export function createQueue(
  deps: Pick<Deps, 'clock' | 'log' | 'registry' | 'settled'>,
  o: {
    name: string;
    workers: number;
    /** What is decided on. */
    reads: readonly Resource[];
    flowOf?: (key: string) => readonly string[];
    reconcile(key: string, signal: AbortSignal, lane: Lane): Promise<{ requeueAfterMs?: number } | undefined>;
  },
): WorkQueue {
  return createWorkQueue({
    ...o,
    reconcile: async (key, signal, lane) => {
      await deps.settled(o.reads, signal);
      return o.reconcile(key, signal, lane);
    },
    clock: deps.clock,
    log: deps.log,
    metrics: deps.registry,
    deadlineMs: DEADLINE_MS,
    baseDelayMs: BASE_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
  });
}

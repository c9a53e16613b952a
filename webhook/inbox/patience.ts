/** Lets work at the API server take so long and no longer, whoever else may end it. */
import type { Clock } from '@funnelai/kube/clock';
import { ETCD_PATIENCE_MS } from '../limits.ts';
import type { ApiServer } from './api-server.ts';

/** `work` is given a signal that aborts after the time of one attempt, with `signal`, or when the API server is given up, as a whole or in this namespace. */
export async function withPatience<T>(
  { clock, api, namespace }: { clock: Clock; api: Pick<ApiServer, 'onOpen'>; namespace: string },
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const giveUp = () => stop.abort();
  const cancel = clock.after(ETCD_PATIENCE_MS, giveUp);
  const unsubscribe = api.onOpen(namespace, giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await work(stop.signal);
  } finally {
    cancel();
    unsubscribe();
    signal.removeEventListener('abort', giveUp);
  }
}

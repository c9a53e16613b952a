/** Long work in slices: between two of them others have their turn, probes, pages and other senders. */
import { type Clock, nextTurn } from '@funnelai/kube/clock';
import { INTAKE_SLICE_MS } from '../limits.ts';

/** Returns what is to be awaited before each piece of the work: a pause when a slice is over, nothing before. */
export function inSlices(clock: Pick<Clock, 'monotonicMs'>): () => Promise<void> | undefined {
  let endsMs = clock.monotonicMs() + INTAKE_SLICE_MS;
  return () => {
    if (clock.monotonicMs() < endsMs) return undefined;
    return nextTurn().then(() => {
      endsMs = clock.monotonicMs() + INTAKE_SLICE_MS;
    });
  };
}

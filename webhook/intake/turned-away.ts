/**
 * Whether alerts were answered 503 lately because their source had reached its bound and Postgres did not take what is beyond it: told to
 * people for a while after each, as senders come back by themselves only after seconds or minutes.
 */
import type { Clock } from '@funnelai/kube/clock';
import { TURNED_AWAY_SAID_MS } from '../limits.ts';
import { createListeners } from '../listeners.ts';
import type { AlertStore } from './store.ts';

export interface TurnedAway {
  note(): void;
  lately(): boolean;
  /** Calls `listener` when that changes. */
  subscribe(listener: () => void): () => void;
}

export function createTurnedAway(clock: Clock): TurnedAway {
  const { tell, subscribe } = createListeners();
  let lastMs = Number.NEGATIVE_INFINITY;
  let isSaid = false;

  function become(next: boolean): void {
    isSaid = next;
    tell();
  }
  /** One timer, however many are turned away. */
  function arm(ms: number): void {
    clock.after(ms, () => {
      const leftMs = lastMs + TURNED_AWAY_SAID_MS - clock.monotonicMs();
      if (leftMs > 0) arm(leftMs);
      else become(false);
    });
  }
  return {
    note() {
      lastMs = clock.monotonicMs();
      if (isSaid) return;
      arm(TURNED_AWAY_SAID_MS);
      become(true);
    },
    lately: () => isSaid,
    subscribe,
  };
}

/** The same store; what it turns away in the end, and no other store has taken, is noted. */
export const notingTurnedAway = (store: AlertStore, turnedAway: Pick<TurnedAway, 'note'>): AlertStore => ({
  ...store,
  async store(request, signal) {
    const outcome = await store.store(request, signal);
    if (outcome.kind === 'unavailable' && outcome.isFull === true) turnedAway.note();
    return outcome;
  },
});

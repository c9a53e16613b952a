/**
 * Counts how often senders repeat what is stored: a repeat writes nothing in etcd, so it is counted here and added to its episode in
 * Postgres, in batches. Approximate on purpose: what a killed process held is lost, what was in doubt may be counted twice.
 */
import type { Alert } from '@funnelai/crds/generated/types';
import { REPEATS_PER_WRITE, type RepeatStore } from '@funnelai/history/repeats';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { REPEATS_FLUSH_MS, REPEATS_REMEMBERED, REPEATS_TRIES } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';

export interface RepeatCounter {
  /** One repeat of the alert's present episode. */
  count(namespace: string, name: string): void;
  start(): void;
  /** Writes what is held, once. */
  stop(): Promise<void>;
}
export const noRepeats: RepeatCounter = { count: () => {}, start: () => {}, stop: async () => {} };

interface Held {
  alertUid: string;
  episode: number;
  repeats: number;
  /** How often Postgres answered that it does not know the episode. */
  unknown: number;
}

export interface RepeatCounterDeps {
  alerts: { get(namespace: string, name: string): Alert | undefined };
  store: RepeatStore;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

export function createRepeatCounter({ alerts, store, clock, log, metrics }: RepeatCounterDeps): RepeatCounter {
  const held = new Map<string, Held>();
  let cancel = () => {};
  let isAway = false;
  let writing: Promise<void> = Promise.resolve();

  function add({ repeats, ...one }: Held): void {
    const key = `${one.alertUid}/${one.episode}`;
    const before = held.get(key);
    if (before !== undefined) before.repeats += repeats;
    else if (held.size < REPEATS_REMEMBERED) held.set(key, { ...one, repeats });
    else {
      metrics.limitReached('REPEATS_REMEMBERED');
      metrics.repeats('dropped', repeats);
    }
  }

  async function flush(): Promise<void> {
    const all = [...held.values()];
    held.clear();
    for (let first = 0; first < all.length; first += REPEATS_PER_WRITE) {
      const batch = all.slice(first, first + REPEATS_PER_WRITE);
      try {
        const added = new Set((await store.add(batch)).map((one) => `${one.alertUid}/${one.episode}`));
        for (const one of batch) {
          if (added.has(`${one.alertUid}/${one.episode}`)) metrics.repeats('written', one.repeats);
          else if (one.unknown + 1 < REPEATS_TRIES) add({ ...one, unknown: one.unknown + 1 });
          else metrics.repeats('dropped', one.repeats);
        }
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn({ why: messageOf(error) }, 'repeats of alerts cannot be written; they are held');
        isAway = true;
        for (const one of all.slice(first)) add(one);
        return;
      }
    }
  }

  function arm(): void {
    cancel = clock.after(REPEATS_FLUSH_MS, () => {
      writing = flush().then(arm);
    });
  }

  return {
    count(namespace, name) {
      const alert = alerts.get(namespace, name);
      const alertUid = alert?.metadata.uid;
      if (alertUid === undefined) return;
      add({ alertUid, episode: alert?.status?.episode ?? 1, repeats: 1, unknown: 0 });
    },
    start: arm,
    async stop() {
      await writing;
      cancel();
      await flush();
    },
  };
}

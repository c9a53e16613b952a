/** Rows that need nothing more: they are taken away together, on the strength of the drain lock; or put aside, each with its reason. */
import type { DrainLock } from '@funnelai/history/drain-lock';
import type { InboxStore } from '@funnelai/history/inbox';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import { DRAIN_PAGE, DRAIN_REMOVE_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';

export interface Settled {
  /** It is stored; with a reason it never can be. */
  add(id: string, reason: string | undefined): void;
  /** Takes away what is due; all of it `atOnce`. False when the lock is lost. */
  remove(atOnce?: boolean): Promise<boolean>;
  clear(): void;
  readonly size: number;
}

export function createSettled(deps: {
  inbox: Pick<InboxStore, 'remove' | 'setAside'>;
  lock: Pick<DrainLock, 'holder'>;
  /** They do not lie there any more. */
  gone(ids: readonly string[]): void;
  clock: Pick<Clock, 'monotonicMs'>;
  log: Log;
  metrics: Pick<WebhookMetrics, 'drained'>;
}): Settled {
  const { inbox, lock, clock, log, metrics } = deps;
  const settled: { id: string; reason?: string }[] = [];
  let removedAtMs = Number.NEGATIVE_INFINITY;
  return {
    add: (id, reason) => void settled.push(reason === undefined ? { id } : { id, reason }),
    async remove(atOnce = false) {
      const nowMs = clock.monotonicMs();
      const isDue = atOnce || settled.length >= DRAIN_PAGE / 2 || nowMs - removedAtMs >= DRAIN_REMOVE_MS;
      if (settled.length === 0 || !isDue) return true;
      const holder = lock.holder();
      if (holder === undefined) return false;
      removedAtMs = nowMs;
      const now = settled.slice();
      const stored = now.filter(({ reason }) => reason === undefined).map(({ id }) => id);
      const aside = now.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }]));
      if (!(await inbox.remove(stored, holder)) || !(await inbox.setAside(aside, holder))) return false;
      settled.splice(0, now.length);
      deps.gone(now.map(({ id }) => id));
      metrics.drained('stored', stored.length);
      if (aside.length > 0) {
        metrics.drained('setAside', aside.length);
        log.warn(
          { rows: aside.slice(0, 20), count: aside.length },
          'rows of the inbox were set aside: see inbox_set_aside',
        );
      }
      return true;
    },
    clear() {
      settled.length = 0;
    },
    get size() {
      return settled.length;
    },
  };
}

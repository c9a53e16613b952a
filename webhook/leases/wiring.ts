/** Makes out of their parts what listens for silence and what acts upon it. Without a database neither does anything. */
import { randomUUID } from 'node:crypto';
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { DrainLock } from '@funnelai/history/drain-lock';
import type { FoldedLeaseStore } from '@funnelai/history/folded-leases';
import type { LeaseStore } from '@funnelai/history/leases';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { KeyedLock } from '../intake/keyed-lock.ts';
import type { AlertStore } from '../intake/store.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { createLeaseCollector, type LeaseBook, noLeaseBook } from './collector.ts';
import { createExpirer } from './expirer.ts';
import { createFoldedExpiry } from './folded.ts';
import { createHeartbeats } from './heartbeats.ts';
import { createExpiryWrites } from './writes.ts';

/** Where it is kept when alerts were last heard of, and who may act upon it. */
export interface KeptLeases {
  store: LeaseStore;
  folded: FoldedLeaseStore;
  lock: Pick<DrainLock, 'held'>;
}
export interface LeaseParts {
  kept: KeptLeases | undefined;
  client: KubeClient;
  alerts: Cache<Alert>;
  sources: Cache<AlertSource>;
  /** Where alerts about silent sources go. */
  intake: AlertStore;
  /** The one namespace that is served; all when absent. */
  namespace: string | undefined;
  lock: KeyedLock;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}
export interface Leases {
  book: LeaseBook;
  start(): void;
  stop(): Promise<void>;
  /** What is otherwise done by the clock: writes what was heard; looks for what expired. */
  flush(): Promise<void>;
  pass(): Promise<void>;
}

export function wireLeases({ kept, intake, ...parts }: LeaseParts): Leases {
  if (kept === undefined) return { book: noLeaseBook, start() {}, async stop() {}, async flush() {}, async pass() {} };
  const { alerts, sources } = parts;
  const { store } = kept;
  const isTaking = () => [alerts, sources].every((cache) => cache.synced && cache.fresh());
  const collector = createLeaseCollector({ ...parts, store, replica: randomUUID(), isTaking });
  const expirer = createExpirer({
    ...parts,
    store,
    lock: kept.lock,
    writes: createExpiryWrites(parts),
    heartbeats: createHeartbeats({ ...parts, store, intake }),
    folded: createFoldedExpiry({ ...parts, store: kept.folded }),
  });
  return {
    book: collector,
    flush: () => collector.flush(),
    pass: () => expirer.pass(),
    start() {
      collector.start();
      expirer.start();
    },
    async stop() {
      await expirer.stop();
      await collector.stop();
    },
  };
}

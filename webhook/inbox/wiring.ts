/** Makes the intake's two stores out of their parts: router, inbox, drain and its lock. Without a database there is one store. */

import { randomUUID } from 'node:crypto';
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { ALERTS } from '@funnelai/crds/meta';
import { createDrainLock, type DrainLock } from '@funnelai/history/drain-lock';
import { createInboxStore, FIRSTS_MIGRATION } from '@funnelai/history/inbox';
import { createInboxCountStore } from '@funnelai/history/inbox-counts';
import type { DatabasePool } from '@funnelai/history/pool';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { createSourceRates } from '../intake/source-rates.ts';
import type { AlertStore } from '../intake/store.ts';
import type { TurnedAway } from '../intake/turned-away.ts';
import { ETCD_PATIENCE_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { createApiServer } from './api-server.ts';
import { createInboxBySource, type InboxBySource } from './by-source.ts';
import { createDrain, type Drain } from './drain.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createLane } from './lane.ts';
import { createLettingGo } from './letting-go.ts';
import type { Looking } from './looking.ts';
import { createReceiptClock, type ReceiptClock } from './receipt-clock.ts';
import type { SchemaWatch } from './schema-watch.ts';
import { createSpare, type Spare } from './spare.ts';
import { createTwoStores } from './two-stores.ts';

export interface TwoStoresParts {
  etcd: AlertStore;
  client: KubeClient;
  /** Of the inbox alone: nobody else's statement stands in the way of a sender. */
  pool: DatabasePool;
  /** For people who look into it. */
  lookPool: DatabasePool;
  sources: Cache<AlertSource>;
  alerts: Pick<Cache<Alert>, 'get' | 'subscribe'>;
  /** What tells the alerts that this replica serves from those of others on the same database: see `scopeOf`. */
  scope(signal: AbortSignal): Promise<string | undefined>;
  /** Hears what was found by that, or that nothing was; others go by the same lock. */
  opened(found: { scope: string; lock: DrainLock } | undefined): void;
  /** Whether nothing of an alert's kind fires yet. */
  isNew(namespace: string, spec: AlertSpec): boolean;
  /** Whether the operator has answered the episode that an Alert is in. */
  isAnswered(namespace: string, name: string): boolean;
  /** Whether alerts were turned away for want of room. */
  turnedAway: TurnedAway;
  /** Whether the tables are those of this version. */
  schema: SchemaWatch;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}
export interface TwoStores {
  store: AlertStore;
  receipt: ReceiptClock;
  spare: Spare;
  inbox: Inbox;
  bySource: InboxBySource;
  start(): void;
  stop(): Promise<void>;
}

const CLOSED_SAID_AFTER_MS = 30_000;

export function wireTwoStores(parts: TwoStoresParts): TwoStores {
  const { etcd, client, pool, lookPool, sources, clock, log, metrics } = parts;
  const receipt = createReceiptClock({ clock, log });
  const inbox = createInbox({ clock, receipt, log, metrics });
  const read = () => client.list(ALERTS, { limit: 1, timeoutMs: ETCD_PATIENCE_MS });
  const api = createApiServer({ read, clock, log, metrics });
  const bySource = createInboxBySource({ clock, log, metrics });
  const lane = createLane({ clock, metrics });
  const stopping = new AbortController();
  let lock: DrainLock | undefined;
  let drain: Drain | undefined;
  let lettingGo: Looking | undefined;

  async function open(): Promise<void> {
    const cancel = clock.after(CLOSED_SAID_AFTER_MS, () =>
      log.warn({}, 'namespaces cannot be read: the inbox stays closed, and etcd is the only store'),
    );
    const scope = await parts.scope(stopping.signal).finally(cancel);
    if (scope === undefined) {
      log.error({}, 'the inbox stays closed, as nothing tells this cluster from others on the same database');
      parts.opened(undefined);
      return;
    }
    const self = randomUUID();
    const store = createInboxStore({ pool, scope, self, hasFirsts: () => parts.schema.has(FIRSTS_MIGRATION) });
    lock = createDrainLock({ pool, clock, log, scope, self, onNews: inbox.hear });
    const sourceOf = (namespace: string, name: string) =>
      sources.get(namespace, name) ?? (sources.synced && sources.fresh() ? null : undefined);
    const rates = createSourceRates({ sourceOf, alerts: parts.alerts, clock });
    const { isNew, isAnswered } = parts;
    drain = createDrain({
      inbox: store,
      lock,
      etcd,
      sourceOf,
      isNew,
      isAnswered,
      rates,
      api,
      lane,
      clock,
      log,
      metrics,
    });
    lettingGo = createLettingGo({ alerts: parts.alerts, inbox: store, lock, client, api, clock, log });
    lock.subscribe((held) => {
      metrics.drains(held);
      drain?.wake();
    });
    inbox.subscribe(() => {
      if (lock?.held() === true && inbox.mayHoldRows()) drain?.wake();
    });
    // Before anything goes in: what was received by a clock that is wrong would stand in the wrong order. Without Postgres nothing goes in.
    await receipt.compare(store.now).catch(() => {});
    inbox.open(store);
    bySource.open({ store: createInboxCountStore({ pool: lookPool, scope }), scope });
    parts.opened({ scope, lock });
    lock.start();
    drain.start();
    lettingGo.start();
  }

  return {
    store: createTwoStores({ etcd, inbox, api, lane, clock, metrics }),
    receipt,
    inbox,
    spare: createSpare({ api, inbox, turnedAway: parts.turnedAway, schema: parts.schema, clock }),
    bySource,
    start() {
      open().catch((error: unknown) => {
        if (!stopping.signal.aborted) log.error({ why: messageOf(error) }, 'the inbox cannot be opened');
      });
    },
    async stop() {
      stopping.abort();
      api.stop();
      await lettingGo?.stop();
      await drain?.stop();
      await lock?.stop();
      await inbox.stop();
    },
  };
}

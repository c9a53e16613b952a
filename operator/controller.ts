/** What a controller is, and what it is given. */
import type { Resource } from '@funnelai/crds/meta';
import type { RuleBook } from '@funnelai/domain/rule-book';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import type { EventRecorder } from '@funnelai/kube/events';
import type { Log } from '@funnelai/kube/log';
import { type TrackedKind, trackOwnWrites } from '@funnelai/kube/own-writes';
import type { Registry } from 'prom-client';
import type { Caches } from './caches.ts';
import type { Identity } from './identity.ts';
import type { Metrics } from './metrics.ts';

/** Lives for one term of leadership: started once with synced caches, stopped once. */
export interface Controller {
  name: string;
  start(): void;
  /** Ends when the work in hand has ended. */
  stop(): Promise<void>;
  /** Resolves when nothing is queued and nothing in work; delayed work does not count. */
  idle(): Promise<void>;
}

/** The one object that every controller is made from. */
export interface Deps {
  /** Hands each answer to the caches: what a controller wrote, it sees. */
  client: KubeClient;
  /** As `OwnWrites.settled`: to be awaited before anything is decided. The work queues do. */
  settled(kinds: readonly Resource[], signal: AbortSignal): Promise<void>;
  clock: Clock;
  log: Log;
  caches: Caches;
  rules: RuleBook;
  identity: Identity;
  events: EventRecorder;
  metrics: Metrics;
  registry: Registry;
}

/** The deps of a term that ends with `stop`: the client keeps book of its writes, and `settled` waits for those of unknown fate. */
export function withOwnWrites(plain: Omit<Deps, 'settled'>, o: { kinds: TrackedKind[]; stop: AbortSignal }): Deps {
  const { client, log, registry } = plain;
  const writes = trackOwnWrites({ client, kinds: o.kinds, log, metrics: registry, stop: o.stop });
  return { ...plain, client: writes.client, settled: (kinds, signal) => writes.settled(kinds, signal) };
}

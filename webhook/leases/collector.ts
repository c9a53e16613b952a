/**
 * Notes when each alert and each source was last heard of, and writes it to Postgres in batches: a repeat writes nothing in etcd. Says of
 * itself whether anything was turned away or forgotten since it last wrote, for then no lease may be taken for run out.
 */

import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { formatMicros } from '@funnelai/domain/instants';
import { faultKey } from '@funnelai/history/fault-key';
import { LEASES_PER_WRITE, type Lease, type LeaseStore, type Sign } from '@funnelai/history/leases';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { LEASES_FLUSH_MS, LEASES_REMEMBERED, SIGNS_REMEMBERED } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';

/** What of a report is noted. */
export type Heard = Pick<AlertSpec, 'sourceRef' | 'fingerprint' | 'receivedAt' | 'leaseUntil'>;

/** That much of it, where the rest is not to be held. */
export const heardOf = ({ sourceRef, fingerprint, receivedAt, leaseUntil }: AlertSpec): Heard => ({
  sourceRef,
  fingerprint,
  receivedAt,
  ...(leaseUntil === undefined ? {} : { leaseUntil }),
});

export interface LeaseBook {
  /** A report that the alert fires, of which nothing is written in etcd: it changed nothing, or could not be stored. */
  seen(namespace: string, report: Heard): void;
  /** A sign of life of the source. */
  heard(source: AlertSource, at: string): void;
  /** Bodies were turned away unread: nobody knows of which alerts. */
  missed(): void;
}
export const noLeaseBook: LeaseBook = { seen: () => {}, heard: () => {}, missed: () => {} };

export interface LeaseCollector extends LeaseBook {
  start(): void;
  /** Writes what is held, at once. */
  flush(): Promise<void>;
  /** Writes what is held, and takes its leave. */
  stop(): Promise<void>;
}

export interface LeaseCollectorDeps {
  store: LeaseStore;
  /** Name of this process, like no other's. */
  replica: string;
  /** Whether the API server is there to take alerts. */
  isTaking(): boolean;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}

export function createLeaseCollector(deps: LeaseCollectorDeps): LeaseCollector {
  const { store, replica, clock, log, metrics } = deps;
  const leases = new Map<string, Lease>();
  const signs = new Map<string, Sign>();
  let isWhole = true;
  let isAway = false;
  let lastComplete: string | undefined;
  let cancel = () => {};
  let writing: Promise<void> = Promise.resolve();

  // Times are compared as text: all are the webhook's own, in UTC with six digits.
  function hold<T>(into: Map<string, T>, key: string, value: T, isNewer: (held: T) => boolean, bound: number): boolean {
    const held = into.get(key);
    if (held !== undefined && !isNewer(held)) return true;
    if (held === undefined && into.size >= bound) return false;
    into.set(key, value);
    return true;
  }

  function holdLease(lease: Lease): void {
    const key = faultKey(lease);
    const isNewer = (held: Lease) => held.lastSeen < lease.lastSeen;
    if (hold(leases, key, lease, isNewer, LEASES_REMEMBERED)) return;
    metrics.limitReached('LEASES_REMEMBERED');
    isWhole = false;
  }

  function holdSign(sign: Sign): void {
    const key = `${sign.namespace}/${sign.source}`;
    const isNewer = (held: Sign) => held.sourceUid !== sign.sourceUid || held.lastHeard < sign.lastHeard;
    if (hold(signs, key, sign, isNewer, SIGNS_REMEMBERED)) return;
    metrics.limitReached('SIGNS_REMEMBERED');
    isWhole = false;
  }

  /** Throws when Postgres did not take all; then all of it is held again. */
  async function write(): Promise<void> {
    const [someLeases, someSigns] = [[...leases.values()], [...signs.values()]];
    leases.clear();
    signs.clear();
    try {
      for (let first = 0; first < someLeases.length; first += LEASES_PER_WRITE)
        await store.put(someLeases.slice(first, first + LEASES_PER_WRITE));
      if (someSigns.length > 0) await store.putSigns(someSigns);
    } catch (error) {
      for (const lease of someLeases) holdLease(lease);
      for (const sign of someSigns) holdSign(sign);
      throw error;
    }
  }

  async function flush(): Promise<void> {
    // Read first: what comes while it is written is of the next time.
    const now = formatMicros(clock.now());
    const isComplete = isWhole && deps.isTaking();
    isWhole = true;
    try {
      await write();
      await store.alive(replica, now, { isComplete, lastComplete });
      if (isComplete) lastComplete = now;
      isAway = false;
    } catch (error) {
      isWhole &&= isComplete;
      if (!isAway)
        log.warn({ why: messageOf(error) }, 'leases of alerts cannot be written; they are held, and nothing expires');
      isAway = true;
    }
  }

  function arm(): void {
    cancel = clock.after(LEASES_FLUSH_MS, () => {
      writing = flush().then(arm);
    });
  }

  return {
    seen(namespace, { sourceRef, fingerprint, receivedAt, leaseUntil }) {
      holdLease({ namespace, source: sourceRef.name, fingerprint, lastSeen: receivedAt, leaseUntil });
    },
    heard({ metadata }, at) {
      const { namespace = '', name, uid = '' } = metadata;
      holdSign({ namespace, source: name, sourceUid: uid, lastHeard: at });
    },
    missed() {
      isWhole = false;
    },
    flush() {
      writing = writing.then(flush);
      return writing;
    },
    start() {
      // At once: until it has said that it is there, nothing may be known of what it takes.
      writing = flush().then(arm);
    },
    async stop() {
      await writing;
      cancel();
      try {
        const now = formatMicros(clock.now());
        await write();
        if (isWhole) await store.leave(replica, now);
      } catch (error) {
        log.warn({ why: messageOf(error) }, 'the last leases of alerts could not be written');
      }
    },
  };
}

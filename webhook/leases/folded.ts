/**
 * Expires the folded alerts whose lease has run out or that were left behind, as the expirer does with those that are objects, and brings back those of which a
 * report was still under way. Promises to touch none that has become an Alert of its own: that one has the lease. What becomes of the
 * overflow Alert that counts them is intake/overflows.ts's. Throws when Postgres is away.
 */
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { ExpiryReason } from '@funnelai/domain/expiry';
import { compareInstants, formatMicros } from '@funnelai/domain/instants';
import { FOLDS_PER_WRITE } from '@funnelai/history/folded';
import {
  FOLDED_PER_READ,
  type FoldedLease,
  type FoldedLeaseStore,
  type FoldedMark,
} from '@funnelai/history/folded-leases';
import type { LeaseKey } from '@funnelai/history/leases';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { isLive } from '../intake/is-live.ts';
import { inSlices } from '../intake/slices.ts';
import { EXPIRY_DOUBT_MS, FOLDED_EXPIRED_KEPT_MS, FOLDED_LOOKED_AT_PER_PASS, LEASE_RECHECK_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { expireAfterMs } from './candidates.ts';
import { type Known, leaseVerdict } from './decide.ts';
import { createFoldedOrphans } from './folded-orphans.ts';

export interface FoldedExpiryDeps {
  store: FoldedLeaseStore;
  alerts: Pick<Cache<Alert>, 'get'>;
  sources: Pick<Cache<AlertSource>, 'get'>;
  /** Looks in this one alone; in all when absent. */
  namespace?: string | undefined;
  clock: Clock;
  metrics: Pick<WebhookMetrics, 'expired' | 'limitReached'>;
}
export interface FoldedExpiry {
  /** One look; `mayAct` is asked again before each write. */
  pass(known: Known, mayAct: () => boolean): Promise<void>;
}

export function createFoldedExpiry(deps: FoldedExpiryDeps): FoldedExpiry {
  const { store, alerts, sources, namespace, clock, metrics } = deps;
  const orphans = createFoldedOrphans({ store, sources, metrics });
  let lookedTo: LeaseKey | undefined;
  let recheckAtMs = Number.NEGATIVE_INFINITY;
  const now = () => formatMicros(clock.now());

  /** Goes on where the last pass ended, so that each has its turn however many there are. */
  async function expire(known: Known, mayAct: () => boolean): Promise<void> {
    const pause = inSlices(clock);
    orphans.begin(known);
    for (let looked = 0; looked < FOLDED_LOOKED_AT_PER_PASS; looked += FOLDED_PER_READ) {
      if (!mayAct()) return;
      const page = await store.firing(lookedTo, namespace);
      const left = await orphans.of(page);
      const at = now();
      const due: { reason: ExpiryReason; mark: FoldedMark }[] = [];
      const gone: FoldedLease[] = [];
      for (const one of page) {
        await pause();
        const ranOut = hasRunOut(one, sources.get(one.namespace, one.source), known);
        const reason = left.get(one) ?? (ranOut ? 'LeaseRanOut' : undefined);
        if (reason === undefined) continue;
        if (isLive(alerts, one)) gone.push(one);
        else due.push({ reason, mark: expiryOf(one, reason, at) });
      }
      await leave(gone, mayAct);
      for (const [reason, some] of Map.groupBy(due, (one) => one.reason))
        metrics.expired(
          reason,
          await mark(
            some.map((one) => one.mark),
            mayAct,
          ),
        );
      lookedTo = page.length < FOLDED_PER_READ ? undefined : page.at(-1);
      if (lookedTo === undefined) return orphans.endRound();
    }
    metrics.limitReached('FOLDED_LOOKED_AT_PER_PASS');
  }

  async function bringBack(mayAct: () => boolean): Promise<void> {
    const nowMs = clock.monotonicMs();
    const isRecheck = nowMs >= recheckAtMs;
    const since = clock.now().subtract({ milliseconds: isRecheck ? FOLDED_EXPIRED_KEPT_MS : EXPIRY_DOUBT_MS });
    const heard = await store.heardAfterExpiry(formatMicros(since), namespace);
    const isBack = (one: FoldedLease) => isCounted(one) && !isLive(alerts, one);
    const { back = [], gone = [] } = Object.groupBy(heard, (one) => (isBack(one) ? 'back' : 'gone'));
    // What was heard of, and is counted by nobody, was so as an Alert.
    await leave(gone, mayAct);
    metrics.expired('broughtBack', await mark(back.flatMap(returnOf), mayAct));
    if (isRecheck && heard.length < FOLDED_PER_READ) recheckAtMs = nowMs + LEASE_RECHECK_MS;
  }

  /** Is its overflow Alert there, and in the episode in which it expired? */
  function isCounted({ namespace, overflow, expiredAt }: FoldedLease): boolean {
    const spec = alerts.get(namespace, overflow)?.spec;
    return spec?.folded !== undefined && compareInstants(expiredAt, spec.startsAt) >= 0;
  }

  async function leave(some: readonly FoldedLease[], mayAct: () => boolean): Promise<void> {
    for (const gone of inWrites(some)) if (mayAct()) await store.leave(gone, now());
  }

  async function mark(some: readonly FoldedMark[], mayAct: () => boolean): Promise<number> {
    let written = 0;
    for (const marks of inWrites(some)) if (mayAct()) written += await store.mark(marks);
    return written;
  }

  return {
    async pass(known, mayAct) {
      await expire(known, mayAct);
      if (mayAct()) await bringBack(mayAct);
    },
  };
}

const heardOf = ({ receivedAt, leaseUntil, heard }: FoldedLease) => heard ?? { lastSeen: receivedAt, leaseUntil };

function hasRunOut(one: FoldedLease, source: AlertSource | undefined, known: Known): boolean {
  return leaseVerdict({ ...heardOf(one), expireAfterMs: expireAfterMs(source) }, known).kind === 'ranOut';
}

function expiryOf(one: FoldedLease, reason: ExpiryReason, at: string): FoldedMark {
  const { lastSeen, leaseUntil } = heardOf(one);
  return { ...keyOf(one), set: { state: 'Expired', receivedAt: lastSeen, leaseUntil, expired: { at, reason } } };
}

function returnOf(one: FoldedLease): FoldedMark[] {
  if (one.heard === undefined) return [];
  const { lastSeen, leaseUntil } = one.heard;
  return [{ ...keyOf(one), set: { state: 'Firing', receivedAt: lastSeen, leaseUntil } }];
}

const keyOf = ({ namespace, source, fingerprint, version }: FoldedLease) => ({
  namespace,
  source,
  fingerprint,
  version,
});

function* inWrites<T>(all: readonly T[]): Iterable<T[]> {
  for (let first = 0; first < all.length; first += FOLDS_PER_WRITE) yield all.slice(first, first + FOLDS_PER_WRITE);
}

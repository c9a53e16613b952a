/**
 * Expires the alerts whose lease has run out, and those that a change of `dedup` or a deleted source left behind. Only the webhook that
 * holds the drain lock does it, only while Postgres says what was heard, and nothing is resolved by it. An alert of which a report was
 * still under way is brought back. Never throws: what fails is tried again in the next pass.
 */

import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { ExpiryReason } from '@funnelai/domain/expiry';
import { compareInstants, formatMicros } from '@funnelai/domain/instants';
import type { DrainLock } from '@funnelai/history/drain-lock';
import { faultKey } from '@funnelai/history/fault-key';
import { LEASES_PER_WRITE, type Lease, type LeaseKey, type LeaseStore } from '@funnelai/history/leases';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { Temporal } from 'temporal-polyfill';
import { mapBounded } from '../intake/gate.ts';
import { isLive } from '../intake/is-live.ts';
import { inSlices } from '../intake/slices.ts';
import {
  EXPIRIES_AT_ONCE,
  EXPIRIES_PER_PASS,
  EXPIRY_PASS_MS,
  LEASES_FORGOTTEN_PER_PASS,
  LEASES_KEPT_MS,
} from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { createCandidates, expireAfterMs, termsOf } from './candidates.ts';
import { type Known, knownOf, leaseVerdict } from './decide.ts';
import type { FoldedExpiry } from './folded.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { ExpiryWrites } from './writes.ts';

export interface ExpirerDeps {
  store: LeaseStore;
  lock: Pick<DrainLock, 'held'>;
  alerts: Cache<Alert>;
  sources: Cache<AlertSource>;
  writes: ExpiryWrites;
  heartbeats: Heartbeats;
  /** The same for those that are folded. */
  folded: FoldedExpiry;
  clock: Clock;
  log: Log;
  metrics: WebhookMetrics;
}
export interface Expirer {
  start(): void;
  stop(): Promise<void>;
  /** One pass, at once. */
  pass(): Promise<void>;
}

type Work = { alert: Alert; source: AlertSource | undefined };
type Orphan = { alert: Alert; reason: ExpiryReason };

export function createExpirer(deps: ExpirerDeps): Expirer {
  const { store, lock, alerts, sources, writes, clock, log, metrics } = deps;
  const candidates = createCandidates();
  let cancel = () => {};
  let stopped = false;
  let isAway = false;
  let forgottenTo: LeaseKey | undefined;
  let turn: Promise<void> = Promise.resolve();

  const mayAct = () => !stopped && lock.held() && isFresh(alerts) && isFresh(sources);
  const sourceOf = ({ metadata, spec }: Alert) => sources.get(metadata.namespace ?? '', spec.sourceRef.name);

  async function pass(): Promise<void> {
    if (!mayAct()) return;
    try {
      const life = await store.life(formatMicros(clock.now()));
      const known = life && knownOf(life);
      if (known === undefined) {
        metrics.expiryPass('notFresh');
        return;
      }
      await expire(known);
      if (mayAct()) await deps.heartbeats.pass(known, mayAct);
      if (mayAct()) await deps.folded.pass(known, mayAct);
      if (mayAct()) await forgetOld(known);
      isAway = false;
      metrics.expiryPass('done');
    } catch (error) {
      if (!isAway) log.warn({ why: messageOf(error) }, 'it cannot be looked for leases that ran out; nothing expires');
      isAway = true;
      metrics.expiryPass('unavailable');
    }
  }

  async function expire(known: Known): Promise<void> {
    const { orphaned, lookUp } = await worthALook(known);
    let left = EXPIRIES_PER_PASS;
    left -= await act(orphaned.slice(0, left), ({ alert, reason }) =>
      expireOne(alert, reason, alert.spec.receivedAt, alert.spec.leaseUntil),
    );
    for (let first = 0; first < lookUp.length && left > 0; first += LEASES_PER_WRITE) {
      const some = lookUp.slice(first, first + LEASES_PER_WRITE);
      const found = await store.find(some.map(({ alert }) => keyOf(alert)));
      const byKey = new Map(found.map((lease) => [faultKey(lease), lease]));
      const due = some.filter((work) => isDue(work, byKey.get(faultKey(keyOf(work.alert))), known));
      left -= await act(due.slice(0, left), ({ alert }) => settle(alert, byKey.get(faultKey(keyOf(alert)))));
    }
    if (left <= 0) metrics.limitReached('EXPIRIES_PER_PASS');
  }

  /** In slices: a pass over tens of thousands must not hold up an answer. */
  async function worthALook(known: Known): Promise<{ orphaned: Orphan[]; lookUp: Work[] }> {
    candidates.begin(known);
    const orphaned: Orphan[] = [];
    const lookUp: Work[] = [];
    const pause = inSlices(clock);
    for (const alert of [...alerts.list()]) {
      await pause();
      const source = sourceOf(alert);
      const asked = candidates.ask(alert, source);
      if (asked.kind === 'orphaned') orphaned.push({ alert, reason: asked.reason });
      if (asked.kind === 'lookUp') lookUp.push({ alert, source });
    }
    return { orphaned, lookUp };
  }

  /** Whether there is something to write of it; what is not is remembered. */
  function isDue({ alert, source }: Work, lease: Lease | undefined, known: Known): boolean {
    if (alert.spec.state === 'Expired') {
      if (isNewer(lease, alert)) return true;
      candidates.learned(alert, source, { kind: 'never' });
      return false;
    }
    const terms = isNewer(lease, alert) ? { ...lease, expireAfterMs: expireAfterMs(source) } : termsOf(alert, source);
    const verdict = leaseVerdict(terms, known);
    if (verdict.kind === 'ranOut') return true;
    candidates.learned(alert, source, verdict);
    return false;
  }

  async function settle(alert: Alert, lease: Lease | undefined): Promise<void> {
    const { receivedAt, leaseUntil } = alert.spec;
    const heard = isNewer(lease, alert) ? lease : { lastSeen: receivedAt, leaseUntil };
    if (alert.spec.state === 'Firing') await expireOne(alert, 'LeaseRanOut', heard.lastSeen, heard.leaseUntil);
    else if (await writes.bringBack(alert, heard)) metrics.expired('broughtBack');
  }

  async function expireOne(
    alert: Alert,
    reason: ExpiryReason,
    lastSeen: string,
    leaseUntil: string | undefined,
  ): Promise<void> {
    if (await writes.expire(alert, reason, formatMicros(clock.now()), { lastSeen, leaseUntil }))
      metrics.expired(reason);
  }

  /** Returns how many were tried. One that fails holds up no other, and comes again with the next pass. */
  async function act<T extends { alert: Alert }>(
    works: readonly T[],
    work: (one: T) => Promise<void>,
  ): Promise<number> {
    const failed: { alert: string; why: string }[] = [];
    await mapBounded(works, EXPIRIES_AT_ONCE, async (one) => {
      if (!mayAct()) return;
      try {
        await work(one);
      } catch (error) {
        failed.push({ alert: faultKey(keyOf(one.alert)), why: messageOf(error) });
      }
    });
    // One line: a thousand may fail for one reason.
    if (failed.length > 0)
      log.warn({ failed: failed.length, first: failed[0] }, 'alerts could not be expired, or brought back');
    return works.length;
  }

  /** Alerts that are gone need no lease; a page in each pass. Those that are folded are not among them. */
  async function forgetOld({ untilMs }: Known): Promise<void> {
    const before = formatMicros(Temporal.Instant.fromEpochMilliseconds(untilMs - LEASES_KEPT_MS));
    const page = await store.old(before, forgottenTo, LEASES_FORGOTTEN_PER_PASS);
    forgottenTo = page.length < LEASES_FORGOTTEN_PER_PASS ? undefined : page.at(-1);
    const gone = page.filter((key) => !isLive(alerts, key));
    if (gone.length > 0) await store.forget(gone, before);
  }

  function arm(): void {
    if (stopped) return;
    cancel = clock.after(EXPIRY_PASS_MS, () => {
      turn = pass().then(arm);
    });
  }

  return {
    pass,
    start() {
      stopped = false;
      arm();
    },
    async stop() {
      stopped = true;
      cancel();
      await turn;
    },
  };
}

const isFresh = (cache: Cache<Alert> | Cache<AlertSource>): boolean => cache.synced && cache.fresh();

const keyOf = ({ metadata, spec }: Alert): LeaseKey => ({
  namespace: metadata.namespace ?? '',
  source: spec.sourceRef.name,
  fingerprint: spec.fingerprint,
});

/** Is the report that Postgres knows of later than the one in the object? */
const isNewer = (lease: Lease | undefined, { spec }: Alert): lease is Lease =>
  lease !== undefined && compareInstants(lease.lastSeen, spec.receivedAt) > 0;

/**
 * Keeps each source within its bound on Alert objects: what finds no room is stored in Postgres before its sender is told so, and
 * becomes an Alert of its own when it is reported again and there is room. Promises that an alert is never counted as folded and live at
 * once for longer than until its next change.
 */

import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { alertName } from '@funnelai/domain/fingerprint';
import { DEFAULT_MAX_LIVE_ALERTS, maxLiveAlertsOf, REST_OF_SOURCE, roomFor } from '@funnelai/domain/folding';
import { HEARTBEAT_FINGERPRINT } from '@funnelai/domain/heartbeat';
import { msBetween } from '@funnelai/domain/instants';
import { sameAlert } from '@funnelai/domain/merge';
import { HistoryRefused } from '@funnelai/history/errors';
import { faultKey } from '@funnelai/history/fault-key';
import type { Folded, FoldedAlert, FoldKey } from '@funnelai/history/folded';
import type { Cache } from '@funnelai/kube/cache';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { FOLDED_EXPIRED_KEPT_MS, FOLDS_SETTLED } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import type { Folds } from './folds.ts';
import { isLive } from './is-live.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { LiveBook } from './live-book.ts';
import type { Overflows } from './overflows.ts';
import { type AlertStore, mergeReports, type StoreOutcome, type StoreRequest } from './store.ts';

export interface FoldingStoreDeps {
  /** Stores Alerts as objects. */
  store: AlertStore;
  alerts: Pick<Cache<Alert>, 'get' | 'synced'>;
  sources: Pick<Cache<AlertSource>, 'get'>;
  live: Omit<LiveBook, 'rulesOf' | 'overflows' | 'stop'>;
  /** Absent without a database: then a source at its bound is answered 503. */
  folds: Pick<Folds, 'put' | 'find' | 'glance' | 'leave'> | undefined;
  overflows: Pick<Overflows, 'ensure'>;
  lock: KeyedLock;
  log: Log;
  metrics: Pick<WebhookMetrics, 'folded' | 'limitReached'>;
}

export function createFoldingStore(deps: FoldingStoreDeps): AlertStore {
  const { store, alerts, sources, live, folds, overflows, lock, log, metrics } = deps;
  /** Alerts of which Postgres has been told that they are live. */
  const settled = new Set<string>();

  /** It is an object now: if it is counted as folded still, by a race or a death in between, that ends here. */
  async function settle(request: StoreRequest, outcome: StoreOutcome): Promise<void> {
    const key = faultKey(request);
    const isStored = outcome.kind === 'created' || outcome.kind === 'updated' || outcome.kind === 'unchanged';
    if (folds === undefined || !isStored || (outcome.kind === 'unchanged' && settled.has(key))) return;
    try {
      await folds.leave(keyOf(request));
      if (settled.size >= FOLDS_SETTLED) {
        metrics.limitReached('FOLDS_SETTLED');
        settled.clear();
      }
      settled.add(key);
    } catch (error) {
      log.debug({ why: messageOf(error) }, 'an alert may be counted as folded until its next change');
    }
  }

  async function create(request: StoreRequest, kind: string, signal: AbortSignal): Promise<StoreOutcome> {
    const source = `${request.namespace}/${request.source}`;
    const mayBeFolded = live.overflowsOf(source) > 0;
    const release = live.reserve(source, kind, 'alert');
    try {
      if (folds === undefined || !mayBeFolded) return await store.store(request, signal);
      const found = await folds.glance(keyOf(request));
      if (found === undefined) return await store.store(request, signal);
      const spec = present(found.spec, request.reports);
      const reports: StoreRequest['reports'] =
        spec === undefined ? request.reports : [{ spec, startNamed: true, endNamed: true }, ...request.reports];
      // A folded alert that has resolved needs no object for that.
      if (mergeReports(undefined, reports)?.state !== 'Firing') return await foldAlone(request, found.overflow);
      const outcome = await store.store({ ...request, reports }, signal);
      await settle(request, outcome);
      if (outcome.kind === 'created') metrics.folded('unfolded');
      return outcome;
    } finally {
      release();
    }
  }

  const foldAlone = (request: StoreRequest, overflow: string): Promise<StoreOutcome> =>
    lock.run(`folded/${faultKey(request)}`, () => fold(request, overflow));

  /** @param overflow name of the overflow Alert that is to count it. */
  async function fold(request: StoreRequest, overflow: string): Promise<StoreOutcome> {
    const { namespace, source, fingerprint, reports } = request;
    const name = alertName(source, fingerprint);
    if (folds === undefined) return full(request, 'no database is configured in which further ones could be kept');
    settled.delete(faultKey(request));
    let put: Folded;
    try {
      put = await folds.put({
        ...keyOf(request),
        name,
        overflow,
        merge: (stored) => mergeReports(present(stored, reports), reports) ?? reports[0].spec,
        isSame: sameAlert,
        isThere: (overflow) => alerts.get(namespace, overflow)?.spec.folded !== undefined,
      });
    } catch (error) {
      if (error instanceof HistoryRefused) return { kind: 'refused', message: messageOf(error) };
      return full(request, `Postgres, in which further ones are kept, is away: ${messageOf(error)}`);
    }
    metrics.folded(put.outcome);
    if (put.spec.state === 'Firing') {
      // Stored it is; an overflow Alert that cannot be made now is made by the next count.
      await overflows.ensure({
        namespace,
        name: put.overflow,
        sample: put.spec,
        isNews: put.before !== 'Firing',
      });
    }
    return { kind: put.outcome, name };
  }

  /** Reports that make no alert of their own: an end, or a word about it. They are about one that is folded, or about none. */
  async function ofWhatIsKnown(request: StoreRequest, signal: AbortSignal): Promise<StoreOutcome> {
    const mayBeFolded = folds !== undefined && live.overflowsOf(`${request.namespace}/${request.source}`) > 0;
    let found: FoldedAlert | undefined;
    try {
      if (mayBeFolded) found = await folds.find(keyOf(request));
    } catch (error) {
      return noFault(`whether this alert is folded cannot be known: Postgres is away: ${messageOf(error)}`);
    }
    return found === undefined ? store.store(request, signal) : foldAlone(request, found.overflow);
  }

  function full({ namespace, source }: StoreRequest, why: string): StoreOutcome {
    const bound = boundOf(namespace, source);
    return noFault(`source ${source} has reached limits.maxLiveAlerts (${bound}), and ${why}`);
  }

  function boundOf(namespace: string, source: string): number {
    const found = sources.get(namespace, source);
    return found === undefined ? DEFAULT_MAX_LIVE_ALERTS : maxLiveAlertsOf(found);
  }

  return {
    async store(request, signal) {
      const { namespace, source } = request;
      const key = `${namespace}/${source}`;
      // Nobody knows yet whether there is room; in a storm a moment without a bound is thousands.
      if (!alerts.synced) return { kind: 'unavailable', message: 'this webhook has just started and is still reading' };
      // There is one of a source; and a storm that ends in silence is what it is for.
      if (request.fingerprint === HEARTBEAT_FINGERPRINT) return store.store(request, signal);
      if (isLive(alerts, request)) {
        const outcome = await store.store(request, signal);
        if (live.overflowsOf(key) > 0) await settle(request, outcome);
        return outcome;
      }
      const spec = mergeReports(undefined, request.reports);
      if (spec === undefined) return ofWhatIsKnown(request, signal);
      const kind = live.kindOf(namespace, spec);
      const room = roomFor({
        // Without a database what has ended never leaves the cluster: it must not take the room of what fires.
        objects: folds === undefined ? live.firingOf(key) : live.objectsOf(key),
        max: boundOf(namespace, source),
        isNew: !live.fires(key, kind),
        hasOverflow: live.hasOverflow(key, kind),
      });
      if (room === 'create') return create(request, kind, signal);
      metrics.limitReached('maxLiveAlerts');
      const counts = room === 'foldWithKind' ? kind : REST_OF_SOURCE;
      const release = live.reserve(key, counts, 'overflow');
      try {
        return await foldAlone(request, alertName(source, counts));
      } finally {
        release();
      }
    },
  };
}

/** Whether a request is of an alert that fires and is folded; false also while Postgres does not answer soon. */
export function createFiresFolded({ live, folds }: Pick<FoldingStoreDeps, 'live' | 'folds'>) {
  return async (request: StoreRequest): Promise<boolean> => {
    if (folds === undefined || live.overflowsOf(`${request.namespace}/${request.source}`) === 0) return false;
    return (await folds.glance(keyOf(request)))?.spec.state === 'Firing';
  };
}

/** What is folded, as the reports find it: what expired long ago is forgotten, as an Alert of it would have left the cluster. */
function present(stored: AlertSpec | undefined, [{ spec }]: StoreRequest['reports']): AlertSpec | undefined {
  const silentMs = msBetween(stored?.expired?.at, spec.receivedAt) ?? 0;
  return stored?.state === 'Expired' && silentMs > FOLDED_EXPIRED_KEPT_MS ? undefined : stored;
}

/** Postgres is missing, and not the API server: to give that one up for it would cost all other sources their store. */
const noFault = (message: string): StoreOutcome => ({ kind: 'unavailable', message, isAnswered: true, isFull: true });

const keyOf = ({ namespace, source, fingerprint }: StoreRequest): FoldKey => ({ namespace, source, fingerprint });

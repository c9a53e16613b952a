/**
 * What would become of alerts if they came now: the stores' own rules over what is there, with ends that write nothing. Promises that no
 * part of a rate is used up, no place reserved, nothing counted and nothing stored. As right as the caches of this replica; of the API server
 * and of the inbox it supposes that they take what they are given.
 */
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { alertName } from '@funnelai/domain/fingerprint';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { Inbox } from '../inbox/inbox.ts';
import { createFiresFolded, createFoldingStore, type FoldingStoreDeps } from './folding-store.ts';
import type { Folds } from './folds.ts';
import { liveAlert, nameOf } from './is-live.ts';
import { createRatedStore, type RatedStore } from './rated-store.ts';
import { inSlices } from './slices.ts';
import type { SourceRates } from './source-rates.ts';
import { mergeReports, type StoreOutcome, type StoreRequest } from './store.ts';
import { type SupposedFolds, supposedAlerts, supposedFolds, supposedLive, supposedRates } from './supposed.ts';

/** What would become of one fault. */
export interface Foreseen {
  name: string;
  outcome: StoreOutcome;
  /** As it is now: an Alert, or folded. */
  held?: AlertSpec | undefined;
  /** As it would be then; undefined where the reports make no alert. */
  next: AlertSpec | undefined;
  /** Name of the overflow Alert that would count it. */
  overflow?: string | undefined;
}
export interface Forecast {
  /** In the order of the requests. */
  each: Foreseen[];
  /** Its sender would be told to hold the whole body. */
  isTooMany: boolean;
}
export interface Foresight {
  of(requests: readonly StoreRequest[], o: { holdsAt429: boolean }): Promise<Forecast>;
}

export interface ForesightDeps {
  alerts: Pick<Cache<Alert>, 'get' | 'synced'>;
  sources: Pick<Cache<AlertSource>, 'get'>;
  live: FoldingStoreDeps['live'];
  rates: SourceRates;
  /** Absent without a database, as the inbox is. */
  folds: Pick<Folds, 'find'> | undefined;
  inbox: Pick<Inbox, 'isWaiting'> | undefined;
  clock: Pick<Clock, 'monotonicMs'>;
  log: Log;
}

export function createForesight(deps: ForesightDeps): Foresight {
  return {
    async of(requests, { holdsAt429 }) {
      const folds = supposedFolds(deps.folds);
      const store = supposedStore(deps, folds);
      const tooMany = holdsAt429 ? await store.admit(requests) : undefined;
      const { signal } = new AbortController();
      const pause = inSlices(deps.clock);
      const each: Foreseen[] = [];
      for (const request of requests) {
        await pause();
        const outcome: StoreOutcome =
          tooMany === undefined
            ? await store.store(request, signal)
            : { kind: 'unavailable', isOverRate: true, ...tooMany };
        const { held: folded, overflow } = folds.of(request);
        const held = liveAlert(deps.alerts, request)?.spec ?? folded;
        each.push({
          name: nameOf(deps.alerts, request),
          outcome,
          held,
          next: mergeReports(held, request.reports),
          overflow,
        });
      }
      return { each, isTooMany: tooMany !== undefined };
    },
  };
}

/** The stores as they stand behind the intake, but for two that only matter while the API server is slow or away. */
function supposedStore(deps: ForesightDeps, folds: SupposedFolds): RatedStore {
  const { alerts, sources, live, rates, inbox, clock, log } = deps;
  const nobodyCounts = { folded: () => {}, limitReached: () => {}, overRate: () => {}, stored: () => {} };
  const store = createFoldingStore({
    store: supposedAlerts(alerts),
    alerts,
    sources,
    live: supposedLive(live),
    folds: folds.store,
    overflows: { ensure: async () => {} },
    lock: { run: (_key, work) => work() },
    log,
    metrics: nobodyCounts,
  });
  return createRatedStore({
    store,
    rates: supposedRates(rates, clock.monotonicMs()),
    inbox: inbox && { isWaiting: (fingerprint) => inbox.isWaiting(fingerprint), put: async () => {} },
    firesFolded: createFiresFolded({ live, folds: folds.store }),
    metrics: nobodyCounts,
  });
}

/** Where nothing is there yet and nothing has a bound. */
export const noForesight: Foresight = {
  async of(requests) {
    const each = requests.map(({ source, fingerprint, reports }): Foreseen => {
      const name = alertName(source, fingerprint);
      const next = mergeReports(undefined, reports);
      return { name, outcome: { kind: next === undefined ? 'unchanged' : 'created', name }, next };
    });
    return { each, isTooMany: false };
  },
};

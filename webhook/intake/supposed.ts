/**
 * The ends of the stores as they are for a body that is only looked at: each remembers what would have been written, so that the next alert of
 * the body finds it, and none writes, takes or reserves anything that others see.
 */
import type { Alert, AlertSpec } from '@funnelai/crds/generated/types';
import { sameAlert } from '@funnelai/domain/merge';
import { type Bucket, take } from '@funnelai/domain/rate';
import { type FaultKey, faultKey } from '@funnelai/history/fault-key';
import type { FoldedAlert, FoldKey } from '@funnelai/history/folded';
import type { Cache } from '@funnelai/kube/cache';
import { PREVIEW_LOOKUPS } from '../limits.ts';
import type { FoldingStoreDeps } from './folding-store.ts';
import type { Folds } from './folds.ts';
import { liveAlert, nameOf } from './is-live.ts';
import type { SourceRates } from './source-rates.ts';
import { type AlertStore, mergeReports } from './store.ts';

type Live = FoldingStoreDeps['live'];

/** Stores Alerts as objects, or would. */
export function supposedAlerts(alerts: Pick<Cache<Alert>, 'get'>): AlertStore {
  return {
    async store(request) {
      const name = nameOf(alerts, request);
      const held = liveAlert(alerts, request)?.spec;
      const next = mergeReports(held, request.reports);
      if (next === undefined || (held !== undefined && sameAlert(held, next))) return { kind: 'unchanged', name };
      return { kind: held === undefined ? 'created' : 'updated', name };
    },
  };
}

/** From what is left at `nowMs` on. */
export function supposedRates(rates: SourceRates, nowMs: number): SourceRates {
  const buckets = new Map<string, Bucket>();
  return {
    ...rates,
    take(pace, count = 1) {
      const { bucket, waitMs } = take(
        buckets.get(pace.source) ?? { ...rates.left(pace), atMs: nowMs },
        count,
        pace.rate,
        nowMs,
      );
      buckets.set(pace.source, bucket);
      return waitMs;
    },
  };
}

/** With what is reserved here beside what is there: nothing of it is ever released. */
export function supposedLive(live: Live): Live {
  const made = new Map<string, { alerts: number; kinds: Set<string>; overflows: Set<string> }>();
  const of = (source: string) =>
    made.get(source) ?? { alerts: 0, kinds: new Set<string>(), overflows: new Set<string>() };
  const more = (source: string) => of(source).alerts + of(source).overflows.size;
  return {
    ...live,
    objectsOf: (source) => live.objectsOf(source) + more(source),
    firingOf: (source) => live.firingOf(source) + more(source),
    fires: (source, kind) => live.fires(source, kind) || of(source).kinds.has(kind) || of(source).overflows.has(kind),
    hasOverflow: (source, kind) => live.hasOverflow(source, kind) || of(source).overflows.has(kind),
    overflowsOf: (source) => live.overflowsOf(source) + of(source).overflows.size,
    reserve(source, kind, what) {
      const one = of(source);
      made.set(source, one);
      if (what === 'alert') {
        one.alerts += 1;
        one.kinds.add(kind);
      } else if (!live.hasOverflow(source, kind)) one.overflows.add(kind);
      return () => {};
    },
  };
}

export interface SupposedFolds {
  store: FoldingStoreDeps['folds'];
  /** How it is folded now, as far as it was asked, and which overflow Alert would count it. */
  of(key: FaultKey): { held: AlertSpec | undefined; overflow: string | undefined };
}

/** Postgres is only read, and not for each alert of a long body. */
export function supposedFolds(folds: Pick<Folds, 'find'> | undefined): SupposedFolds {
  const found = new Map<string, FoldedAlert>();
  const counting = new Map<string, string>();
  let lookups = 0;
  const heldOf = (key: FaultKey) => found.get(faultKey(key))?.spec;

  async function find(key: FoldKey): Promise<FoldedAlert | undefined> {
    if (folds === undefined || lookups >= PREVIEW_LOOKUPS) return undefined;
    lookups += 1;
    const one = await folds.find(key);
    if (one !== undefined) found.set(faultKey(key), one);
    return one;
  }
  return {
    store: folds && {
      find,
      glance: (key) =>
        find(key).catch(() => {
          // It is away: nobody waits for it once more.
          lookups = PREVIEW_LOOKUPS;
          return undefined;
        }),
      leave: async () => {},
      async put(fold) {
        const held = heldOf(fold);
        const spec = fold.merge(held);
        const overflow = found.get(faultKey(fold))?.overflow ?? fold.overflow;
        counting.set(faultKey(fold), overflow);
        const isSame = held !== undefined && fold.isSame(held, spec);
        return {
          outcome: held === undefined ? 'created' : isSame ? 'unchanged' : 'updated',
          spec,
          before: held?.state,
          overflow,
        };
      },
    },
    of: (key) => ({ held: heldOf(key), overflow: counting.get(faultKey(key)) }),
  };
}

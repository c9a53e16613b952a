/**
 * Stores whose rows are not known yet: whose they are goes by the uid of the cluster, which the API server has to be asked for. Until then
 * nothing is held, and whatever is asked fails as if Postgres were away; what was heard meanwhile stays with whoever heard it.
 */
import type { DrainLock } from '@funnelai/history/drain-lock';
import { HistoryUnavailable } from '@funnelai/history/errors';
import { createFoldStore, type FoldStore } from '@funnelai/history/folded';
import { createFoldedLeaseStore, type FoldedLeaseStore } from '@funnelai/history/folded-leases';
import { createLeaseStore, type LeaseStore } from '@funnelai/history/leases';
import type { DatabasePool } from '@funnelai/history/pool';
import { createSourceTrafficStore, type SourceTrafficStore } from '@funnelai/history/source-traffic';

export interface LateStores {
  leases: { store: LeaseStore; folded: FoldedLeaseStore; lock: Pick<DrainLock, 'held'> };
  folds: FoldStore;
  traffic: SourceTrafficStore;
  /** Once. Undefined when nothing tells this cluster from others on the same database: then nobody may act upon leases. */
  open(found: { scope: string; lock: DrainLock } | undefined): void;
}

export function createLateStores(pool: DatabasePool): LateStores {
  let lock: DrainLock | undefined;
  const leases = createLate<LeaseStore>({
    put: true,
    putSigns: true,
    alive: true,
    leave: true,
    life: true,
    find: true,
    signs: true,
    forgetSigns: true,
    old: true,
    forget: true,
  });
  const folded = createLate<FoldedLeaseStore>({
    firing: true,
    labels: true,
    heardAfterExpiry: true,
    mark: true,
    leave: true,
  });
  const folds = createLate<FoldStore>({
    put: true,
    find: true,
    places: true,
    leave: true,
    abandon: true,
    counts: true,
    firing: true,
    list: true,
    byName: true,
  });
  const traffic = createLate<SourceTrafficStore>({
    add: true,
    reject: true,
    read: true,
    rejectionsOf: true,
    prune: true,
  });
  return {
    leases: { store: leases.store, folded: folded.store, lock: { held: () => lock?.held() ?? false } },
    folds: folds.store,
    traffic: traffic.store,
    open(found) {
      const scope = found?.scope ?? '';
      folds.open(createFoldStore({ pool, scope }));
      traffic.open(createSourceTrafficStore({ pool, scope }));
      if (found === undefined) return;
      lock = found.lock;
      leases.open(createLeaseStore({ pool, scope }));
      folded.open(createFoldedLeaseStore({ pool, scope }));
    },
  };
}

/** All that a store can be asked answers with a promise. */
type Asked = (...given: unknown[]) => Promise<unknown>;

function createLate<S extends object>(names: Record<keyof S, true>): { store: S; open(store: S): void } {
  let opened: S | undefined;
  const late =
    (name: keyof S): Asked =>
    async (...given) => {
      if (opened === undefined) throw new HistoryUnavailable('it is not known yet which cluster this is');
      return (opened[name] as Asked)(...given);
    };
  const store = Object.fromEntries((Object.keys(names) as (string & keyof S)[]).map((name) => [name, late(name)]));
  return {
    store: store as S,
    open(next) {
      opened = next;
    },
  };
}

/**
 * Leases whose place in Postgres is not known yet: it goes by the uid of the cluster, which the API server has to be asked for. Until then
 * nothing is held and nothing is answered, and what was heard stays with the collector.
 */
import type { DrainLock } from '@funnelai/history/drain-lock';
import { HistoryUnavailable } from '@funnelai/history/errors';
import { createFoldedLeaseStore, type FoldedLeaseStore } from '@funnelai/history/folded-leases';
import { createLeaseStore, type LeaseStore } from '@funnelai/history/leases';
import type { DatabasePool } from '@funnelai/history/pool';

export interface LateLeases {
  store: LeaseStore;
  folded: FoldedLeaseStore;
  lock: Pick<DrainLock, 'held'>;
  /** Once. */
  open(found: { scope: string; lock: DrainLock }): void;
}

export function createLateLeases(pool: DatabasePool): LateLeases {
  let opened: { store: LeaseStore; folded: FoldedLeaseStore; lock: DrainLock } | undefined;
  const found = () => {
    if (opened === undefined) throw new HistoryUnavailable('it is not known yet of which cluster the leases are');
    return opened;
  };
  const store = async (): Promise<LeaseStore> => found().store;
  const folded = async (): Promise<FoldedLeaseStore> => found().folded;
  return {
    store: {
      put: async (...given) => (await store()).put(...given),
      putSigns: async (...given) => (await store()).putSigns(...given),
      alive: async (...given) => (await store()).alive(...given),
      leave: async (...given) => (await store()).leave(...given),
      life: async (...given) => (await store()).life(...given),
      find: async (...given) => (await store()).find(...given),
      signs: async (...given) => (await store()).signs(...given),
      forgetSigns: async (...given) => (await store()).forgetSigns(...given),
      old: async (...given) => (await store()).old(...given),
      forget: async (...given) => (await store()).forget(...given),
    },
    folded: {
      firing: async (...given) => (await folded()).firing(...given),
      heardAfterExpiry: async (...given) => (await folded()).heardAfterExpiry(...given),
      mark: async (...given) => (await folded()).mark(...given),
      leave: async (...given) => (await folded()).leave(...given),
    },
    lock: { held: () => opened?.lock.held() ?? false },
    open({ scope, lock }) {
      opened = { store: createLeaseStore({ pool, scope }), folded: createFoldedLeaseStore({ pool, scope }), lock };
    },
  };
}

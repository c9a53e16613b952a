/**
 * Leases whose place in Postgres is not known yet: it goes by the uid of the cluster, which the API server has to be asked for. Until then
 * nothing is held and nothing is answered, and what was heard stays with the collector.
 */
import type { DrainLock } from '@funnelai/history/drain-lock';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { LeaseStore } from '@funnelai/history/leases';

export interface LateLeases {
  store: LeaseStore;
  lock: Pick<DrainLock, 'held'>;
  /** Once. */
  open(found: { store: LeaseStore; lock: DrainLock }): void;
}

export function createLateLeases(): LateLeases {
  let opened: { store: LeaseStore; lock: DrainLock } | undefined;
  const store = async (): Promise<LeaseStore> => {
    if (opened === undefined) throw new HistoryUnavailable('it is not known yet of which cluster the leases are');
    return opened.store;
  };
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
    lock: { held: () => opened?.lock.held() ?? false },
    open(found) {
      opened = found;
    },
  };
}

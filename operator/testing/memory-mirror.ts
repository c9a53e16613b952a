/** A history in memory for tests: remembers the version of each object that it took, may be away, may refuse a name. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { HistoryRefused, HistoryUnavailable } from '@funnelai/history/errors';
import type { Mirror } from '@funnelai/history/mirror';

export interface MemoryMirror extends Mirror {
  /** Every call fails while this is true. */
  isAway: boolean;
  /** Which server it is. */
  runs: number;
  /** Names of objects that it does not take. */
  readonly refuses: Set<string>;
  /** The newest version that it has of each object, by uid. */
  readonly versions: Map<string, string>;
  /** When each object was said to be gone, by uid. */
  readonly deleted: Map<string, string>;
}

export function memoryMirror(): MemoryMirror {
  const take = (object: Alert | Incident) => {
    const { uid = '', name, resourceVersion = '' } = object.metadata;
    if (mirror.refuses.has(name)) return { uid, written: false, refused: new HistoryRefused('title', 'says the test') };
    mirror.versions.set(uid, resourceVersion);
    return { uid, written: true };
  };
  const here = () => {
    if (mirror.isAway) throw new HistoryUnavailable('away, says the test');
  };
  const putIncidents = async (batch: readonly Incident[]) => {
    here();
    return batch.map((incident) => ({
      ...take(incident),
      mirroredSequence: incident.status?.changeSequence ?? 0,
      storedSequence: incident.status?.changeSequence ?? 0,
    }));
  };
  const mirror: MemoryMirror = {
    isAway: false,
    runs: 1,
    refuses: new Set(),
    versions: new Map(),
    deleted: new Map(),
    putIncidents,
    putIncident: async (incident) => {
      const [result] = await putIncidents([incident]);
      if (result === undefined) throw new Error('a batch of one gave no result');
      return result;
    },
    putAlerts: async (batch) => {
      here();
      return batch.map(take);
    },
    factsOf: async (_kind, uids) => {
      here();
      const known = uids.flatMap((uid) => {
        const resourceVersion = mirror.versions.get(uid);
        if (resourceVersion === undefined) return [];
        return [[uid, { resourceVersion, sequence: 0, isDeleted: mirror.deleted.has(uid) }] as const];
      });
      return new Map(known);
    },
    putEvents: async () => here(),
    livingUids: async () => [],
    markVanished: async () => 0,
    markLiving: async () => 0,
    keepMonths: async () => ({ made: [], dropped: [], deleted: 0 }),
    epoch: () => 1,
    server: () => mirror.runs,
    look: async () => here(),
    renewEpoch: async () => {},
    markDeleted: async (_kind, uid, at) => {
      here();
      if (!mirror.deleted.has(uid)) mirror.deleted.set(uid, String(at));
      return { known: mirror.versions.has(uid) };
    },
  };
  return mirror;
}

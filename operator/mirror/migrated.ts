/**
 * A mirror whose tables are there: before the first write of this process the migrations run, and until they have, every
 * write fails as if Postgres were away. So an operator starts, and works, without Postgres.
 */
import { HistorySchemaError, HistoryUnavailable } from '@funnelai/history/errors';
import type { Mirror } from '@funnelai/history/mirror';

export function migratedFirst(mirror: Mirror, migrate: () => Promise<void>): Mirror {
  let ready: Promise<void> | undefined;
  /** One attempt at a time, shared by all who wait for it. */
  const migrated = (): Promise<void> => {
    ready ??= migrate().catch((error: unknown) => {
      ready = undefined;
      // A schema that is newer than this operator is a person's to mend; nothing else stops for it.
      if (error instanceof HistorySchemaError) throw new HistoryUnavailable(error.message);
      throw error;
    });
    return ready;
  };
  return {
    putIncident: async (incident) => {
      await migrated();
      return mirror.putIncident(incident);
    },
    putIncidents: async (batch) => {
      await migrated();
      return mirror.putIncidents(batch);
    },
    putAlerts: async (batch) => {
      await migrated();
      return mirror.putAlerts(batch);
    },
    markDeleted: async (kind, uid, at) => {
      await migrated();
      return mirror.markDeleted(kind, uid, at);
    },
  };
}

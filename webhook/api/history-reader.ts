/** What pages read from Postgres, within a deadline; that it is away or off is an answer and not an error. */
import type { IncidentChange } from '@funnelai/crds/generated/types';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { AlertRecord, IncidentRecord, Queries } from '@funnelai/history/queries';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { HISTORY_DEADLINE_MS, HISTORY_REST_MS } from '../limits.ts';

export type Answer<T> = { available: true; value: T } | { available: false; reason: string; isOff: boolean };

export interface HistoryReader {
  incidentByName(namespace: string, name: string): Promise<Answer<IncidentRecord | undefined>>;
  /** Changes and alerts of one incident. */
  storyOf(uid: string): Promise<Answer<{ changes: IncidentChange[]; alerts: AlertRecord[] }>>;
}

const OFF = {
  available: false,
  reason: 'History is off: no database was given (--database-url-file).',
  isOff: true,
} as const;

/** `queries` absent: no database was named. */
export function createHistoryReader(deps: { queries: Queries | undefined; clock: Clock; log: Log }): HistoryReader {
  const { queries, clock, log } = deps;
  if (queries === undefined) return { incidentByName: async () => OFF, storyOf: async () => OFF };

  let down: { reason: string; atMs: number } | undefined;

  async function ask<T>(query: () => Promise<T>): Promise<Answer<T>> {
    if (down !== undefined && clock.monotonicMs() - down.atMs < HISTORY_REST_MS) {
      return { available: false, reason: down.reason, isOff: false };
    }
    let disarm = () => {};
    const late = new Promise<never>((_, reject) => {
      const because = new HistoryUnavailable(`no answer within ${HISTORY_DEADLINE_MS / 1000} s`);
      disarm = clock.after(HISTORY_DEADLINE_MS, () => reject(because));
    });
    try {
      const value = await Promise.race([query(), late]);
      down = undefined;
      return { available: true, value };
    } catch (error) {
      log.warn({ err: error }, 'history was asked and did not answer');
      const reason = `The history database does not answer: ${messageOf(error)}`;
      if (error instanceof HistoryUnavailable) down = { reason, atMs: clock.monotonicMs() };
      return { available: false, reason, isOff: false };
    } finally {
      disarm();
    }
  }

  return {
    incidentByName: (namespace, name) => ask(() => queries.incidentByName(namespace, name)),
    storyOf: (uid) =>
      ask(async () => {
        const [changes, alerts] = await Promise.all([queries.changesOf(uid), queries.alertsOf(uid)]);
        return { changes, alerts };
      }),
  };
}

/** What pages read from Postgres, within a deadline; that it is away or off is an answer and not an error. */
import type { Alert } from '@funnelai/crds/generated/types';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { FoldedAlert, FoldStore } from '@funnelai/history/folded';
import type { FoldedFilter } from '@funnelai/history/folded-filter';
import type { AlertRecord, IncidentRecord, Queries, Recurrence, SaidEvent } from '@funnelai/history/queries';
import type { StoredChange } from '@funnelai/history/rows';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import type { Temporal } from 'temporal-polyfill';
import { createBoundedCache } from '../auth/bounded-cache.ts';
import { FOLDED_LIST_TTL_MS, FOLDED_LISTS_REMEMBERED, HISTORY_DEADLINE_MS, HISTORY_REST_MS } from '../limits.ts';
import { HttpProblem } from '../server/problems.ts';
import { within } from '../server/within.ts';

export type Answer<T> = { available: true; value: T } | { available: false; reason: string; isOff: boolean };

export interface HistoryReader {
  incidentByName(namespace: string, name: string): Promise<Answer<IncidentRecord | undefined>>;
  alertByName(namespace: string, name: string): Promise<Answer<Omit<AlertRecord, 'episodes'> | undefined>>;
  /** How often the alert's fault came back since then. */
  recurrenceOf(alert: Alert, since: Temporal.Instant): Promise<Answer<Recurrence>>;
  /** Alerts that found no room in the cluster, and how many there are in all. Remembered for a moment: lists are read again with every change. */
  folded(filter: FoldedFilter): Promise<Answer<{ items: FoldedAlert[]; total: number }>>;
  foldedByName(namespace: string, name: string): Promise<Answer<FoldedAlert | undefined>>;
  /** Changes and alerts of one incident, and what was said of it. */
  storyOf(uid: string): Promise<Answer<{ changes: StoredChange[]; alerts: AlertRecord[]; events: SaidEvent[] }>>;
}

export const OFF = {
  available: false,
  reason: 'History is off: no database was given (--database-url-file).',
  isOff: true,
} as const;

const DEADLINE = { ms: HISTORY_DEADLINE_MS, why: `nothing came within ${HISTORY_DEADLINE_MS / 1000} s` };

/** Asks Postgres within the deadline, and not again at once after it did not answer. */
export function createAsk({
  clock,
  log,
}: {
  clock: Clock;
  log: Log;
}): <T>(query: () => Promise<T>) => Promise<Answer<T>> {
  let down: { reason: string; atMs: number } | undefined;

  return async function ask<T>(query: () => Promise<T>): Promise<Answer<T>> {
    if (down !== undefined && clock.monotonicMs() - down.atMs < HISTORY_REST_MS) {
      return { available: false, reason: down.reason, isOff: false };
    }
    try {
      const value = await within(clock, DEADLINE, query());
      down = undefined;
      return { available: true, value };
    } catch (error) {
      const reason = `The history database does not answer: ${messageOf(error).replace(/\.$/, '')}.`;
      if (error instanceof HistoryUnavailable) {
        log.warn({ why: messageOf(error) }, 'history does not answer');
        down = { reason, atMs: clock.monotonicMs() };
      } else log.error({ err: error }, 'history was asked and refused');
      return { available: false, reason, isOff: false };
    }
  };
}

/** `queries` absent: no database was named. */
export function createHistoryReader(deps: {
  queries: Queries | undefined;
  folds?: Pick<FoldStore, 'list' | 'byName'> | undefined;
  clock: Clock;
  log: Log;
}): HistoryReader {
  const { queries, folds, clock, log } = deps;
  const off = async () => OFF;
  if (queries === undefined) {
    return { incidentByName: off, alertByName: off, recurrenceOf: off, folded: off, foldedByName: off, storyOf: off };
  }
  const lists = createBoundedCache<Awaited<ReturnType<HistoryReader['folded']>>>(
    clock,
    FOLDED_LIST_TTL_MS,
    FOLDED_LISTS_REMEMBERED,
  );
  const ask = createAsk({ clock, log });

  return {
    incidentByName: (namespace, name) => ask(() => queries.incidentByName(namespace, name)),
    alertByName: (namespace, name) => ask(() => queries.alertByName(namespace, name)),
    recurrenceOf: ({ metadata, spec }, since) =>
      ask(() =>
        queries.recurrenceOf(
          { namespace: metadata.namespace ?? '', source: spec.sourceRef.name, fingerprint: spec.fingerprint },
          since.toString(),
        ),
      ),
    folded: folds ? (filter) => lists.get(JSON.stringify(filter), () => ask(() => folds.list(filter))) : off,
    foldedByName: folds ? (namespace, name) => ask(() => folds.byName(namespace, name)) : off,
    storyOf: (uid) =>
      ask(async () => {
        const [changes, alerts, events] = await Promise.all([
          queries.changesOf(uid),
          queries.alertsOf(uid),
          queries.eventsOf(uid),
        ]);
        return { changes, alerts, events };
      }),
  };
}

/** Returns what history has of an object that the cluster has not. Throws HttpProblem: it has none, or cannot say. */
export function whatHistoryHas<T>(
  kind: 'incident' | 'alert',
  key: { namespace: string; name: string },
  answer: Answer<T | undefined>,
): T {
  const named = `${kind} ${key.name} in namespace ${key.namespace}`;
  if (!answer.available) {
    const message = `The cluster has no ${named}. Whether there was one cannot be said: ${answer.reason}`;
    // Away, history may know it in a minute; off, it never will.
    throw new HttpProblem(answer.isOff ? 'NotFound' : 'Unavailable', message);
  }
  if (answer.value === undefined)
    throw new HttpProblem('NotFound', `There is no ${named}, and history has none of that name.`);
  return answer.value;
}

/**
 * Counts the alerts that leave each incident between two counts of its status, and those that come back to it, so that one that leaves
 * while another joins is told from none at all. In memory only: what leaves while nobody leads shows in the numbers that were written last.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import type { Departures } from '@funnelai/domain/incident-decide';
import { compareInstants } from '@funnelai/domain/instants';
import { joinKey } from '../caches.ts';

export interface DepartureBook {
  /** An alert was deleted, or answered anew. */
  note(alert: Alert, old: Alert | undefined, isDeleted: boolean): void;
  of(incidentKey: string): Departures;
  /** `counted` is in the status that was written; whatever left meanwhile stays for the next count. */
  written(incidentKey: string, counted: Departures): void;
  /** The incident is gone. */
  forget(incidentKey: string): void;
}

const NONE: Departures = { resolved: 0, expired: 0, others: 0, returned: 0 };

export function createDepartureBook(): DepartureBook {
  const book = new Map<string, Departures>();
  const add = (key: string, more: Departures) => {
    const before = book.get(key) ?? NONE;
    const next = {
      resolved: before.resolved + more.resolved,
      expired: before.expired + more.expired,
      others: before.others + more.others,
      returned: before.returned + more.returned,
    };
    if (Object.values(next).every((count) => count === 0)) book.delete(key);
    else book.set(key, next);
  };
  return {
    note(alert, old, isDeleted) {
      const from = (isDeleted ? alert : old)?.status?.incidentRef?.name;
      if (from === undefined || (!isDeleted && alert.status?.incidentRef?.name === from)) return;
      const left = isDeleted ? LEFT[alert.spec.state] : isNextEpisode(alert, old) ? 'resolved' : 'others';
      const namespace = alert.metadata.namespace ?? '';
      add(joinKey(namespace, from), { ...NONE, [left]: 1 });
      const to = alert.status?.incidentRef?.name;
      if (!isDeleted && to !== undefined && hasReturned(alert)) add(joinKey(namespace, to), { ...NONE, returned: 1 });
    },
    of: (key) => book.get(key) ?? NONE,
    written: (key, { resolved, expired, others, returned }) =>
      add(key, { resolved: -resolved, expired: -expired, others: -others, returned: -returned }),
    forget: (key) => book.delete(key),
  };
}

/** Whether it is back in an incident that had been merged: there it was counted when it first joined. */
const hasReturned = ({ status }: Alert): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'Correlated' && reason === 'Returned') ?? false;

const LEFT = { Firing: 'others', Resolved: 'resolved', Expired: 'expired' } as const;

/**
 * Whether it was answered anew because a later start is another episode: the one before had ended, or the two would be one. Where
 * rules changed meanwhile the new one may go elsewhere, and the incident of the earlier one would wait for its end for ever.
 */
const isNextEpisode = ({ status }: Alert, old: Alert | undefined): boolean =>
  status?.episodeStartedAt !== undefined &&
  old?.status?.episodeStartedAt !== undefined &&
  compareInstants(status.episodeStartedAt, old.status.episodeStartedAt) > 0;

/** Whether the write brought the counts of alerts up to date. */
export const wereCounted = (before: Incident, written: Incident): boolean =>
  before.status?.alerts?.asOf !== written.status?.alerts?.asOf;

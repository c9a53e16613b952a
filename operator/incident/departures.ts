/**
 * Counts the alerts that leave each incident between two counts of its status, so that one that leaves while another joins is told
 * from none at all. In memory only: what leaves while nobody leads shows in the numbers that were written last.
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

const NONE: Departures = { resolved: 0, expired: 0, others: 0 };

export function createDepartureBook(): DepartureBook {
  const book = new Map<string, Departures>();
  const add = (key: string, { resolved, expired, others }: Departures) => {
    const before = book.get(key) ?? NONE;
    const next = {
      resolved: before.resolved + resolved,
      expired: before.expired + expired,
      others: before.others + others,
    };
    if (next.resolved === 0 && next.expired === 0 && next.others === 0) book.delete(key);
    else book.set(key, next);
  };
  return {
    note(alert, old, isDeleted) {
      const from = (isDeleted ? alert : old)?.status?.incidentRef?.name;
      if (from === undefined || (!isDeleted && alert.status?.incidentRef?.name === from)) return;
      const left = isDeleted ? LEFT[alert.spec.state] : isNextEpisode(alert, old) ? 'resolved' : 'others';
      add(joinKey(alert.metadata.namespace ?? '', from), { ...NONE, [left]: 1 });
    },
    of: (key) => book.get(key) ?? NONE,
    written: (key, { resolved, expired, others }) =>
      add(key, { resolved: -resolved, expired: -expired, others: -others }),
    forget: (key) => book.delete(key),
  };
}

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

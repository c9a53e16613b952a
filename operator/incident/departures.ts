/**
 * Counts the alerts that leave each incident between two counts of its status, so that one that leaves while another joins is told from
 * none at all. In memory only: what leaves while nobody leads shows in the numbers that were written last.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import type { Departures } from '@funnelai/domain/incident-decide';
import { compareInstants } from '@funnelai/domain/instants';
import { joinKey } from '../caches.ts';

export interface DepartureBook {
  /** An alert was deleted, or answered anew. @returns the keys of the incidents whose numbers that changes. */
  note(alert: Alert, old: Alert | undefined, isDeleted: boolean): readonly string[];
  of(incidentKey: string): Departures;
  /** `counted` is in the status that was written; whatever left meanwhile stays for the next count. */
  written(incidentKey: string, counted: Departures): void;
  /** The incident is gone. */
  forget(incidentKey: string): void;
}

const NONE: Departures = { resolved: 0, expired: 0, others: 0, moved: 0, forgotten: 0 };

export function createDepartureBook(): DepartureBook {
  const book = new Map<string, Departures>();
  const add = (key: string, more: Departures) => {
    const before = book.get(key) ?? NONE;
    const next = {
      resolved: before.resolved + more.resolved,
      expired: before.expired + more.expired,
      others: before.others + more.others,
      moved: before.moved + more.moved,
      forgotten: before.forgotten + more.forgotten,
    };
    if (Object.values(next).every((count) => count === 0)) book.delete(key);
    else book.set(key, next);
  };
  return {
    note(alert, old, isDeleted) {
      const keyOf = (incident: string) => joinKey(alert.metadata.namespace ?? '', incident);
      const forgotten = forgottenBy(alert, old, isDeleted).map(keyOf);
      for (const key of forgotten) add(key, { ...NONE, forgotten: 1 });
      const from = (isDeleted ? alert : old)?.status?.incidentRef?.name;
      if (from === undefined || (!isDeleted && alert.status?.incidentRef?.name === from)) return forgotten;
      const stays = alert.status?.formerIncidents?.includes(from) === true ? 'moved' : 'others';
      const left = isDeleted ? LEFT[alert.spec.state] : isNextEpisode(alert, old) ? 'resolved' : stays;
      add(keyOf(from), { ...NONE, [left]: 1 });
      return [...forgotten, keyOf(from)];
    },
    of: (key) => book.get(key) ?? NONE,
    written: (key, { resolved, expired, others, moved, forgotten }) =>
      add(key, {
        resolved: -resolved,
        expired: -expired,
        others: -others,
        moved: -moved,
        forgotten: -forgotten,
      }),
    forget: (key) => book.delete(key),
  };
}

/** Incidents that it was in before and of which it does not say so any more; those it has come back into are not among them. */
function forgottenBy(alert: Alert, old: Alert | undefined, isDeleted: boolean): string[] {
  if (isDeleted) return alert.status?.formerIncidents ?? [];
  const { formerIncidents = [], incidentRef } = alert.status ?? {};
  const before = old?.status?.formerIncidents ?? [];
  return before.filter((name) => name !== incidentRef?.name && !formerIncidents.includes(name));
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

/** One incident with its alerts and its story, from the cluster and from history; also when it is gone from either. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { compareInstants } from '@funnelai/domain/instants';
import type { HistoryState, IncidentDetail } from '@funnelai/domain/wire';
import { isNotFound } from '@funnelai/kube/errors';
import type { Person } from '../auth/identity.ts';
import { DETAIL_ALERTS, EARLIER_EPISODES } from '../limits.ts';
import { compareAlerts } from './alert-list.ts';
import { getAs } from './as-person.ts';
import { type ApiContext, BY_INCIDENT, BY_NAMESPACE, incidentKey } from './context.ts';
import { foldedBehind } from './folded.ts';
import { type Answer, whatHistoryHas } from './history-reader.ts';
import { alertItem, incidentItem, withoutManagedFields } from './items.ts';
import { type EarlierEpisode, type MergeHere, timelineOf } from './timeline.ts';

type Key = { namespace: string; name: string };

/** Reads it as the person. Throws HttpProblem NotFound, Forbidden, or Unavailable when only history could know and does not answer. */
export async function incidentDetail(api: ApiContext, person: Person, key: Key): Promise<IncidentDetail> {
  try {
    const incident = await getAs<Incident>(api.access, person, INCIDENTS, key);
    return await describeIncident(api, person, incident);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  // The API server's "not found" is no permission yet: an answer 403 would have come first, but say so explicitly.
  await api.access.demand(person, { verb: 'get', resource: 'incidents', ...key });
  const found = whatHistoryHas('incident', key, await api.history.incidentByName(key.namespace, key.name));
  const { incident, deletedAt, updatedAt } = found;
  return { ...(await describeIncident(api, person, incident)), deletedAt: deletedAt ?? updatedAt };
}

/** Adds alerts (if the person may list them), timeline and the state of history to an incident that was read already. */
export async function describeIncident(api: ApiContext, person: Person, raw: Incident): Promise<IncidentDetail> {
  const incident = withoutManagedFields(raw);
  const { namespace = '', name, uid = '' } = incident.metadata;
  const [story, mayListAlerts, mayListIncidents] = await Promise.all([
    api.history.storyOf(uid),
    api.access.may(person, { verb: 'list', resource: 'alerts', namespace }),
    api.access.may(person, { verb: 'list', resource: 'incidents', namespace }),
  ]);
  const live = mayListAlerts && api.alerts.synced ? api.alerts.byIndex(BY_INCIDENT, incidentKey(namespace, name)) : [];
  const alerts = new Map<string, Alert>();
  const records = story.available && mayListAlerts ? story.value.alerts : [];
  for (const { alert, episodes } of records)
    alerts.set(alert.metadata.uid ?? '', asOfEpisode(alert, episodes.at(-1), name));
  for (const alert of live) alerts.set(alert.metadata.uid ?? '', alert);
  const shown = [...alerts.values()];
  const { items, folded } = await foldedBehind(api, shown);
  const listed = [...shown.map(alertItem), ...items].sort(compareAlerts).slice(0, DETAIL_ALERTS);
  const uids = new Set(listed.map((item) => item.uid));
  return {
    incident,
    item: incidentItem(incident),
    alerts: listed,
    alertsTotal: shown.length + Math.max(items.length, folded?.total ?? 0),
    ...(folded && { folded }),
    timeline: timelineOf({
      incident,
      changes: story.available ? story.value.changes : [],
      alerts: shown.filter(({ metadata }) => uids.has(metadata.uid ?? '')),
      earlier: earlierEpisodes(
        records.filter(({ alert }) => uids.has(alert.metadata.uid ?? '')),
        alerts,
      ),
      merges: mayListIncidents ? mergesInto(name, api.incidents.byIndex(BY_NAMESPACE, namespace)) : [],
      events: story.available ? story.value.events : [],
    }),
    history: historyState(incident, story),
  };
}

/** What others say of having been merged into this one, as far as they are in the cluster and still hold it. */
export function mergesInto(name: string, incidents: readonly Incident[]): MergeHere[] {
  return incidents
    .flatMap(({ metadata, status }) =>
      (status?.changes ?? [])
        .filter(({ kind, from, to }) => kind === 'Merge' && (to || from) === name)
        .map((change) => ({ incident: metadata.name, isOut: !change.to, change })),
    )
    .sort((a, b) => compareInstants(a.change.at, b.change.at));
}

/** Those that came before the one that each alert is shown in, so that a story is whole also after a fault went and came back. */
export function earlierEpisodes(
  records: readonly { alert: Alert; episodes: readonly Episode[] }[],
  shown: ReadonlyMap<string, Alert>,
): EarlierEpisode[] {
  return records.flatMap(({ alert: { metadata, spec }, episodes }) => {
    const present = shown.get(metadata.uid ?? '')?.status?.episode ?? 1;
    const before = episodes.filter(({ episode }) => episode < present).slice(-EARLIER_EPISODES);
    return before.map(({ startsAt, endsAt }) => ({ alert: metadata.name, title: spec.title, startsAt, endsAt }));
  });
}

/** What pages say of history beside an incident: that it is away, that it is behind, and why. */
export function historyState(
  { status }: Incident,
  story: Answer<{ changes: readonly { sequence: number }[] }>,
): HistoryState {
  const mirrored = status?.conditions?.find(({ type }) => type === 'HistoryMirrored');
  const trouble = mirrored?.status === 'False' ? { trouble: mirrored.message } : {};
  if (!story.available) return { available: false, reason: story.reason, ...trouble };
  const behind = (status?.changeSequence ?? 0) - (story.value.changes.at(-1)?.sequence ?? 0);
  return { available: true, ...(behind > 0 && { behind }), ...trouble };
}

type Episode = { episode: number; state: Alert['spec']['state']; startsAt: string; endsAt?: string };

/** An alert that went on to another incident, or away, as it was in this one. */
function asOfEpisode(alert: Alert, last: Episode | undefined, incident: string): Alert {
  if (last === undefined) return alert;
  const { endsAt: _end, ...spec } = alert.spec;
  const { incidentRef, conditions, explanation, ...status } = alert.status ?? {};
  const isHere = incidentRef?.name === incident;
  return {
    ...alert,
    spec: {
      ...spec,
      state: last.state,
      startsAt: last.startsAt,
      ...(last.endsAt === undefined ? {} : { endsAt: last.endsAt }),
    },
    status: {
      ...status,
      incidentRef: { name: incident },
      episode: last.episode,
      episodeStartedAt: last.startsAt,
      ...(isHere && conditions !== undefined ? { conditions } : {}),
      ...(isHere && explanation !== undefined ? { explanation } : {}),
    },
  };
}

/** One alert and the incident that it belongs to, from the cluster; from history when it is gone, for incidents link to it for ever. */
import type { Alert } from '@funnelai/crds/generated/types';
import { ALERTS } from '@funnelai/crds/meta';
import { compareInstants } from '@funnelai/domain/instants';
import type { AlertDetail, IncidentItem } from '@funnelai/domain/wire';
import { isNotFound } from '@funnelai/kube/errors';
import type { Person } from '../auth/identity.ts';
import { getAs } from './as-person.ts';
import type { ApiContext } from './context.ts';
import { asAlert } from './folded.ts';
import { whatHistoryHas } from './history-reader.ts';
import { incidentItem, withoutManagedFields } from './items.ts';

/** Over how long an alert's episodes are counted. */
const RECURRENCE_DAYS = 30;

type Key = { namespace: string; name: string };

/** Reads it as the person. Throws HttpProblem NotFound, Forbidden, or Unavailable when only history could know and does not answer. */
export async function alertDetail(api: ApiContext, person: Person, key: Key): Promise<AlertDetail> {
  try {
    const alert = await getAs<Alert>(api.access, person, ALERTS, key);
    return {
      alert: withoutManagedFields(alert),
      ...(await incidentOf(api, person, alert)),
      ...(await recurrenceOf(api, alert)),
    };
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  // History asks nobody for permission: we do.
  await api.access.demand(person, { verb: 'get', resource: 'alerts', ...key });
  const kept = await api.history.foldedByName(key.namespace, key.name);
  if (kept.available && kept.value !== undefined && kept.value.leftAt === undefined) {
    const alert = asAlert(kept.value, api.alerts.get(key.namespace, kept.value.overflow));
    const { overflow: foldedInto } = kept.value;
    return { alert, foldedInto, ...(await incidentOf(api, person, alert)), ...(await recurrenceOf(api, alert)) };
  }
  const found = whatHistoryHas('alert', key, await api.history.alertByName(key.namespace, key.name));
  const { alert, updatedAt, deletedAt = updatedAt } = found;
  return {
    alert: withoutManagedFields(alert),
    deletedAt,
    ...(await incidentOf(api, person, alert, deletedAt)),
    ...(await recurrenceOf(api, alert)),
  };
}

/** How often it came back lately, as far as history can be asked. The present episode may not be in it yet. */
async function recurrenceOf(api: ApiContext, alert: Alert): Promise<Pick<AlertDetail, 'recurrence'>> {
  const since = api.clock.now().subtract({ hours: 24 * RECURRENCE_DAYS });
  const answer = await api.history.recurrenceOf(alert, since);
  return answer.available ? { recurrence: { ...answer.value, days: RECURRENCE_DAYS } } : {};
}

/** The live incident, if the person may see it. One that was born after the alert had gone only has the name of the old one. */
async function incidentOf(
  api: ApiContext,
  person: Person,
  alert: Alert,
  goneAt?: string,
): Promise<{ incident?: IncidentItem }> {
  const name = alert.status?.incidentRef?.name;
  const { namespace = '' } = alert.metadata;
  const incident = name === undefined ? undefined : api.incidents.get(namespace, name);
  if (name === undefined || incident === undefined) return {};
  if (goneAt !== undefined && compareInstants(incident.metadata.creationTimestamp, goneAt) > 0) return {};
  const mayRead = await api.access.may(person, { verb: 'get', resource: 'incidents', namespace, name });
  return mayRead ? { incident: incidentItem(incident) } : {};
}

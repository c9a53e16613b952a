/** What a batch of the live stream does to the lists and objects in the cache. Pure: pages in, pages out, the same one when nothing changed. */
import type {
  AlertDetail,
  AlertItem,
  AlertPage,
  IncidentDetail,
  IncidentItem,
  IncidentPage,
  StreamEvent,
} from '@funnelai/domain/wire';
import type { AlertQuery, IncidentQuery } from '../api/keys.ts';

export type Changes = Extract<StreamEvent, { type: 'changes' }>;

const chosen = (wanted: readonly string[], value: string | undefined): boolean =>
  wanted.length === 0 || wanted.includes(value ?? '');
const within = (namespace: string | undefined, item: { namespace: string }): boolean =>
  namespace === undefined || namespace === item.namespace;
const contains = (q: string, ...texts: (string | undefined)[]): boolean => {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const text = texts.join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
};

/** Does an incident belong on the tab? `postmortem` is the phase; `mine` is open and owned by the reader. */
export function onTab(tab: string, item: IncidentItem, user: string): boolean {
  if (tab === 'closed') return item.phase === 'Closed';
  if (tab === 'postmortem') return item.phase === 'Postmortem';
  if (tab === 'unacknowledged') return item.phase === 'Detection';
  if (tab === 'mine') return item.phase !== 'Closed' && item.owner === user;
  if (tab === 'open') return item.phase !== 'Closed';
  return true;
}

/** Would the server have listed this incident for that query? A guess that the next read corrects. */
export function listsIncident(query: IncidentQuery, item: IncidentItem, user: string): boolean {
  return (
    within(query.namespace, item) &&
    onTab(query.tab, item, user) &&
    chosen(query.severity, item.severity) &&
    chosen(query.priority, item.priority) &&
    chosen(query.phase, item.phase) &&
    chosen(query.owner, item.owner) &&
    chosen(query.rule, item.rule) &&
    contains(query.q, item.name, item.title, item.owner, item.rule, item.namespace)
  );
}

/** Would the server have listed this alert for that query? */
export function listsAlert(query: AlertQuery, item: AlertItem): boolean {
  return (
    within(query.namespace, item) &&
    chosen(query.state, item.state) &&
    chosen(query.severity, item.severity) &&
    chosen(query.source, item.source) &&
    chosen(query.alertname, item.labels.alertname) &&
    (query.incident === undefined || query.incident === item.incident) &&
    contains(
      query.q,
      item.name,
      item.title,
      item.source,
      item.incident,
      item.namespace,
      ...Object.entries(item.labels).map(([name, value]) => `${name}=${value}`),
    )
  );
}

/** Is `next` the same object in a later or equal state? Numbers of one etcd compare; anything else counts as later. */
const isOlder = (next: { resourceVersion?: string }, held: { resourceVersion?: string }): boolean => {
  const a = Number(next.resourceVersion);
  const b = Number(held.resourceVersion);
  return Number.isFinite(a) && Number.isFinite(b) && a < b;
};

function mergeItems<T extends { uid: string; resourceVersion?: string }>(
  held: readonly T[],
  changed: readonly T[],
  deleted: ReadonlySet<string>,
  lists: (item: T) => boolean,
): T[] | undefined {
  const latest = new Map(changed.map((item) => [item.uid, item]));
  let touched = false;
  const items: T[] = [];
  for (const item of held) {
    const next = latest.get(item.uid);
    latest.delete(item.uid);
    if (deleted.has(item.uid)) touched = true;
    else if (next === undefined || isOlder(next, item)) items.push(item);
    else {
      touched = true;
      if (lists(next)) items.push(next);
    }
  }
  for (const item of latest.values()) {
    if (deleted.has(item.uid) || !lists(item)) continue;
    touched = true;
    items.unshift(item);
  }
  return touched ? items : undefined;
}

const uids = (changes: Changes, kind: 'Incident' | 'Alert'): Set<string> =>
  new Set(changes.deleted.filter((d) => d.kind === kind).map((d) => d.uid));

/** The page after the batch: rows replaced, gone or (in front) new. Counts are the server's and stay until it is read again. */
export function applyToIncidents(
  page: IncidentPage,
  query: IncidentQuery,
  changes: Changes,
  user: string,
): IncidentPage {
  const items = mergeItems(page.items, changes.incidents, uids(changes, 'Incident'), (item) =>
    listsIncident(query, item, user),
  );
  return items === undefined ? page : { ...page, items };
}

/** As `applyToIncidents`, for alerts. */
export function applyToAlerts(page: AlertPage, query: AlertQuery, changes: Changes): AlertPage {
  const items = mergeItems(page.items, changes.alerts, uids(changes, 'Alert'), (item) => listsAlert(query, item));
  return items === undefined ? page : { ...page, items };
}

/** The incident's page: its header changes at once; timeline and object follow when it is read again. */
export function applyToIncident(detail: IncidentDetail, changes: Changes): IncidentDetail {
  const item = changes.incidents.find(
    (candidate) => candidate.uid === detail.item.uid && !isOlder(candidate, detail.item),
  );
  const { namespace, name } = detail.item;
  const belongs = (alert: AlertItem): boolean => alert.namespace === namespace && alert.incident === name;
  const alerts = mergeItems(detail.alerts, changes.alerts, uids(changes, 'Alert'), belongs);
  if (item === undefined && alerts === undefined) return detail;
  if (alerts === undefined) return { ...detail, item: item ?? detail.item };
  const alertsTotal = detail.alertsTotal + alerts.length - detail.alerts.length;
  return { ...detail, item: item ?? detail.item, alerts, alertsTotal };
}

/** Does the batch concern this incident, so that it must be read again? */
export function concernsIncident(detail: IncidentDetail, changes: Changes): boolean {
  const { uid, namespace, name } = detail.item;
  return (
    changes.incidents.some((item) => item.uid === uid) ||
    changes.deleted.some((gone) => gone.uid === uid) ||
    changes.alerts.some((alert) => alert.namespace === namespace && alert.incident === name)
  );
}

/** Does the batch concern this alert or the incident it belongs to? */
export function concernsAlert(detail: AlertDetail, changes: Changes): boolean {
  const uid = detail.alert.metadata.uid;
  const incident = detail.incident?.uid;
  return (
    changes.alerts.some((item) => item.uid === uid) ||
    changes.incidents.some((item) => item.uid === incident) ||
    changes.deleted.some((gone) => gone.uid === uid || gone.uid === incident)
  );
}

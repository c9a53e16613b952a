/** The lists of the fake API: tabs, facets, order and counts over what it holds, as wire.ts has them. */
import type { AlertItem, AlertPage, IncidentItem, IncidentPage } from '@funnelai/domain/wire';
import { listsAlert, listsIncident, onTab } from '../live/apply.ts';

const RANK = { Critical: 0, High: 1, Medium: 2, Low: 3, Info: 4 } as const;
const count = <T>(items: readonly T[], value: (item: T) => string | undefined): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const key = value(item) ?? '';
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};
const byUrgency = (a: IncidentItem, b: IncidentItem): number =>
  Number(a.phase !== 'Detection') - Number(b.phase !== 'Detection') ||
  RANK[a.severity] - RANK[b.severity] ||
  b.createdAt.localeCompare(a.createdAt);

export function incidentPage(
  items: readonly IncidentItem[],
  query: URLSearchParams,
  user: string,
  version: string,
): IncidentPage {
  const list = (key: string) => query.getAll(key);
  const namespace = query.get('namespace') ?? undefined;
  const scope = {
    ...(namespace === undefined ? {} : { namespace }),
    tab: query.get('tab') ?? 'open',
    q: query.get('q') ?? '',
    sort: '',
    limit: 0,
  };
  const none = { severity: [], priority: [], phase: [], owner: [], rule: [] };
  const whole = items.filter((item) => namespace === undefined || item.namespace === namespace);
  const before = whole.filter((item) => listsIncident({ ...scope, ...none }, item, user));
  const found = before.filter((item) =>
    listsIncident(
      {
        ...scope,
        severity: list('severity'),
        priority: list('priority'),
        phase: list('phase'),
        owner: list('owner'),
        rule: list('rule'),
      },
      item,
      user,
    ),
  );
  const tab = (name: string): number => whole.filter((item) => onTab(name, item, user)).length;
  const sort = query.get('sort') ?? '';
  const field = sort.replace(/^-/, '') as keyof IncidentItem;
  const sorted = found.sort(
    sort === ''
      ? byUrgency
      : (a, b) => (sort.startsWith('-') ? -1 : 1) * String(a[field] ?? '').localeCompare(String(b[field] ?? '')),
  );
  return {
    items: sorted.slice(0, Number(query.get('limit') ?? 200)),
    total: found.length,
    tabs: {
      open: tab('open'),
      mine: tab('mine'),
      unacknowledged: tab('unacknowledged'),
      postmortem: tab('postmortem'),
      closed: tab('closed'),
      all: whole.length,
    },
    facets: {
      severity: count(before, (i) => i.severity),
      priority: count(before, (i) => i.priority),
      phase: count(before, (i) => i.phase),
      owner: count(before, (i) => i.owner),
      rule: count(before, (i) => i.rule),
    },
    resourceVersion: version,
    asOf: new Date().toISOString(),
  };
}

export function alertPage(items: readonly AlertItem[], query: URLSearchParams, version: string): AlertPage {
  const list = (key: string) => query.getAll(key);
  const namespace = query.get('namespace') ?? undefined;
  const incident = query.get('incident') ?? undefined;
  const base = {
    ...(namespace ? { namespace } : {}),
    ...(incident ? { incident } : {}),
    q: query.get('q') ?? '',
    sort: '',
    limit: 0,
  };
  const none = { state: [], severity: [], source: [], alertname: [] };
  const before = items.filter((item) => listsAlert({ ...base, ...none }, item));
  const found = before.filter((item) =>
    listsAlert(
      {
        ...base,
        state: list('state'),
        severity: list('severity'),
        source: list('source'),
        alertname: list('alertname'),
      },
      item,
    ),
  );
  const sort = query.get('sort') ?? '';
  const wanted = sort.replace(/^-/, '');
  const field = (wanted === 'since' ? 'startsAt' : wanted) as keyof AlertItem;
  if (sort !== '')
    found.sort(
      (a, b) => (sort.startsWith('-') ? -1 : 1) * String(a[field] ?? '').localeCompare(String(b[field] ?? '')),
    );
  return {
    items: found.slice(0, Number(query.get('limit') ?? 200)),
    total: found.length,
    facets: {
      state: count(before, (i) => i.state),
      severity: count(before, (i) => i.severity),
      source: count(before, (i) => i.source),
      alertname: count(before, (i) => i.labels.alertname),
    },
    resourceVersion: version,
    asOf: new Date().toISOString(),
  };
}

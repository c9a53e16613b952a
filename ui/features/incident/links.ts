/** Which links an incident's page shows, and in which order. Pure. */
import type { AlertItem, IncidentDetail } from '@funnelai/domain/wire';

type LinkItem = AlertItem['links'][number];

/** The incident's links and those of its alerts, each address once, the runbooks first. */
export function linksOf(detail: Pick<IncidentDetail, 'incident' | 'alerts'>): LinkItem[] {
  const own = (detail.incident.spec.links ?? []).map(
    (link): LinkItem => ({ title: link.title, url: link.url, kind: link.kind ?? 'Other' }),
  );
  const seen = new Set<string>();
  const once = [...own, ...detail.alerts.flatMap((alert) => alert.links)].filter(
    (link) => !seen.has(link.url) && seen.add(link.url),
  );
  return [...once.filter((link) => link.kind === 'Runbook'), ...once.filter((link) => link.kind !== 'Runbook')];
}

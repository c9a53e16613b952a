/** Which links an incident's page shows, and in which order. Pure. */
import type { AlertItem, IncidentDetail } from '@funnelai/domain/wire';

type LinkItem = AlertItem['links'][number];

/** Runbooks first, for that is what one opens at a bad hour; what merely leads back to the sender comes last. */
const rank = ({ kind }: LinkItem): number => (kind === 'Runbook' ? 0 : kind === 'Source' ? 2 : 1);

/** An alert's link says which alert it is of, where its own title would be the same for each. */
const ofAlert = (alert: AlertItem, link: LinkItem): LinkItem =>
  link.title === link.kind ? { ...link, title: `${link.kind}: ${alert.labels.alertname ?? alert.title}` } : link;

/** The incident's links and those of its alerts: each address once, of the links back to the sender one by name. */
export function linksOf(detail: Pick<IncidentDetail, 'incident' | 'alerts'>): LinkItem[] {
  const own = (detail.incident.spec.links ?? []).map(
    (link): LinkItem => ({ title: link.title, url: link.url, kind: link.kind ?? 'Other' }),
  );
  const theirs = detail.alerts.flatMap((alert) => alert.links.map((link) => ofAlert(alert, link)));
  const seen = new Set<string>();
  const isNew = (link: LinkItem): boolean => {
    const identity = link.kind === 'Source' ? link.title : link.url;
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  };
  return [...own, ...theirs].filter(isNew).sort((a, b) => rank(a) - rank(b));
}

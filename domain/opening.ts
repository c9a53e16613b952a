/** The incident that an alert opens: the whole object, so that the create itself says which rule, group and opening it is of. */
import type { AlertSpec, Incident, IncidentSpec } from '@funnelai/crds/generated/types';
import { API_VERSION, DEMO_LABEL, HISTORY_FINALIZER } from '@funnelai/crds/meta';
import type { Temporal } from 'temporal-polyfill';
import { incidentName } from './incident-name.ts';
import { oneLine, renderTitle, TITLE_MAX_CHARS } from './incident-title.ts';
import { type Labels, labelValue } from './labels.ts';
import type { CompiledRule } from './rules.ts';
import { defaultPriority } from './severity.ts';

export interface Opening {
  namespace: string;
  alert: AlertSpec;
  rule: CompiledRule;
  group: Labels;
  groupKey: string;
  /** From `decideIncident`. */
  opening: number;
  /** The alert is one of the played outage: what it opens is marked as it is. */
  isDemo: boolean;
  now: Temporal.Instant;
}

export const INCIDENT_LINKS_MAX = 16;

/** Links of an alert that are about the fault and not about that one alert. */
const INHERITED_LINKS: readonly string[] = ['Runbook', 'Dashboard'];

/**
 * Returns the incident to create. The same opening always has the same name; the finalizer stands in it because the admission
 * policy that adds it may be absent. The admission log, and with it who and when, comes from the API server.
 */
export function newIncident({ namespace, alert, rule, group, groupKey, opening, isDemo }: Opening): Incident {
  const shown = {
    title: alert.title,
    severity: alert.severity,
    labels: alert.labels ?? {},
    annotations: alert.annotations ?? {},
  };
  const rendered = rule.title && renderTitle(rule.title, { group, alert: shown, alerts: [shown] });
  const severity = rule.incident.severity?.fixed ?? alert.severity;
  const links = linksOf(rule, alert);
  const spec: IncidentSpec = {
    title: rendered ?? (oneLine(alert.title, TITLE_MAX_CHARS) || 'Alert without a title'),
    severity,
    priority: rule.incident.priority ?? defaultPriority(severity),
    phase: 'Detection',
    ...(links.length > 0 ? { links } : {}),
    origin: { ...(rule.name === undefined ? {} : { ruleRef: { name: rule.name } }), groupKey, opening },
  };
  const name = incidentName({ namespace, rule: rule.name, groupKey, opening }, subjectOf(rule, group));
  const metadata = {
    name,
    namespace,
    ...(isDemo && { labels: { [DEMO_LABEL]: 'true' } }),
    finalizers: [HISTORY_FINALIZER],
  };
  return { apiVersion: API_VERSION, kind: 'Incident', metadata, spec };
}

/**
 * What the name speaks of: only what is the same for every alert of the group, else two alerts racing for one opening would
 * find two names. So a label of the group, a service first, then the alert's name; else the rule.
 */
function subjectOf(rule: CompiledRule, group: Labels): string {
  const labels = ['service', 'app', 'app_kubernetes_io_name', 'job_name', 'alertname'];
  const found = labels.map((name) => labelValue(group, name)).find((value) => value !== '');
  return found ?? rule.name ?? 'incident';
}

function linksOf(rule: CompiledRule, alert: AlertSpec): NonNullable<IncidentSpec['links']> {
  const all = [
    ...(rule.incident.links ?? []),
    ...(alert.links ?? []).filter(({ kind }) => INHERITED_LINKS.includes(kind)),
  ];
  const byUrl = new Map(all.toReversed().map((link) => [link.url, link]));
  return all.filter((link) => byUrl.get(link.url) === link).slice(0, INCIDENT_LINKS_MAX);
}

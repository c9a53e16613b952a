/** The names of what is cached, in one place, so that the live stream and the pages mean the same entries. */

/** What a list of incidents was asked for; `namespace` undefined is all of them. */
export interface IncidentQuery {
  namespace?: string;
  tab: string;
  severity: readonly string[];
  priority: readonly string[];
  phase: readonly string[];
  owner: readonly string[];
  rule: readonly string[];
  q: string;
  sort: string;
  limit: number;
}
/** What a list of alerts was asked for. */
export interface AlertQuery {
  namespace?: string;
  state: readonly string[];
  severity: readonly string[];
  source: readonly string[];
  alertname: readonly string[];
  incident?: string;
  q: string;
  sort: string;
  limit: number;
}

/** What a list of sources was asked for. */
export interface SourceQuery {
  namespace?: string;
  format: readonly string[];
  ready: readonly string[];
  traffic: readonly string[];
  q: string;
  sort: string;
  limit: number;
}

/** What a list of rules was asked for. */
export interface RuleQuery {
  namespace?: string;
  state: readonly string[];
  action: readonly string[];
  q: string;
  sort: string;
  limit: number;
}

/** The kinds of which single objects are read, as the API's paths call them. */
export type Kind = 'incidents' | 'alerts' | 'sources' | 'rules';

export const keys = {
  me: ['me'] as const,
  namespaces: ['namespaces'] as const,
  access: (namespace: string | undefined) => ['access', namespace ?? ''] as const,
  incidentLists: ['incidents'] as const,
  incidents: (query: IncidentQuery) => ['incidents', query] as const,
  incident: (namespace: string, name: string) => ['incident', namespace, name] as const,
  alertLists: ['alerts'] as const,
  alerts: (query: AlertQuery) => ['alerts', query] as const,
  alert: (namespace: string, name: string) => ['alert', namespace, name] as const,
  sources: (query: SourceQuery) => ['sources', query] as const,
  source: (namespace: string, name: string) => ['source', namespace, name] as const,
  rules: (query: RuleQuery) => ['rules', query] as const,
  rule: (namespace: string, name: string) => ['rule', namespace, name] as const,
  yaml: (kind: Kind, namespace: string, name: string) => ['yaml', kind, namespace, name] as const,
};

// Generated from crds/*.yaml by crds/generate/main.ts. Do not edit: run `npm run generate`.
import type { Condition, KubeObject } from '../meta.ts';

export type Severity = 'Critical' | 'High' | 'Medium' | 'Low' | 'Info';
export type Priority = 'P1' | 'P2' | 'P3' | 'P4' | 'P5';
export type Phase = 'Detection' | 'Response' | 'Mitigation' | 'Resolution' | 'Postmortem' | 'Closed';
export type LinkKind = 'Runbook' | 'Dashboard' | 'Ticket' | 'Chat' | 'Graph' | 'Trace' | 'Change' | 'Silence' | 'Source' | 'Other';

export interface AlertSource extends KubeObject {
  kind: 'AlertSource';
  spec: AlertSourceSpec;
  status?: AlertSourceStatus;
}
export interface AlertSourceSpec {
  format: 'Alertmanager';
  auth: { bearer: { secretRef: { name: string; key: string } } };
  labels?: Record<string, string>;
  severity?: { label?: string; map?: Record<string, Severity>; default?: Severity };
  dedup?: { labels?: string[]; ignore?: string[] };
}
export interface AlertSourceStatus {
  observedGeneration: number;
  path?: string;
  conditions?: Condition[];
}

export interface Alert extends KubeObject {
  kind: 'Alert';
  spec: AlertSpec;
  status?: AlertStatus;
}
export interface AlertSpec {
  sourceRef: { name: string };
  fingerprint: string;
  dedupKey?: string;
  state: 'Firing' | 'Resolved';
  severity: Severity;
  originalSeverity?: string;
  title: string;
  description?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  links?: { title: string; url: string; kind: LinkKind }[];
  startsAt: string;
  latestStartsAt?: string;
  endsAt?: string;
  receivedAt: string;
}
export interface AlertStatus {
  incidentRef?: { name: string };
  ruleRef?: { name: string };
  episode?: number;
  episodeStartedAt?: string;
  explanation?: string;
  conditions?: Condition[];
}

export interface CorrelationRule extends KubeObject {
  kind: 'CorrelationRule';
  spec: CorrelationRuleSpec;
  status?: CorrelationRuleStatus;
}
export interface CorrelationRuleSpec {
  description?: string;
  suspend?: boolean;
  order?: number;
  match?: string[];
  groupBy?: { label: string; missing?: 'Separate' | 'Empty' | 'NoMatch' }[];
  action?: 'Open' | 'Record';
  reopenWithin?: string;
  resolve?: { when?: 'Unacknowledged' | 'AllAlertsResolved' | 'Manual'; after?: string; closeAfter?: string };
  incident?: {
    title?: string;
    severity?: { fromAlerts?: boolean; fixed?: Severity };
    priority?: Priority;
    links?: { title: string; url: string; kind?: LinkKind }[];
  };
}
export interface CorrelationRuleStatus {
  observedGeneration: number;
  conditions?: Condition[];
}

export interface Incident extends KubeObject {
  kind: 'Incident';
  spec: IncidentSpec;
  status?: IncidentStatus;
}
export interface IncidentSpec {
  title: string;
  summary?: string;
  severity: Severity;
  priority?: Priority;
  phase: Phase;
  phaseReason?: string;
  owner?: { name: string };
  links?: { title: string; url: string; kind?: LinkKind }[];
  resolution?: { reason?: 'Fixed' | 'SelfResolved' | 'FalseAlarm' | 'Expected' | 'Duplicate'; cause?: string };
  mergedInto?: { name: string };
  reportedBy?: string;
  origin?: { ruleRef?: { name: string }; groupKey: string; opening: number };
}
export interface IncidentChange {
  sequence: number;
  kind: 'Phase' | 'Owner' | 'Severity' | 'Priority' | 'Merge';
  from?: string;
  to?: string;
  at: string;
  recordedAt: string;
  by: string;
  reason?: string;
  verified?: boolean;
}
export interface IncidentStatus {
  observedGeneration: number;
  phase?: Phase;
  phaseSince?: string;
  detectedAt?: string;
  acknowledgedAt?: string;
  mitigatedAt?: string;
  resolvedAt?: string;
  closedAt?: string;
  round?: number;
  changeSequence?: number;
  logSequence?: number;
  observed?: { severity?: Severity; priority?: Priority; owner?: string; mergedInto?: string };
  pinned?: string[];
  changes?: IncidentChange[];
  alerts?: { firing: number; resolved: number; total: number; asOf: string };
  conditions?: Condition[];
}

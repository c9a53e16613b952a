// Generated from crds/*.yaml by crds/generate/main.ts. Do not edit: run `npm run generate`.
import { z } from 'zod';
import { API_VERSION, type Condition, type ObjectMeta } from '../meta.ts';
import type {
  Alert,
  AlertSource,
  AlertSourceSpec,
  AlertSourceStatus,
  AlertSpec,
  AlertStatus,
  CorrelationRule,
  CorrelationRuleSpec,
  CorrelationRuleStatus,
  Incident,
  IncidentChange,
  IncidentSpec,
  IncidentStatus,
} from './types.ts';

// The API server counts characters, JavaScript's length counts UTF-16 units: an emoji is one of the former, two of the latter.
const characters = (value: string): number => {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
};
const bounded = (min: number, max: number) =>
  z
    .string()
    .refine((value) => value.length >= min, { error: `expected at least ${min} characters`, abort: true })
    .refine((value) => value.length <= max || characters(value) <= max, { error: `expected at most ${max} characters`, abort: true });

export const severitySchema = z.enum(["Critical", "High", "Medium", "Low", "Info"]);
export const prioritySchema = z.enum(["P1", "P2", "P3", "P4", "P5"]);
export const phaseSchema = z.enum(["Detection", "Response", "Mitigation", "Resolution", "Postmortem", "Closed"]);
export const linkKindSchema = z.enum(["Runbook", "Dashboard", "Ticket", "Chat", "Graph", "Trace", "Change", "Silence", "Source", "Other"]);

export const conditionSchema: z.ZodType<Condition> = z.looseObject({
  type: bounded(1, 64),
  status: z.enum(["True", "False", "Unknown"]),
  reason: bounded(1, 256),
  message: bounded(0, 4096),
  lastTransitionTime: z.iso.datetime({ offset: true }),
  observedGeneration: z.exactOptional(z.int()),
});

/** What the API server checks in metadata is its own affair: here only that there is a name. */
export const objectMetaSchema: z.ZodType<ObjectMeta> = z.looseObject({ name: z.string().min(1) });

export const alertSourceSpecSchema: z.ZodType<AlertSourceSpec> = z.looseObject({
  format: z.enum(["Alertmanager", "Grafana", "PagerDutyEvents", "Datadog", "Sentry", "AwsSns", "GoogleMonitoring", "AzureMonitor", "Flux", "CloudEvents", "OpenTelemetryLogs", "JsonLines", "Generic"]),
  auth: z.exactOptional(z.looseObject({
    bearer: z.exactOptional(z.looseObject({
      secretRef: z.looseObject({
        name: bounded(1, 253).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
        key: bounded(1, 253).regex(new RegExp("^[-._a-zA-Z0-9]+$", 'u')),
      }),
    })),
    basic: z.exactOptional(z.looseObject({
      secretRef: z.looseObject({
        name: bounded(1, 253).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
        key: z.exactOptional(bounded(1, 253).regex(new RegExp("^[-._a-zA-Z0-9]+$", 'u'))),
      }),
    })),
    hmac: z.exactOptional(z.looseObject({
      secretRef: z.looseObject({
        name: bounded(1, 253).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
        key: bounded(1, 253).regex(new RegExp("^[-._a-zA-Z0-9]+$", 'u')),
      }),
      header: bounded(1, 128).regex(new RegExp("^[A-Za-z0-9-]+$", 'u')),
      algorithm: z.exactOptional(z.enum(["sha256", "sha1", "sha512"])),
      prefix: z.exactOptional(bounded(0, 32)),
      encoding: z.exactOptional(z.enum(["Hex", "Base64"])),
      timestampHeader: z.exactOptional(bounded(1, 128).regex(new RegExp("^[A-Za-z0-9-]+$", 'u'))),
      separator: z.exactOptional(bounded(0, 8)),
      tolerance: z.exactOptional(bounded(0, 32).regex(new RegExp("^([0-9]+([.][0-9]+)?(ms|s|m|h))+$", 'u'), { error: "expected a Go-style duration like 90s, 10m or 1h30m" })),
    })),
    none: z.exactOptional(z.looseObject({
    })),
  })),
  acceptFrom: z.exactOptional(z.looseObject({
    namespace: bounded(1, 63).regex(new RegExp("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 'u')),
    name: bounded(1, 40).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
  })),
  routes: z.exactOptional(z.array(z.looseObject({
    match: z.array(bounded(1, 1024)).min(1).max(16),
    namespace: bounded(1, 63).regex(new RegExp("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 'u')),
  })).max(64)),
  sns: z.exactOptional(z.looseObject({
    topicArns: z.array(bounded(1, 512).regex(new RegExp("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]+:[A-Za-z0-9_.-]+$", 'u'))).min(1).max(32),
  })),
  labels: z.exactOptional(z.record(bounded(1, 256), bounded(0, 1024)).refine((map) => Object.keys(map).length <= 32, { error: 'expected at most 32 entries' })),
  severity: z.exactOptional(z.looseObject({
    label: z.exactOptional(bounded(1, 256)),
    map: z.exactOptional(z.record(bounded(1, 256), severitySchema).refine((map) => Object.keys(map).length <= 64, { error: 'expected at most 64 entries' })),
    default: z.exactOptional(severitySchema),
  })),
  dedup: z.exactOptional(z.looseObject({
    labels: z.exactOptional(z.array(bounded(1, 256)).min(1).max(32)),
    ignore: z.exactOptional(z.array(bounded(1, 256)).max(32)),
  })),
  mapping: z.exactOptional(z.looseObject({
    items: z.exactOptional(bounded(1, 2048)),
    when: z.exactOptional(bounded(1, 2048)),
    key: z.exactOptional(bounded(1, 2048)),
    title: z.exactOptional(bounded(1, 2048)),
    description: z.exactOptional(bounded(1, 2048)),
    state: z.exactOptional(bounded(1, 2048)),
    severity: z.exactOptional(bounded(1, 2048)),
    labels: z.exactOptional(z.record(bounded(1, 256), bounded(1, 2048)).refine((map) => Object.keys(map).length <= 32, { error: 'expected at most 32 entries' })),
    labelsFrom: z.exactOptional(bounded(1, 2048)),
    annotations: z.exactOptional(z.record(bounded(1, 256), bounded(1, 2048)).refine((map) => Object.keys(map).length <= 32, { error: 'expected at most 32 entries' })),
    annotationsFrom: z.exactOptional(bounded(1, 2048)),
    startsAt: z.exactOptional(bounded(1, 2048)),
    endsAt: z.exactOptional(bounded(1, 2048)),
    links: z.exactOptional(z.array(z.looseObject({
      title: bounded(1, 256),
      url: bounded(1, 2048),
      kind: z.exactOptional(linkKindSchema),
    })).max(8)),
  })),
  trustAcknowledge: z.exactOptional(z.boolean()),
  expireAfter: z.exactOptional(bounded(0, 32).regex(new RegExp("^([0-9]+([.][0-9]+)?(ms|s|m|h))+$", 'u'), { error: "expected a Go-style duration like 30m, 6h or 1h30m" })),
  heartbeat: z.exactOptional(z.looseObject({
    every: bounded(0, 32).regex(new RegExp("^([0-9]+([.][0-9]+)?(ms|s|m|h))+$", 'u'), { error: "expected a Go-style duration like 90s, 10m or 1h30m" }),
    match: z.exactOptional(z.array(bounded(1, 1024)).min(1).max(16)),
  })),
  limits: z.exactOptional(z.looseObject({
    ratePerSecond: z.exactOptional(z.int().min(1).max(10000)),
    burst: z.exactOptional(z.int().min(1).max(100000)),
    maxLiveAlerts: z.exactOptional(z.int().min(20).max(50000)),
  })),
});

export const alertSourceStatusSchema: z.ZodType<AlertSourceStatus> = z.looseObject({
  observedGeneration: z.int(),
  path: z.exactOptional(bounded(0, 512)),
  lastReceivedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  lastOverRateAt: z.exactOptional(z.iso.datetime({ offset: true })),
  conditions: z.exactOptional(z.array(conditionSchema).max(16)),
});

export const alertSourceSchema: z.ZodType<AlertSource> = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('AlertSource'),
  metadata: objectMetaSchema,
  spec: alertSourceSpecSchema,
  status: z.exactOptional(alertSourceStatusSchema),
});

export const alertSpecSchema: z.ZodType<AlertSpec> = z.looseObject({
  sourceRef: z.looseObject({
    name: bounded(1, 40).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
  }),
  fingerprint: bounded(0, 64).regex(new RegExp("^[0-9a-f]{64}$", 'u')),
  dedupKey: z.exactOptional(bounded(0, 512)),
  state: z.enum(["Firing", "Resolved", "Expired"]),
  severity: severitySchema,
  originalSeverity: z.exactOptional(bounded(0, 256)),
  title: bounded(1, 256),
  description: z.exactOptional(bounded(0, 4096)),
  labels: z.exactOptional(z.record(bounded(1, 256), bounded(0, 8192)).refine((map) => Object.keys(map).length <= 256, { error: 'expected at most 256 entries' })),
  annotations: z.exactOptional(z.record(bounded(1, 256), bounded(0, 8192)).refine((map) => Object.keys(map).length <= 256, { error: 'expected at most 256 entries' })),
  links: z.exactOptional(z.array(z.looseObject({
    title: bounded(1, 256),
    url: bounded(0, 2048).regex(new RegExp("^https?://[^\\s]+$", 'u'), { error: "expected an address that starts with http:// or https:// and has no spaces" }),
    kind: linkKindSchema,
  })).max(16)),
  notes: z.exactOptional(z.array(bounded(1, 256)).max(16)),
  folded: z.exactOptional(z.looseObject({
    count: z.int().min(0),
    firing: z.int().min(0),
    expired: z.exactOptional(z.int().min(0)),
    asOf: z.iso.datetime({ offset: true }),
  })),
  startsAt: z.iso.datetime({ offset: true }),
  latestStartsAt: z.exactOptional(z.iso.datetime({ offset: true })),
  firingStartsAt: z.exactOptional(z.iso.datetime({ offset: true })),
  endsAt: z.exactOptional(z.iso.datetime({ offset: true })),
  acknowledgedUpstream: z.exactOptional(z.looseObject({
    at: z.iso.datetime({ offset: true }),
    by: z.exactOptional(bounded(1, 256)),
    trusted: z.exactOptional(z.looseObject({
      at: z.iso.datetime({ offset: true }),
      by: z.exactOptional(bounded(1, 256)),
    })),
  })),
  receivedAt: z.iso.datetime({ offset: true }),
  leaseUntil: z.exactOptional(z.iso.datetime({ offset: true })),
  dedupHash: z.exactOptional(bounded(0, 8).regex(new RegExp("^[0-9a-f]{8}$", 'u'))),
  expired: z.exactOptional(z.looseObject({
    at: z.iso.datetime({ offset: true }),
    reason: z.enum(["LeaseRanOut", "DedupChanged", "SourceDeleted"]),
  })),
});

export const alertStatusSchema: z.ZodType<AlertStatus> = z.looseObject({
  incidentRef: z.exactOptional(z.looseObject({
    name: bounded(1, 63),
  })),
  formerIncidents: z.exactOptional(z.array(bounded(1, 63)).max(8)),
  ruleRef: z.exactOptional(z.looseObject({
    name: bounded(1, 63),
  })),
  episode: z.exactOptional(z.int().min(1)),
  episodeStartedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  explanation: z.exactOptional(bounded(0, 2048)),
  conditions: z.exactOptional(z.array(conditionSchema).max(16)),
});

export const alertSchema: z.ZodType<Alert> = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Alert'),
  metadata: objectMetaSchema,
  spec: alertSpecSchema,
  status: z.exactOptional(alertStatusSchema),
});

export const correlationRuleSpecSchema: z.ZodType<CorrelationRuleSpec> = z.looseObject({
  description: z.exactOptional(bounded(0, 1024)),
  suspend: z.exactOptional(z.boolean()),
  order: z.exactOptional(z.int().min(0).max(100000)),
  match: z.exactOptional(z.array(bounded(1, 1024)).max(32)),
  groupBy: z.exactOptional(z.array(z.looseObject({
    label: bounded(1, 256),
    missing: z.exactOptional(z.enum(["Separate", "Empty", "NoMatch"])),
  })).max(8)),
  action: z.exactOptional(z.enum(["Open", "Record"])),
  reopenWithin: z.exactOptional(bounded(0, 32).regex(new RegExp("^([0-9]+([.][0-9]+)?(ms|s|m|h))+$", 'u'), { error: "expected a Go-style duration like 90s, 10m or 1h30m" })),
  resolve: z.exactOptional(z.looseObject({
    when: z.exactOptional(z.enum(["Unacknowledged", "AllAlertsResolved", "Manual"])),
    after: z.exactOptional(bounded(0, 32).regex(new RegExp("^([0-9]+([.][0-9]+)?(ms|s|m|h))+$", 'u'), { error: "expected a Go-style duration like 90s, 10m or 1h30m" })),
    closeAfter: z.exactOptional(bounded(0, 32).regex(new RegExp("^([0-9]+([.][0-9]+)?(ms|s|m|h))+$", 'u'), { error: "expected a Go-style duration like 90s, 10m or 1h30m" })),
  })),
  incident: z.exactOptional(z.looseObject({
    title: z.exactOptional(bounded(1, 1024)),
    severity: z.exactOptional(z.looseObject({
      fromAlerts: z.exactOptional(z.boolean()),
      fixed: z.exactOptional(severitySchema),
    })),
    priority: z.exactOptional(prioritySchema),
    links: z.exactOptional(z.array(z.looseObject({
      title: bounded(1, 256),
      url: bounded(0, 2048).regex(new RegExp("^https?://[^\\s]+$", 'u'), { error: "expected an address that starts with http:// or https:// and has no spaces" }),
      kind: z.exactOptional(linkKindSchema),
    })).max(16)),
  })),
});

export const correlationRuleStatusSchema: z.ZodType<CorrelationRuleStatus> = z.looseObject({
  observedGeneration: z.int(),
  conditions: z.exactOptional(z.array(conditionSchema).max(16)),
});

export const correlationRuleSchema: z.ZodType<CorrelationRule> = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('CorrelationRule'),
  metadata: objectMetaSchema,
  spec: correlationRuleSpecSchema,
  status: z.exactOptional(correlationRuleStatusSchema),
});

export const incidentSpecSchema: z.ZodType<IncidentSpec> = z.looseObject({
  title: bounded(1, 256),
  summary: z.exactOptional(bounded(0, 8192)),
  severity: severitySchema,
  priority: z.exactOptional(prioritySchema),
  phase: phaseSchema,
  phaseReason: z.exactOptional(bounded(0, 256)),
  owner: z.exactOptional(z.looseObject({
    name: bounded(1, 256).regex(new RegExp("^[^\\s\\x00-\\x1f\\x7f]([^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f])?$", 'u'), { error: "expected a user name without control characters and without white space at its ends" }),
  })),
  links: z.exactOptional(z.array(z.looseObject({
    title: bounded(1, 256),
    url: bounded(0, 2048).regex(new RegExp("^https?://[^\\s]+$", 'u'), { error: "expected an address that starts with http:// or https:// and has no spaces" }),
    kind: z.exactOptional(linkKindSchema),
  })).max(16)),
  resolution: z.exactOptional(z.looseObject({
    reason: z.exactOptional(z.enum(["Fixed", "SelfResolved", "FalseAlarm", "Expected", "Duplicate"])),
    cause: z.exactOptional(bounded(0, 1024)),
  })),
  mergedInto: z.exactOptional(z.looseObject({
    name: bounded(1, 63).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
  })),
  reportedBy: z.exactOptional(bounded(0, 256)),
  origin: z.exactOptional(z.looseObject({
    ruleRef: z.exactOptional(z.looseObject({
      name: bounded(1, 63).regex(new RegExp("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 'u')),
    })),
    groupKey: bounded(1, 512),
    opening: z.int().min(1),
  })),
  restoredFrom: z.exactOptional(z.looseObject({
    uid: bounded(1, 128),
    changeSequence: z.int().min(0),
  })),
});

export const incidentChangeSchema: z.ZodType<IncidentChange> = z.looseObject({
  sequence: z.int().min(1),
  kind: z.enum(["Phase", "Owner", "Severity", "Priority", "Merge"]),
  from: z.exactOptional(bounded(0, 256)),
  to: z.exactOptional(bounded(0, 256)),
  at: z.iso.datetime({ offset: true }),
  recordedAt: z.iso.datetime({ offset: true }),
  by: bounded(0, 512),
  reason: z.exactOptional(bounded(0, 256)),
  verified: z.exactOptional(z.boolean()),
});

export const incidentStatusSchema: z.ZodType<IncidentStatus> = z.looseObject({
  observedGeneration: z.int(),
  phase: z.exactOptional(phaseSchema),
  phaseSince: z.exactOptional(z.iso.datetime({ offset: true })),
  detectedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  acknowledgedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  mitigatedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  resolvedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  closedAt: z.exactOptional(z.iso.datetime({ offset: true })),
  round: z.exactOptional(z.int().min(1)),
  changeSequence: z.exactOptional(z.int().min(0)),
  logSequence: z.exactOptional(z.int().min(0)),
  observed: z.exactOptional(z.looseObject({
    severity: z.exactOptional(severitySchema),
    priority: z.exactOptional(prioritySchema),
    owner: z.exactOptional(bounded(0, 256)),
    mergedInto: z.exactOptional(bounded(0, 63)),
  })),
  pinned: z.exactOptional(z.array(bounded(1, 63)).max(16)),
  changes: z.exactOptional(z.array(incidentChangeSchema).max(128)),
  alerts: z.exactOptional(z.looseObject({
    firing: z.int().min(0),
    resolved: z.int().min(0),
    expired: z.exactOptional(z.int().min(0)),
    total: z.int().min(0),
    elsewhere: z.exactOptional(z.int().min(0)),
    gone: z.exactOptional(z.int().min(0)),
    expiredGone: z.exactOptional(z.int().min(0)),
    folded: z.exactOptional(z.int().min(0)),
    asOf: z.iso.datetime({ offset: true }),
  })),
  conditions: z.exactOptional(z.array(conditionSchema).max(16)),
});

export const incidentSchema: z.ZodType<Incident> = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Incident'),
  metadata: objectMetaSchema,
  spec: incidentSpecSchema,
  status: z.exactOptional(incidentStatusSchema),
});

// Generated from crds/*.yaml by crds/generate/main.ts. Do not edit: run `npm run generate`.
import type { Condition, KubeObject } from '../meta.ts';

export type Severity = 'Critical' | 'High' | 'Medium' | 'Low' | 'Info';
export type Priority = 'P1' | 'P2' | 'P3' | 'P4' | 'P5';
export type Phase = 'Detection' | 'Response' | 'Mitigation' | 'Resolution' | 'Postmortem' | 'Closed';
export type LinkKind = 'Runbook' | 'Dashboard' | 'Ticket' | 'Chat' | 'Graph' | 'Trace' | 'Change' | 'Silence' | 'Source' | 'Other';

/** An AlertSource is an entrance for alerts: the format that it understands, the token that senders show, and how their labels become severity and identity. Senders post to the address in status.path. Its name begins the names of its alerts. It belongs in Git; only status is written by the operator. */
export interface AlertSource extends KubeObject {
  kind: 'AlertSource';
  spec: AlertSourceSpec;
  status?: AlertSourceStatus;
}

/** What the entrance takes and from whom; written by people or Git. */
export interface AlertSourceSpec {
  /** What the senders speak. Alertmanager: its webhook body (version 4) at status.path, and its own API v2, which Prometheus speaks, under that path at /api/v2/alerts. Grafana: the webhook contact point, unified and legacy alerting. PagerDutyEvents: PagerDuty's Events API v2, at the path itself, and under it at /v2/enqueue and /v2/change/enqueue. Datadog: its webhook with the payload of docs/senders/datadog.md. Sentry: the webhook of an internal integration. AwsSns: what Amazon SNS delivers over HTTPS, CloudWatch's alarms among it. GoogleMonitoring: the webhook channel of Google Cloud Monitoring. AzureMonitor: the common alert schema of Azure Monitor's action groups. Flux: the notification-controller's providers generic and generic-hmac. CloudEvents: events 1.0, structured, in batches or in headers. OpenTelemetryLogs: OTLP over HTTP, JSON or protobuf, at status.path or under it at /v1/logs; records of WARN and worse unless mapping.when says otherwise. JsonLines: one JSON object a line, or a list, as Fluent Bit and Vector send them. Generic: any JSON, read by mapping. */
  format: 'Alertmanager' | 'Grafana' | 'PagerDutyEvents' | 'Datadog' | 'Sentry' | 'AwsSns' | 'GoogleMonitoring' | 'AzureMonitor' | 'Flux' | 'CloudEvents' | 'OpenTelemetryLogs' | 'JsonLines' | 'Generic';
  /** How a sender proves that it may send: exactly one of bearer, basic, hmac and none. A Secret may hold two credentials, one a line, so that they can be changed without a gap. Absent where acceptFrom is set. */
  auth?: {
    /** A bearer token: the sender shows it in the header "Authorization: Bearer …". */
    bearer?: {
      /** Which key of which Secret of this namespace holds it. */
      secretRef: {
        /** Name of the Secret. Example: prom-token. */
        name: string;
        /** Key in the Secret's data; each line is a token, white space around it is ignored. Example: token. */
        key: string;
      };
    };
    /** A user name and a password, as of HTTP Basic authentication. */
    basic?: {
      /** Which key of which Secret of this namespace holds it. */
      secretRef: {
        /** Name of the Secret. Example: prom-token. */
        name: string;
        /** Key in the Secret's data whose lines are user:password. Absent, the Secret has the keys username and password, as those of type kubernetes.io/basic-auth; each line of the latter is a password. Example: users. */
        key?: string;
      };
    };
    /** A signature of the body under a key that only the sender and the Secret hold. The sender puts it into a header. Examples of headers: Sentry's sentry-hook-signature, Flux's X-Signature, X-Hub-Signature-256. */
    hmac?: {
      /** Which key of which Secret of this namespace holds it. */
      secretRef: {
        /** Name of the Secret. Example: prom-token. */
        name: string;
        /** Key in the Secret's data; each line is a key, white space around it is ignored. Example: key. */
        key: string;
      };
      /** Header that holds the signature, or several with commas between. Example: X-Signature. */
      header: string;
      /** Hash function of the HMAC. Default: sha256. */
      algorithm?: 'sha256' | 'sha1' | 'sha512';
      /** What stands before each signature in the header. Example: sha256=. */
      prefix?: string;
      /** How the signature is written. Default: Hex. */
      encoding?: 'Hex' | 'Base64';
      /** Header with the time of sending (Unix seconds, milliseconds, or RFC 3339), which is signed, too: the signature is over that text, the separator, and the body. Example: X-Grafana-Alerting-Timestamp. */
      timestampHeader?: string;
      /** What stands between the time and the body in what is signed. Default: a colon. Example: '.'. */
      separator?: string;
      /** How far that time may be from ours, before or after; at most 1h. Default: 5m. Example: 90s. */
      tolerance?: string;
    };
    /** Nothing is asked: whoever reaches the path can make alerts. The source's condition Unauthenticated and a note on each of its alerts say so. */
    none?: {
    };
  };
  /** Instead of auth: alerts that the named source routes to this namespace are taken, as alerts of this source, with its labels, severity and dedup. Nobody can post to this source itself. */
  acceptFrom?: {
    /** Namespace of the source that routes. Example: monitoring. */
    namespace: string;
    /** Name of the source that routes. Example: prom. */
    name: string;
  };
  /** One sender for many teams: an alert goes by the first route that matches it, into that namespace, if a source there says acceptFrom this one. Else it stays here, and the condition Routed says so. An episode stays where it began, whatever becomes of the routes meanwhile. At most 64. */
  routes?: {
    /** Matchers in Alertmanager's syntax over the sender's labels and those of this source, at most 16; all must hold. Example: ['namespace=~"pay-.*"']. */
    match: string[];
    /** Where such alerts go. Example: team-pay. */
    namespace: string;
  }[];
  /** What is taken from Amazon SNS; for format AwsSns only, which needs it. */
  sns?: {
    /** The topics whose messages are taken, and whose subscriptions are confirmed; anyone may make a topic, and SNS signs for all of them alike. At most 32. Example: ['arn:aws:sns:eu-west-1:123456789012:alarms']. */
    topicArns: string[];
  };
  /** Labels that every alert of this source is given, after its fingerprint was taken; where the sender names the same label, the sender's value stays. At most 32; a name has 1 to 256 characters. Example: {cluster: eu-1}. */
  labels?: Record<string, string>;
  /** How the sender's word becomes a severity. First map, then the built-in words (case-insensitive: critical, crit, page, p1, alert, emergency, emerg, fatal are Critical; error, err, high, p2 High; warning, warn, medium, p3 Medium; low, ticket, p4 Low; info, information, informational, notice, none, debug, p5 Info), then default. */
  severity?: {
    /** Name of the label that holds the sender's word. Default: severity. Example: priority. */
    label?: string;
    /** The sender's words, compared case-insensitively, and what they mean; at most 64. Example: {sev0: Critical}. */
    map?: Record<string, Severity>;
    /** The severity of an alert whose word is missing or unknown. Default: Medium. */
    default?: Severity;
  };
  /** Which labels tell one fault from another, where the sender names no key of its own; a Grafana source that has it goes by labels in place of Grafana's fingerprint. */
  dedup?: {
    /** Only these labels count, whatever ignore says of them; absent, all do but those of ignore. At most 32, and not only such as ignore names. Example: [alertname, namespace, pod]. */
    labels?: string[];
    /** These labels do not count where all others do, because labels is absent or an alert has none of its labels: those in which two senders of the same fault differ. At most 32. Default: [prometheus_replica, replica]. */
    ignore?: string[];
  };
  /** How a body becomes alerts, in CEL over the variables body, headers (names in lower case, without credentials), item (one element of items, or the record of the format) and index. What Generic reads comes from here alone; in the other formats each field takes the place of what the format reads by itself. An expression has at most 2048 characters, and what it may cost is bounded. A mapping that does not compile makes the source Ready=False and Stalled=True, and senders are told 503; one that fails on an item spoils no other item. */
  mapping?: {
    /** CEL giving the list of alerts in the body; default: the body itself where it is a list, else the body as the one item. Only for Generic. Example: body.alerts. */
    items?: string;
    /** CEL giving a boolean; what is not true makes no alert. Takes the place of the bound on severity of OpenTelemetryLogs and JsonLines. Example: item.type == 'alert'. */
    when?: string;
    /** CEL giving the key that tells one fault from another, the same for firing and resolved; absent or empty, the labels do. Example: item.host + '/' + item.check. */
    key?: string;
    /** CEL giving the title. Example: item.summary. */
    title?: string;
    /** CEL giving the description. Example: has(item.details) ? item.details : ''. */
    description?: string;
    /** CEL giving firing or resolved; anything else is refused, nothing is guessed. Default for Generic: firing. Example: item.ok ? 'resolved' : 'firing'. */
    state?: string;
    /** CEL giving the sender's word for how bad it is; read as the source's severity says. Example: item.level. */
    severity?: string;
    /** Labels, each by an expression of its own; they take the place of all labels that the format reads by itself, but for alertname where it is not named here. They tell one fault from another unless key does: what changes from report to report does not belong here. At most 32. Example: {alertname: item.check, host: item.host}. */
    labels?: Record<string, string>;
    /** CEL giving a map of labels; entries of labels win. Example: item.tags. */
    labelsFrom?: string;
    /** Annotations, each by an expression of its own: all that people want to read and that may change. At most 32. Example: {value: item.value}. */
    annotations?: Record<string, string>;
    /** CEL giving a map of annotations; entries of annotations win. Example: item.details. */
    annotationsFrom?: string;
    /** CEL giving when it began: a timestamp, an RFC 3339 text, or seconds, milliseconds, microseconds or nanoseconds since 1970; null and '' mean not said. Example: item.since. */
    startsAt?: string;
    /** CEL giving when it ended, of a resolved alert; as startsAt. Example: item.until. */
    endsAt?: string;
    /** Where to look for more; at most 8. Example: [{title: Check, url: item.url}]. */
    links?: {
      /** What it says, as it stands here. Example: Dashboard. */
      title: string;
      /** CEL giving the address; null and '' mean none. Example: item.url. */
      url: string;
      /** What it leads to. Default: Other. */
      kind?: LinkKind;
    }[];
  };
  /** Whether an acknowledgement in the system that sends counts here. true: once every alert of an incident in Detection that fires has been acknowledged there in its present episode, through sources that say so, the operator moves the incident to Response, as whoever acknowledged it here would have; it has no owner then. false: it is noted on the Alert and changes nothing. What counts is what the source said when the acknowledgement came. Default: false. */
  trustAcknowledge?: boolean;
  /** How long an alert of this source may go unheard before it is Expired, for senders that repeat what fires; set it to several of their repeats. Go-style duration, 0s or 1m to 8760h; 0s never. What Prometheus sends carries a lease of its own (endsAt); the longer of the two holds. Default: 0s. Example: 6h. */
  expireAfter?: string;
  /** Opens an alert SourceSilent (severity High) of this source when nothing came for so long, and resolves it when something comes again. */
  heartbeat?: {
    /** How long the source may be silent. Go-style duration, 1m to 8760h. Example: 5m. */
    every: string;
    /** Only alerts that all of these matchers hold for are signs of life; absent, any request of a sender that may come in is one. Alertmanager's matcher syntax, at most 16. Example: ['alertname="Watchdog"']. */
    match?: string[];
  };
  /** What this source may ask of the cluster at once. Nothing is dropped for it. */
  limits?: {
    /** Alerts of this source a second, 1 to 10000, that each webhook takes straight into the cluster. Alerts are counted, not requests, and only those that write something: a repeat of what is an Alert costs nothing, nor does the end of an Alert that fires. What is over waits in Postgres, safe, and becomes Alerts at the same rate, new alert names first; senders that are known to hold what is answered 429 (AzureMonitor, AwsSns) are told so instead. Without Postgres what is over is answered 503. Absent: no bound. Example: 50. */
    ratePerSecond?: number;
    /** Alerts that may come at once after a quiet time, at least ratePerSecond, at most 100000. Default: what ten seconds of ratePerSecond let through. Example: 500. */
    burst?: number;
    /** Alert objects of this source in the cluster at most, 20 to 50000. Past it further new alerts are kept in Postgres and counted by one overflow Alert for each name and group (spec.folded); a tenth of it is kept for names and groups of which nothing fires yet. Default: 5000. */
    maxLiveAlerts?: number;
  };
}

/** What is. Written by the operator; lastReceivedAt, lastOverRateAt and the condition Receiving by the webhook. */
export interface AlertSourceStatus {
  /** metadata.generation that the operator has acted on; -1 until it has seen the object. */
  observedGeneration: number;
  /** Path at the webhook's address that senders post to. Example: /alerts/demo/prom. */
  path?: string;
  /** When the newest body came of which something was taken, RFC 3339. Written at most once a minute, so it may be that much behind. */
  lastReceivedAt?: string;
  /** When alerts came last that were over limits.ratePerSecond, RFC 3339. Written at most once a minute, so it may be that much behind. */
  lastOverRateAt?: string;
  /** Ready says whether the entrance can take alerts (its Secret and key are there, its mapping compiles). Unauthenticated is there and true while anyone may send. Routed says whether every route leads to a source that accepts. Stalled says that only an edit can mend it. Receiving says whether what comes is taken: False, with the reason, when what comes is refused and nothing was taken for five minutes, and when nothing has come for an hour (reason Quiet). At most 16. */
  conditions?: Condition[];
}

/** An Alert is one fault as its sender names it: one object per fingerprint, however often it is sent. The webhook writes spec, only when state, severity or start change; the operator writes status: which incident it belongs to, by which rule, and why. Always say `kubectl get fal` or alerts.funnelai.dev: Flux has a kind of the same name. */
export interface Alert extends KubeObject {
  kind: 'Alert';
  spec: AlertSpec;
  status?: AlertStatus;
}

/** What the sender said, merged over all its reports; written by the webhook. A person may write state Resolved when the sender cannot, or when it has expired. */
export interface AlertSpec {
  /** The AlertSource that it came by; immutable. */
  sourceRef: {
    /** Name of an AlertSource of this namespace. Example: prom. */
    name: string;
  };
  /** What tells one fault from another: sha256, in hex, of the sender's labels before enrichment, sorted, less the source's dedup.ignore; immutable. Example: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08. */
  fingerprint: string;
  /** The sender's own key as it came, at most 512 bytes. Absent where the labels are the key. */
  dedupKey?: string;
  /** Whether the fault is there. Resolved only when the sender, or a person, said so. Expired: its sender fell silent for longer than it had announced, and nobody said that it resolved; the next report that it fires brings it back. */
  state: 'Firing' | 'Resolved' | 'Expired';
  /** How bad it is, worst first, mapped by the source from the sender's own word. */
  severity: Severity;
  /** The sender's own word for the severity, at most 256 characters. Example: page. */
  originalSeverity?: string;
  /** What is wrong, in one line, 1 to 256 characters. Example: "Pod pay/api-7d9f is crash looping". */
  title: string;
  /** What is wrong, at length, as the sender wrote it; at most 4096 characters. */
  description?: string;
  /** The sender's labels and those that the source adds, at most 256; a name has 1 to 256 characters. Together with annotations at most 8 KiB, cut with a mark by the webhook. */
  labels?: Record<string, string>;
  /** The sender's annotations, at most 256; a name has 1 to 256 characters. Together with labels at most 8 KiB, cut with a mark by the webhook. */
  annotations?: Record<string, string>;
  /** Where to look, at most 16 links, taken by the webhook from runbook, dashboard, panel, silence and generator URLs. */
  links?: {
    /** What is behind it, 1 to 256 characters. Example: Runbook. */
    title: string;
    /** Address, http or https only, at most 2048 characters. Example: https://runbooks.example/crashloop. */
    url: string;
    /** What sort of page it is. Example: Runbook. */
    kind: LinkKind;
  }[];
  /** What the webhook had to cut, leave out or guess when it read the last report that changed something, for people; at most 16 notes of at most 256 characters. */
  notes?: string[];
  /** Only on an overflow Alert: the source had reached its limits.maxLiveAlerts, and this one stands for further alerts of one name and group, each of which is in Postgres. Written at most once in 10 s. */
  folded?: {
    /** Alerts that it stands for since startsAt, firing, expired or resolved. Those that became Alerts of their own do not count. */
    count: number;
    /** Of them, those that fire. With 0 this Alert is Expired while some of them are, else Resolved, and leaves. */
    firing: number;
    /** Of them, those that expired, as nobody said that they resolved; absent when none did. */
    expired?: number;
    /** When they were counted, RFC 3339. Example: 2026-03-01T14:02:13.000421Z. */
    asOf: string;
  };
  /** When the present episode began, by the sender's clock, RFC 3339. Example: 2026-03-01T14:02:11.123Z. */
  startsAt: string;
  /** The newest start that the sender named for the present episode, RFC 3339; only when it is later than startsAt (a sender that was restarted names a later one). */
  latestStartsAt?: string;
  /** The newest start under which it was said to fire, RFC 3339; while it fires only where that is not its newest start. Absent from a Resolved Alert of which nobody ever said that it fires. */
  firingStartsAt?: string;
  /** When the fault went away, by the sender's clock, RFC 3339; only while Resolved, never before startsAt. */
  endsAt?: string;
  /** Someone has taken the present episode in the system that sent it (PagerDuty Events: event_action acknowledge): at and by are the first word of that. For people to see; only what is trusted moves an incident. */
  acknowledgedUpstream?: {
    /** When the webhook was told, RFC 3339. Example: 2026-03-01T14:05:00.000000Z. */
    at: string;
    /** Who told it, where the sender says. Example: Sample Monitoring Service. */
    by?: string;
    /** The newest such word that came while the source said trustAcknowledge. Once every alert of an incident in Detection that fires has one, the operator moves the incident to Response. It stays when the source is changed or deleted. */
    trusted?: {
      /** When the webhook was told, RFC 3339. Example: 2026-03-01T14:05:00.000000Z. */
      at: string;
      /** Who told it, where the sender says. Example: Sample Monitoring Service. */
      by?: string;
    };
  };
  /** When the webhook took the last report that changed something, RFC 3339, to the microsecond; while Expired, the last report at all. Example: 2026-03-01T14:02:13.000421Z. */
  receivedAt: string;
  /** Until when the sender vouches for it without another word (an endsAt of Alertmanager's API v2 that lies ahead), as of the report of receivedAt; later reports move the lease in Postgres, not here. RFC 3339. */
  leaseUntil?: string;
  /** Under which identity rules the fingerprint was taken: 8 hex digits over the source's dedup. When they change, what was made under other ones expires. Absent where the sender's own key is the identity. Example: 4f3c2b1a. */
  dedupHash?: string;
  /** Since when and why it is Expired. Nobody knows when the fault ended, so there is no endsAt. */
  expired?: {
    /** When it was taken for expired, RFC 3339. Example: 2026-03-01T14:12:13.000421Z. */
    at: string;
    /** LeaseRanOut: nothing was heard of it for longer than its sender, or the source's expireAfter, allows. DedupChanged: the source tells faults apart in another way now, so no report is about this one any more. SourceDeleted: its AlertSource is gone for a quarter of an hour, so nobody can report it. */
    reason: 'LeaseRanOut' | 'DedupChanged' | 'SourceDeleted';
  };
}

/** Where it went. Written by the operator alone. */
export interface AlertStatus {
  /** The incident that it belongs to; absent while none does, and for alerts that are only recorded. */
  incidentRef?: {
    /** Name of an Incident of this namespace. Example: checkout-amber-falcon. */
    name: string;
  };
  /** Incidents that it was in before and left without having resolved there, as by a merge; newest last, at most 8. Each of them counts it once, however often it comes back; absent while there is none. */
  formerIncidents?: string[];
  /** The CorrelationRule that took it; absent for the built-in rule. */
  ruleRef?: {
    /** Name of a CorrelationRule of this namespace. Example: pods. */
    name: string;
  };
  /** How often it came; 1 for the first time. */
  episode?: number;
  /** spec.startsAt of the episode that was correlated last, RFC 3339. */
  episodeStartedAt?: string;
  /** Which rule took it and why, for people, at most 2048 characters. Example: rule "pods" on namespace=pay; joined checkout-amber-falcon. */
  explanation?: string;
  /** Correlated says whether the operator has decided about the present episode. At most 16. */
  conditions?: Condition[];
}

/** A CorrelationRule says which alerts become one incident, and what that incident is like. Rules are tried by order, then by name; the first that matches has the alert. Alerts that no rule takes go to the built-in last rule: one incident for each alertname, namespace and cluster, from severity Medium up. At most one incident per rule and group takes alerts. It belongs in Git; only status is written by the operator. */
export interface CorrelationRule extends KubeObject {
  kind: 'CorrelationRule';
  spec: CorrelationRuleSpec;
  status?: CorrelationRuleStatus;
}

/** What the rule takes and what it makes of it; written by people or Git. An empty spec takes every alert into one incident. */
export interface CorrelationRuleSpec {
  /** What the rule is for, for people, at most 1024 characters. Example: "Pods that do not come up, by namespace". */
  description?: string;
  /** Switches the rule off without deleting it; its open incidents stay and take no more alerts. Default: false. */
  suspend?: boolean;
  /** Rules are tried from the lowest order to the highest, 0 to 100000; equal ones by name. Default: 100. */
  order?: number;
  /** Matchers over the alert's labels in Alertmanager's syntax (=, !=, =~, !~; RE2, anchored; quoted names), at most 32, all must hold; absent or empty, every alert matches. A label that is missing is "". Example: ['alertname=~"Kube(Pod|Deployment).+"', 'severity!="none"']. */
  match?: string[];
  /** Alerts with equal values of these labels belong into one incident, at most 8; absent or empty, all that match belong together. Order matters for the group's key only. */
  groupBy?: {
    /** Name of the label, 1 to 256 characters. Example: namespace. */
    label: string;
    /** What to do with an alert that lacks the label. Separate: it is a group of its own, never "all that lack it". Empty: the value is "". NoMatch: the rule does not take it. Default: Separate. */
    missing?: 'Separate' | 'Empty' | 'NoMatch';
  }[];
  /** Open: alerts open an incident or join it. Record: they are kept and shown, and open nothing. Default: Open. */
  action?: 'Open' | 'Record';
  /** How long after its resolution the same group comes back into the same incident, in Detection; later it opens a new one. Go-style duration, 0s to 8760h; 0s never reopens. Default: 30m. Example: 2h. */
  reopenWithin?: string;
  /** When the operator resolves and closes an incident by itself. */
  resolve?: {
    /** Unacknowledged: when all its alerts resolved and no person has it; once a person has, AlertsCleared is set instead. AllAlertsResolved: whenever all have. Manual: never. Default: Unacknowledged. */
    when?: 'Unacknowledged' | 'AllAlertsResolved' | 'Manual';
    /** How long all alerts must have been resolved before. Go-style duration, 0s to 8760h. Default: 5m. Example: 90s. */
    after?: string;
    /** How long after its resolution it is closed. Go-style duration, 0s to 8760h. Default: 24h. Example: 72h. */
    closeAfter?: string;
  };
  /** What an incident that this rule opens is like. */
  incident?: {
    /** Liquid template of the title, 1 to 1024 characters, rendered once at opening over alert (the first one) and group (the labels of groupBy); absent, the first alert's title. Example: "{{ group.namespace }}: pods crash looping". */
    title?: string;
    /** Where the severity comes from, exactly one of the two. Default: {fromAlerts: true}. */
    severity?: {
      /** The worst of its alerts; only ever raised, and only while no person has set it. */
      fromAlerts?: boolean;
      /** Always this one. Example: High. */
      fixed?: Severity;
    };
    /** What to do first; absent, it follows the severity at birth (Critical is P1 … Info is P5). Example: P2. */
    priority?: Priority;
    /** Links that the incident is given, at most 16. */
    links?: {
      /** What is behind it, 1 to 256 characters. Example: "Runbook: pods". */
      title: string;
      /** Address, http or https only, at most 2048 characters. Example: https://runbooks.example/pods. */
      url: string;
      /** What sort of page it is. Default: Other. Example: Runbook. */
      kind?: LinkKind;
    }[];
  };
}

/** What is. Written by the operator alone. */
export interface CorrelationRuleStatus {
  /** metadata.generation that the operator has acted on; -1 until it has seen the object. */
  observedGeneration: number;
  /** Ready says whether the rule works; where it does not compile, its message names line and column, and Stalled says that only an edit can mend it. IncidentPerFlap warns that a fault that comes and goes will open an incident each time. At most 16. */
  conditions?: Condition[];
}

/** An Incident is something that people run from Detection to Closed. The operator opens one when alerts match a CorrelationRule; a person may declare one. Move it by writing spec.phase (together with spec.phaseReason); the API server refuses moves that are not in the table and names the legal ones. Who changed phase, owner, severity or priority, and when, stands in status.changes and, for good, in Postgres. */
export interface Incident extends KubeObject {
  kind: 'Incident';
  spec: IncidentSpec;
  status?: IncidentStatus;
}

/** What people and the operator want. People write it with kubectl or in the browser; the operator writes it when it opens an incident and for the few moves of its own. */
export interface IncidentSpec {
  /** What happens, in one line: rendered once from the rule's template at opening, from then on people's to change. 1 to 256 characters, one of them visible. Example: "Checkout answers 5xx in eu-west". */
  title: string;
  /** What is known so far, as Markdown; written by people. At most 8192 characters. Example: "Started with the 14:02 deploy; **rollback running**." */
  summary?: string;
  /** How bad it is for users, worst first: Critical, High, Medium, Low, Info. From alerts it is only ever raised, and only while no person has set it. Each change is logged. Example: Critical. */
  severity: Severity;
  /** What to do first, P1 before P5. When missing at birth it follows the severity (Critical is P1, High P2, Medium P3, Low P4, Info P5) and is from then on people's. Each change is logged. Example: P1. */
  priority?: Priority;
  /** The one lever of the workflow; written by people, and by the operator when all alerts resolved or came back, or all that fire were acknowledged upstream through sources that say trustAcknowledge. Born in Detection (filled in where the admission policy is installed) or, declared by a person who is on it, in Response. Legal moves: Detection (triggered) to Response, Resolution; Response (the acknowledgement) to Mitigation, Resolution, Detection; Mitigation (users no longer suffer) to Response, Resolution; Resolution (the cause is gone) to Detection, Response, Postmortem, Closed; Postmortem to Response, Closed; Closed to Response; any phase to Closed in one write with mergedInto. Do not keep it in a file that is applied again. Example: Response. */
  phase: Phase;
  /** Why the phase was moved; written in the same write as phase and recorded with that change. A reason that a move leaves as it was belonged to the move before: it is not recorded again, and the admission policy removes it. At most 256 characters. Example: "rollback done, error rate back to normal". */
  phaseReason?: string;
  /** Who is accountable. Empty until somebody acknowledges: then the operator names the acknowledger, unless that write named another. Each change is logged. */
  owner?: {
    /** The person's Kubernetes user name, as `kubectl auth whoami` prints it. 1 to 256 characters, without control characters and without white space at its ends. Example: ana. */
    name: string;
  };
  /** Where to look, at most 16 links; from the rule's template at opening, then people's. */
  links?: {
    /** What is behind it, 1 to 256 characters. Example: "Runbook: checkout 5xx". */
    title: string;
    /** Address, http or https only, at most 2048 characters. Example: https://runbooks.example/checkout. */
    url: string;
    /** What sort of page it is; the browser shows an icon for it. Default: Other. Example: Runbook. */
    kind?: LinkKind;
  }[];
  /** How it ended; written by people when they resolve or close it. */
  resolution?: {
    /** Fixed: somebody did something. SelfResolved: it went away by itself. FalseAlarm: users never suffered. Expected: planned work. Duplicate: another incident is the same. Example: Fixed. */
    reason?: 'Fixed' | 'SelfResolved' | 'FalseAlarm' | 'Expected' | 'Duplicate';
    /** What caused it, as far as known, at most 1024 characters. Example: "connection pool exhausted after deploy 4711". */
    cause?: string;
  };
  /** The incident that this one is the same as: its alerts join that one from then on. Written by a person only in the write that sets phase Closed, from any phase; removed in the write that reopens. */
  mergedInto?: {
    /** Name of another Incident of this namespace. Example: checkout-amber-falcon. */
    name: string;
  };
  /** Who reported a declared incident, in any form; written by whoever declares it. At most 256 characters. Example: "support, ticket 8812". */
  reportedBy?: string;
  /** Which rule and group the operator opened it for; in the create itself, immutable. Declared incidents have none. */
  origin?: {
    /** The CorrelationRule that opened it; absent for the built-in rule. */
    ruleRef?: {
      /** Name of a CorrelationRule of this namespace. Example: pods. */
      name: string;
    };
    /** The group's labels as canonical JSON, an array of [name, value] in groupBy order; past 512 bytes its sha256. Example: [["namespace","pay"],["cluster",""]]. */
    groupKey: string;
    /** The how-manieth incident of this rule and group it is, from 1. Only the highest takes alerts. Example: 1. */
    opening: number;
  };
  /** Which incident of history this one carries on, after its cluster was lost; written by the operator's command restore, in the create itself, immutable. Only who holds the verb restore on incidents may set it. Such an incident is born in whatever phase it was in, and its changes are numbered on. */
  restoredFrom?: {
    /** metadata.uid of the first incident of this line; its changes stand in history under it. Example: 6f1c… */
    uid: string;
    /** Number of the last change that history has; the next one is numbered after it. */
    changeSequence: number;
  };
}

/** One change. */
export interface IncidentChange {
  /** Its number within this incident, from 1, contiguous. */
  sequence: number;
  /** What changed. */
  kind: 'Phase' | 'Owner' | 'Severity' | 'Priority' | 'Merge';
  /** The value before; absent when there was none. */
  from?: string;
  /** The value after; absent when it was removed. */
  to?: string;
  /** When the API server took the write, RFC 3339, to the second; where that is not known, recordedAt. */
  at: string;
  /** When the operator numbered it, RFC 3339. */
  recordedAt: string;
  /** The Kubernetes user who did it; without the admission log the field manager. A merge is of who closed or reopened in the same write. */
  by: string;
  /** spec.phaseReason of that write; Collapsed when several changes had to be recorded as one. */
  reason?: string;
  /** True when the API server itself vouches for "by" (it comes from the admission log). */
  verified?: boolean;
}

/** What is. Written by the operator alone; a person who edits it confuses the record. */
export interface IncidentStatus {
  /** metadata.generation that the operator has acted on; -1 until it has seen the object. */
  observedGeneration: number;
  /** The phase that the operator has recorded and numbered; follows spec.phase within moments. */
  phase?: Phase;
  /** When the present phase began, RFC 3339. Example: 2026-03-01T14:02:11Z. */
  phaseSince?: string;
  /** When this round began in Detection (or Response), RFC 3339. */
  detectedAt?: string;
  /** When it first left Detection in this round by a person, or because its alerts were acknowledged upstream (trustAcknowledge of their source), RFC 3339; MTTA counts from detectedAt to here. */
  acknowledgedAt?: string;
  /** When it entered Mitigation in this round, RFC 3339. */
  mitigatedAt?: string;
  /** When it entered Resolution in this round, RFC 3339; reopenWithin counts from here. */
  resolvedAt?: string;
  /** When it was closed, RFC 3339. */
  closedAt?: string;
  /** Starts at 1 and grows with each return from Resolution, Postmortem or Closed to Detection or Response. */
  round?: number;
  /** Number of the last change. Numbers start at 1, are contiguous and never used twice. */
  changeSequence?: number;
  /** Number of the last entry of the annotation funnelai.dev/changes that was turned into a change. */
  logSequence?: number;
  /** The values after the last recorded change; what the next change's "from" is taken from. */
  observed?: {
    /** spec.severity after the last recorded change. */
    severity?: Severity;
    /** spec.priority after the last recorded change. */
    priority?: Priority;
    /** spec.owner.name after the last recorded change. */
    owner?: string;
    /** spec.mergedInto.name after the last recorded change. */
    mergedInto?: string;
  };
  /** Names of spec fields that a person has set and the operator therefore leaves alone, at most 16. Example: [severity]. */
  pinned?: string[];
  /** What changed, oldest first: all changes that are not yet in Postgres and the last 16, at most 128. The whole history is in Postgres. */
  changes?: IncidentChange[];
  /** How many alerts; brought up to date at most once in 10 s. */
  alerts?: {
    /** Live Alerts of this incident that fire. */
    firing: number;
    /** Alerts of this incident that have resolved, those included that are gone from the cluster. */
    resolved: number;
    /** Alerts of this incident whose sender fell silent and of which nobody said that they resolved, those included that are gone from the cluster; absent when there is none. While there is one the operator does not resolve it. */
    expired?: number;
    /** Alerts that ever joined, those included that are gone from the cluster. One that left and came back counts once. */
    total: number;
    /** How many of them were in it and are now in another incident, as by a merge, or in none; absent when none is. They count in total alone. */
    elsewhere?: number;
    /** How many of the resolved ones are gone from the cluster, or in another incident with their next episode; absent when none is. History still has them. */
    gone?: number;
    /** How many of the expired ones are gone from the cluster; absent when none is. History still has them. */
    expiredGone?: number;
    /** Beside them, alerts that fire and are kept in Postgres alone, because their source had reached limits.maxLiveAlerts; absent when there are none. The overflow Alerts that stand for them count as firing. */
    folded?: number;
    /** When this was counted, RFC 3339. */
    asOf: string;
  };
  /** Acknowledged, AlertsCleared (all alerts have resolved and a person is asked to resolve the incident), Mitigated, Resolved, HistoryMirrored, AlertsTruncated (some of its alerts are kept in Postgres alone). At most 16. */
  conditions?: Condition[];
}

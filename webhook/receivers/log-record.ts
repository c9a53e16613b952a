/**
 * From a log record to an alert: what it is called, what tells it from others, how bad it is. A record says that something happened,
 * never that it is over: that needs the word itself, or the source's mapping. Taking records out of bodies is the receivers'.
 *
 * Identity is the labels: where it happened (service, namespace, cluster, host), what (event, exception, logger), the message without
 * what changes each time, and those attributes whose values are names. All else is kept as annotations.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import { type Labels, labelsFrom } from '@funnelai/domain/labels';
import type { Temporal } from 'temporal-polyfill';
import { isPodName, isStable, kindOf, templateOf } from './log-template.ts';
import { describe } from './problem.ts';

export type FieldValue = string | number | boolean;
export type Fields = ReadonlyMap<string, FieldValue>;

export interface LogRecord {
  /** As it was written; empty where there is none. */
  message: string;
  /** What the sender calls this kind of event. */
  eventName?: string | undefined;
  /** The sender's word, or number, for how bad it is. */
  level?: string | undefined;
  /** 1 to 24, as OpenTelemetry counts. */
  severityNumber?: number | undefined;
  /** Where it was written: service, host, pod. Only what is known to name a place tells faults apart. */
  resource: Fields;
  /** What was written beside the message. */
  attributes: Fields;
  occurredAt?: Temporal.Instant | undefined;
  traceId?: string | undefined;
  spanId?: string | undefined;
  notes: readonly string[];
}

/** From here on a record is an alert by itself: WARN. */
const WARN = 13;

/** Words for levels, and where OpenTelemetry's numbers put them. */
const LEVELS = new Map<string, number>([
  ...['trace', 'finest', 'finer', 'verbose'].map((word) => [word, 1] as const),
  ...['debug', 'fine'].map((word) => [word, 5] as const),
  ...['info', 'information', 'informational', 'notice', 'default', 'config', 'success'].map(
    (word) => [word, 9] as const,
  ),
  ...['warn', 'warning'].map((word) => [word, 13] as const),
  ...['error', 'err', 'severe', 'failure'].map((word) => [word, 17] as const),
  ...['fatal', 'critical', 'crit', 'alert', 'emerg', 'emergency', 'panic', 'dpanic'].map((word) => [word, 21] as const),
]);
/** What our own table of severities calls them. */
const WORDS: readonly (readonly [from: number, word: string])[] = [
  [21, 'critical'],
  [17, 'error'],
  [13, 'warning'],
  [1, 'info'],
];

/** Returns the level from 1 to 24; undefined where the record says none that is understood. */
export function levelOf({ severityNumber, level }: LogRecord): number | undefined {
  if (severityNumber !== undefined && severityNumber >= 1 && severityNumber <= 24) return severityNumber;
  return level === undefined ? undefined : LEVELS.get(level.trim().toLowerCase());
}

/** Why the record is no alert, or undefined. One without a level that is understood is one: whoever sends it here means it. */
export function belowWarning(record: LogRecord): string | undefined {
  const level = levelOf(record);
  return level !== undefined && level < WARN
    ? `its level is ${record.level ?? level}, below WARN: mapping.when takes it in`
    : undefined;
}

/** Where, in the words of both OpenTelemetry and the agents on Kubernetes. First come, first taken. */
const PLACES: readonly (readonly [label: string, names: readonly string[]])[] = [
  [
    'service',
    [
      'service.name',
      'kubernetes.labels.app.kubernetes.io/name',
      'kubernetes.pod_labels.app.kubernetes.io/name',
      'kubernetes.labels.app',
      'kubernetes.pod_labels.app',
      'service',
      'app',
      'application',
    ],
  ],
  ['service_namespace', ['service.namespace']],
  [
    'namespace',
    [
      'k8s.namespace.name',
      'kubernetes.namespace_name',
      'kubernetes.pod_namespace',
      'kubernetes.namespace',
      'namespace',
    ],
  ],
  ['cluster', ['k8s.cluster.name', 'kubernetes.cluster_name', 'cluster']],
  ['environment', ['deployment.environment.name', 'deployment.environment', 'environment', 'env']],
  ['region', ['cloud.region', 'region']],
  ['deployment', ['k8s.deployment.name']],
  ['statefulset', ['k8s.statefulset.name']],
  ['daemonset', ['k8s.daemonset.name']],
  ['cronjob', ['k8s.cronjob.name']],
  ['container', ['k8s.container.name', 'kubernetes.container_name', 'kubernetes.container.name']],
];
/** Names of one machine: in a pod they name the pod, of which there will be another tomorrow. */
const MACHINES = [
  'host.name',
  'k8s.node.name',
  'kubernetes.host',
  'kubernetes.pod_node_name',
  'host',
  'hostname',
  'source_host',
];
/** As a sender calls what its alert is about; the others name what wrote it. */
const ABOUT = ['host', 'hostname', 'source_host'];
const PODS = ['k8s.pod.name', 'kubernetes.pod_name', 'kubernetes.pod.name', 'pod'];
const KINDS = ['alertname', 'event.name', 'exception.type', 'error.type', 'error.kind'];
const MESSAGES = ['exception.message', 'error.message'];
const STACKS = ['exception.stacktrace', 'error.stack_trace', 'error.stack', 'stack_trace', 'stacktrace', 'stack'];

/** What differs from one report to the next though its value may look like a name: who asked, which thread, which line. */
const PASSING =
  /^http[._]|log[._]file|(^|[._])(thread|user|enduser|session|client|request|req|trace|span|correlation|transaction|message_?id|caller|stack|stacktrace|stack_trace|duration|elapsed|latency|offset|seq|pid|tid|url|uri|query|statement|lineno|line|time|timestamp|ts|date|iostream|stream|logtag|uid|uuid|guid)s?([._]|$)/i;
const WEB = /^https?:\/\//i;

/** Returns the alert that a record is. `Alert`: it names its alert, and the host that it names is what that is about. */
export function alertOf(record: LogRecord, source: AlertSource, named: 'Alert' | 'Nothing' = 'Nothing'): AlertInput {
  const all = new Map([...record.resource, ...record.attributes]);
  const taken = new Set<string>();
  const first = (names: readonly string[]): string | undefined => {
    const name = names.find((n) => isText(all.get(n)));
    if (name === undefined) return undefined;
    taken.add(name);
    return String(all.get(name));
  };
  const labels: [string, string][] = [];
  const annotations: [string, string][] = [];
  for (const [label, names] of PLACES) {
    const value = first(names);
    if (value !== undefined) labels.push([label, value]);
  }
  const host = ABOUT.map((name) => all.get(name)).find(isText);
  const inPod = first(PODS);
  const about = named === 'Alert' && host !== inPod ? first(ABOUT) : undefined;
  const machine = first(MACHINES);
  const pod = inPod ?? [about, machine].find((name) => name !== undefined && isPodName(name));
  if (pod !== undefined) annotations.push(['pod', pod]);
  if (about !== undefined && about !== pod) labels.push(['host', about]);
  if (machine !== undefined && machine !== pod) (pod === undefined ? labels : annotations).push(['host', machine]);
  const said = first(MESSAGES);
  const stack = first(STACKS);
  const message = record.message.trim() || (said ?? '').trim();
  const kind = [record.eventName, ...KINDS.map((name) => first([name]))].find(
    (name) => name !== undefined && name !== 'exception',
  );
  const template = templateOf(message);
  labels.unshift(['alertname', kind ?? (kindOf(message) || 'LogRecord')]);
  if (template !== '') labels.push(['message', template]);
  for (const name of KINDS.slice(2)) taken.delete(name);
  if (said !== undefined) annotations.push(['exception.message', said]);
  for (const [name, value] of record.attributes) {
    if (taken.has(name) || name === '') continue;
    const isName = isStable(value) && !PASSING.test(name) && !WEB.test(String(value)) && !LEVEL_FIELDS.has(name);
    (isName ? labels : annotations).push([name, String(value)]);
  }
  for (const [name, value] of record.resource)
    if (!taken.has(name) && name !== '') annotations.push([name, String(value)]);
  if (record.traceId) annotations.push(['trace_id', record.traceId]);
  if (record.spanId) annotations.push(['span_id', record.spanId]);
  return {
    labels: own(labels),
    annotations: own(annotations),
    state: 'Firing',
    ...(record.occurredAt === undefined ? {} : { occurredAt: record.occurredAt }),
    ...(message === '' ? {} : { title: message.split(/\r?\n/, 1)[0] ?? message }),
    ...(message.includes('\n') || stack !== undefined ? { description: [message, stack ?? ''].join('\n').trim() } : {}),
    severity: severityOf(record, source),
    links: [],
    notes: message === '' && kind === undefined ? [...record.notes, NAMELESS] : record.notes,
  };
}

/** Such records differ in numbers and ids at most: without this nothing would tell why there is one alert. */
const NAMELESS = 'the record has no message and no name: all such records of this service or host are this one alert';

/** The sender's own word where the source's map knows it, else the one of our table for that level. */
function severityOf(record: LogRecord, source: AlertSource): string | undefined {
  const word = record.level?.trim().toLowerCase();
  const isMapped = Object.keys(source.spec.severity?.map ?? {}).some((key) => key.trim().toLowerCase() === word);
  const level = levelOf(record);
  if (isMapped || level === undefined) return record.level;
  return WORDS.find(([from]) => level >= from)?.[1];
}

/** Of a record that names its alert: said in places of their own. */
const IN_FULL = new Set(['message', 'state', 'status', 'alert.state', 'title', 'summary', 'description']);

/**
 * Returns a record that carries an `alertname` as the alert in full that it is: its message may change, and it may say that it is over,
 * by `state`, `status` or `alert.state`. Only the word itself resolves; any other is said, and fires.
 */
export function fullAlertOf(record: LogRecord, source: AlertSource): AlertInput {
  const log = alertOf(record, source, 'Alert');
  const { attributes } = record;
  const without = (map: Labels): Labels => labelsFrom(Object.entries(map).filter(([name]) => !IN_FULL.has(name)));
  const said = ['state', 'alert.state', 'status'].map((name) => attributes.get(name)).find((value) => isText(value));
  const word = typeof said === 'string' ? said.trim().toLowerCase() : undefined;
  const isKnown = word === undefined || word === 'firing' || word === 'resolved';
  const title = ['title', 'summary'].map((name) => attributes.get(name)).find((value) => isText(value));
  const description = attributes.get('description');
  return {
    ...log,
    labels: without(log.labels),
    annotations: without(log.annotations),
    state: word === 'resolved' ? 'Resolved' : 'Firing',
    ...(title === undefined ? {} : { title: String(title) }),
    ...(isText(description) ? { description: String(description) } : {}),
    notes: isKnown
      ? log.notes
      : [...(log.notes ?? []), `state ${describe(said)} is neither firing nor resolved: taken for firing`],
  };
}

const LEVEL_FIELDS = new Set(['level', 'severity', 'log.level', 'lvl', 'levelname', 'loglevel', 'priority', 'levelno']);

const isText = (value: FieldValue | undefined): boolean => typeof value === 'string' && value !== '';

/** The first of a name stays: a place goes before an attribute that is called so. */
function own(entries: readonly [string, string][]): Labels {
  const map = new Map<string, string>();
  for (const [name, value] of entries) if (value !== '' && !map.has(name)) map.set(name, value);
  return labelsFrom(map);
}

/** Objects as rows: typed columns beside the whole object, text that Postgres can hold, times cut to microseconds. Pure. */
import type { Alert, Incident, IncidentChange } from '@funnelai/crds/generated/types';
import type { KubeObject } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { HistoryRefused } from './errors.ts';

/** What is indexed must fit into an index entry (2,704 bytes); Kubernetes names are far below this. */
const MAX_KEY_BYTES = 1_024;
/** A user name has at most 512 characters, of four bytes each: a row that is refused would hold up its incident for good. */
const MAX_USER_BYTES = 2_048;
const MAX_TEXT_BYTES = 65_536;
/** etcd takes 1.5 MiB a request. */
const MAX_OBJECT_BYTES = 4 * 1_024 * 1_024;
const MAX_INTEGER = 2_147_483_647;

/** One row as JSON, ready for `json_to_recordset`. */
export interface Row {
  uid: string;
  /** Whose story it is; of one story one row enters in a statement. */
  story: string;
  json: string;
}

/** Column → type, in the order of the table; `deleted_at` is not among them: only a deletion writes it. */
export const INCIDENT_COLUMNS = {
  uid: 'text',
  origin_uid: 'text',
  namespace: 'text',
  name: 'text',
  title: 'text',
  severity: 'text',
  priority: 'text',
  phase: 'text',
  phase_since: 'timestamptz',
  owner: 'text',
  rule: 'text',
  group_key: 'text',
  opening: 'integer',
  reported_by: 'text',
  resolution_reason: 'text',
  merged_into: 'text',
  detected_at: 'timestamptz',
  acknowledged_at: 'timestamptz',
  mitigated_at: 'timestamptz',
  resolved_at: 'timestamptz',
  closed_at: 'timestamptz',
  round: 'integer',
  change_sequence: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  resource_version: 'numeric',
  object: 'jsonb',
} as const;
export const ALERT_COLUMNS = {
  uid: 'text',
  namespace: 'text',
  name: 'text',
  source: 'text',
  fingerprint: 'text',
  state: 'text',
  severity: 'text',
  original_severity: 'text',
  title: 'text',
  starts_at: 'timestamptz',
  ends_at: 'timestamptz',
  received_at: 'timestamptz',
  incident_name: 'text',
  rule: 'text',
  episode: 'integer',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  resource_version: 'numeric',
  object: 'jsonb',
} as const;
export const CHANGE_COLUMNS = {
  incident_uid: 'text',
  incident_created_at: 'timestamptz',
  sequence: 'bigint',
  kind: 'text',
  from_value: 'text',
  to_value: 'text',
  at: 'timestamptz',
  recorded_at: 'timestamptz',
  by: 'text',
  reason: 'text',
  verified: 'boolean',
} as const;

/** Kind of a row that holds the place of a change of which nothing is known any more. */
export const LOST = 'Lost';
/** A change as history has it. */
export type StoredChange = Omit<IncidentChange, 'kind'> & { kind: IncidentChange['kind'] | typeof LOST };

type Cells<Columns> = { [column in Exclude<keyof Columns, 'object'>]: string | number | boolean | null };
/** But for its place in the table, which is the incident's. */
export type ChangeRow = Omit<Cells<typeof CHANGE_COLUMNS>, 'incident_created_at'> & { sequence: number };

/** The incident's row. @throws {HistoryRefused} naming the column. */
export function incidentRow(given: Incident, updatedAt: Temporal.Instant): Row {
  const { object: incident, json } = storable(given);
  const { spec, status, metadata } = incident;
  const cells: Cells<typeof INCIDENT_COLUMNS> = {
    ...identity(metadata, updatedAt),
    origin_uid: restoredFrom(spec) ?? key('uid', metadata.uid),
    title: text('title', spec.title),
    severity: text('severity', spec.severity),
    priority: optionalText('priority', spec.priority),
    phase: text('phase', status?.phase ?? spec.phase),
    phase_since: optionalTime('phase_since', status?.phaseSince),
    owner: optionalText('owner', spec.owner?.name),
    rule: optionalKey('rule', spec.origin?.ruleRef?.name),
    group_key: optionalKey('group_key', spec.origin?.groupKey),
    opening: optionalInteger('opening', spec.origin?.opening),
    reported_by: optionalText('reported_by', spec.reportedBy),
    resolution_reason: optionalText('resolution_reason', spec.resolution?.reason),
    merged_into: optionalText('merged_into', spec.mergedInto?.name),
    detected_at: optionalTime('detected_at', status?.detectedAt),
    acknowledged_at: optionalTime('acknowledged_at', status?.acknowledgedAt),
    mitigated_at: optionalTime('mitigated_at', status?.mitigatedAt),
    resolved_at: optionalTime('resolved_at', status?.resolvedAt),
    closed_at: optionalTime('closed_at', status?.closedAt),
    round: integer('round', status?.round ?? 1),
    change_sequence: sequence('change_sequence', status?.changeSequence ?? 0),
  };
  return { uid: String(cells.uid), story: String(cells.origin_uid), json: withObject(cells, json) };
}

/** The uid that a restored incident had before: its story goes on. */
function restoredFrom(spec: Incident['spec'] & { restoredFrom?: { uid?: string } }): string | undefined {
  return optionalKey('origin_uid', spec.restoredFrom?.uid) ?? undefined;
}

/** The alert's row. @throws {HistoryRefused} naming the column. */
export function alertRow(given: Alert, updatedAt: Temporal.Instant): Row {
  const { object: alert, json } = storable(given);
  const { spec, status, metadata } = alert;
  const cells: Cells<typeof ALERT_COLUMNS> = {
    ...identity(metadata, updatedAt),
    source: key('source', spec.sourceRef?.name),
    fingerprint: key('fingerprint', spec.fingerprint),
    state: text('state', spec.state),
    severity: text('severity', spec.severity),
    original_severity: optionalText('original_severity', spec.originalSeverity),
    title: text('title', spec.title),
    starts_at: time('starts_at', spec.startsAt),
    ends_at: optionalTime('ends_at', spec.endsAt),
    received_at: time('received_at', spec.receivedAt),
    incident_name: optionalKey('incident_name', status?.incidentRef?.name),
    rule: optionalText('rule', status?.ruleRef?.name),
    episode: optionalInteger('episode', status?.episode),
  };
  return { uid: String(cells.uid), story: String(cells.uid), json: withObject(cells, json) };
}

/**
 * The row of the episode that the alert's status tells of; none while the spec is already of a later one that nobody has
 * correlated yet (it started after the start that was correlated).
 */
export function isOfCorrelatedEpisode(alert: Alert): boolean {
  const correlated = alert.status?.episodeStartedAt;
  if (alert.status?.episode === undefined || alert.status.episode < 1) return false;
  return correlated === undefined || toMicros('starts_at', alert.spec.startsAt) <= toMicros('starts_at', correlated);
}

/** A change's row; an empty `from`, `to` or `reason` and a missing one are the same. @throws {HistoryRefused} naming the column. */
export function changeRow(incidentUid: string, change: IncidentChange): ChangeRow {
  return {
    incident_uid: incidentUid,
    sequence: sequence('sequence', change.sequence),
    kind: text('kind', change.kind),
    from_value: optionalText('from_value', change.from),
    to_value: optionalText('to_value', change.to),
    at: time('at', change.at),
    recorded_at: time('recorded_at', change.recordedAt),
    // Indexed, so bounded as a key; empty where nobody could be named.
    by: bounded('by', change.by, MAX_USER_BYTES),
    reason: optionalText('reason', change.reason),
    verified: change.verified ?? null,
  };
}

/** The change that a row tells of. Times come back in UTC with six digits. */
export function changeOf(row: ChangeRow): StoredChange {
  const change: StoredChange = {
    sequence: row.sequence,
    kind: row.kind as StoredChange['kind'],
    at: String(row.at),
    recordedAt: String(row.recorded_at),
    by: String(row.by),
  };
  if (row.from_value !== null) change.from = String(row.from_value);
  if (row.to_value !== null) change.to = String(row.to_value);
  if (row.reason !== null) change.reason = String(row.reason);
  if (row.verified !== null) change.verified = row.verified === true;
  return change;
}

function identity(metadata: KubeObject['metadata'], updatedAt: Temporal.Instant) {
  const version = metadata.resourceVersion ?? '';
  if (!/^\d{1,40}$/.test(version)) throw new HistoryRefused('resource_version', 'expected a decimal number');
  return {
    uid: key('uid', metadata.uid),
    namespace: key('namespace', metadata.namespace),
    name: key('name', metadata.name),
    created_at: time('created_at', metadata.creationTimestamp),
    updated_at: microsOf(updatedAt),
    resource_version: version,
  };
}

const withObject = (cells: object, json: string): string => `${JSON.stringify(cells).slice(0, -1)},"object":${json}}`;

/** An escape of JSON that jsonb cannot hold (NUL, half of a surrogate pair), or any other one, which keeps the count of backslashes right. */
const ESCAPE = /\\(?:u0000|ud[89a-f][0-9a-f]{2}|[\s\S])/gi;
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;
const REPLACEMENT = '\ufffd';

/** The object without managedFields, and its JSON, both in text that jsonb can hold. */
function storable<T extends KubeObject>(given: T): { object: T; json: string } {
  const { managedFields: _, ...metadata } = given.metadata;
  const plain: T = { ...given, metadata };
  const json = JSON.stringify(plain);
  if (Buffer.byteLength(json) > MAX_OBJECT_BYTES)
    throw new HistoryRefused('object', `longer than ${MAX_OBJECT_BYTES} bytes`);
  const clean = storableJson(json);
  return clean === json ? { object: plain, json } : { object: JSON.parse(clean) as T, json: clean };
}

/** JSON whose texts jsonb can hold. */
export const storableJson = (json: string): string =>
  UNSTORABLE.test(json) ? json.replace(ESCAPE, (found) => (UNSTORABLE.test(found) ? REPLACEMENT : found)) : json;

/** Text as Postgres can hold it: NUL and lone surrogates become U+FFFD. */
export const storableText = (value: string): string => value.toWellFormed().replaceAll('\0', REPLACEMENT);

function bounded(column: string, value: unknown, maxBytes: number): string {
  if (typeof value !== 'string') throw new HistoryRefused(column, value === undefined ? 'missing' : 'not text');
  const clean = storableText(value);
  if (Buffer.byteLength(clean) > maxBytes) throw new HistoryRefused(column, `longer than ${maxBytes} bytes`);
  return clean;
}
function key(column: string, value: unknown): string {
  const bound = bounded(column, value, MAX_KEY_BYTES);
  if (bound === '') throw new HistoryRefused(column, 'empty');
  return bound;
}
const text = (column: string, value: unknown): string => bounded(column, value, MAX_TEXT_BYTES);
const optional = <T>(value: unknown, read: (value: unknown) => T): T | null =>
  value === undefined || value === null || value === '' ? null : read(value);
const optionalKey = (column: string, value: unknown) => optional(value, (found) => key(column, found));
const optionalText = (column: string, value: unknown) => optional(value, (found) => text(column, found));
const optionalTime = (column: string, value: unknown) => optional(value, (found) => time(column, found));
const optionalInteger = (column: string, value: unknown) => optional(value, (found) => integer(column, found));

function integer(column: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new HistoryRefused(column, 'not a whole number');
  if (Math.abs(value) > MAX_INTEGER) throw new HistoryRefused(column, `beyond ${MAX_INTEGER}`);
  return value;
}
function sequence(column: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new HistoryRefused(column, 'not a whole number from 0');
  return value;
}
function time(column: string, value: unknown): string {
  if (typeof value !== 'string') throw new HistoryRefused(column, value === undefined ? 'missing' : 'not a time');
  return toMicros(column, value);
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * An RFC 3339 time in UTC with six digits. Finer digits are cut, never rounded: nothing happens later than it did.
 * @throws {HistoryRefused} for what is no such time, or lies outside the years 1 to 9999.
 */
export function toMicros(column: string, value: string): string {
  const parts = RFC_3339.exec(value);
  if (parts === null) throw new HistoryRefused(column, 'not an RFC 3339 time');
  const [, date, clock, fraction = '', zone = 'Z'] = parts;
  let instant: Temporal.Instant;
  try {
    instant = Temporal.Instant.from(`${date}T${clock}.${fraction.slice(0, 6).padEnd(6, '0')}${zone.toUpperCase()}`);
  } catch {
    throw new HistoryRefused(column, 'not a time that exists');
  }
  const micros = microsOf(instant);
  if (!/^\d{4}-/.test(micros) || micros.startsWith('0000'))
    throw new HistoryRefused(column, 'outside the years 1 to 9999');
  return micros;
}
export const microsOf = (instant: Temporal.Instant): string =>
  instant.toString({ fractionalSecondDigits: 6, roundingMode: 'floor' });

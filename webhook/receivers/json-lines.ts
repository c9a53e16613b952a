/**
 * Reads log records as agents write them: a JSON object a line, objects one after the other, or a list (Fluent Bit's json_lines, json_stream
 * and json; Vector's http sink). Promises that a line which is no JSON spoils no other. A line that has an `alertname` is an alert in
 * full and may say that it is over; any other is a log record.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import { celInput } from '@funnelai/domain/cel-input';
import { type Labels, labelsFrom } from '@funnelai/domain/labels';
import { parseMoment } from '@funnelai/domain/moment';
import type { Temporal } from 'temporal-polyfill';
import { type JsonRecord, jsonRecords } from './json-records.ts';
import { scalar } from './lenient.ts';
import { alertOf, belowWarning, type FieldValue, fullAlertOf, type LogRecord } from './log-record.ts';
import { type RecordReading, readRecords } from './mapped.ts';
import { flattened, jsonIn } from './nested.ts';
import { describe } from './problem.ts';
import { type Envelope, type Reading, type Receiver, takesJson } from './receiver.ts';
import { isRecord, own, text } from './values.ts';

const LINES = /^(application\/(x-)?(ndjson|jsonl|jsonlines|json-lines)|text\/plain)$/;

export const jsonLines: Receiver = {
  format: 'JsonLines',
  paths: [''],
  takes: (mediaType) => takesJson(mediaType) || LINES.test(mediaType),
  expects: 'application/x-ndjson or application/json (with Fluent Bit: format json_lines)',
  read: readLines,
};

async function readLines(envelope: Envelope): Promise<Reading> {
  const reached = new Set<string>();
  const reading = await readRecords(envelope, valuesOf(jsonRecords(envelope.body)), {
    moments: true,
    item: (value) => celInput(value).value,
    read: (value, filtered) => recordReading(value, filtered, envelope, reached),
  });
  return { ...reading, reached: [...(reading.reached ?? []), ...reached] };
}

function* valuesOf(
  records: Iterable<JsonRecord>,
): Generator<
  { index: number } & ({ record: unknown } | { fault: { field: string; found: string; expected: string } })
> {
  for (const { index, ...rest } of records) {
    if ('value' in rest) yield { index, record: rest.value };
    else yield { index, fault: { field: '', found: rest.broken, expected: 'a JSON object' } };
  }
}

function recordReading(value: unknown, filtered: boolean, envelope: Envelope, reached: Set<string>): RecordReading {
  if (!isRecord(value) || Object.keys(value).length === 0)
    return {
      faults: [
        {
          field: '',
          found: isRecord(value) ? 'an object without fields' : describe(value),
          expected: 'a JSON object with fields',
        },
      ],
    };
  const notes: string[] = [];
  const opened = unwrapped(value, notes);
  const fields = flattened(opened, reached);
  const record = recordOf(fields, notes);
  const labels = own(opened, 'labels');
  const alertname = text(opened, 'alertname') ?? (isRecord(labels) ? text(labels, 'alertname') : undefined);
  if (alertname !== undefined) return { input: inFull(opened, alertname, record, envelope.source, reached) };
  const ignored = filtered ? undefined : belowWarning(record);
  return ignored === undefined ? { input: alertOf(record, envelope.source) } : { ignored };
}

const MESSAGES = ['message', 'msg', 'log', 'MESSAGE', 'short_message', 'text', 'body'];
const LEVELS = ['level', 'severity', 'log.level', 'lvl', 'levelname', 'loglevel', 'priority', 'PRIORITY'];
const TIMES = ['date', '@timestamp', 'timestamp', 'time', 'ts', 'eventTime', 'datetime'];
/** What agents add about where a line was found. */
const PLACES =
  /^(kubernetes|docker|k8s|agent|ecs|host|process|container|input|source_type|file|stream|logtag|_p|time_nano)(\.|$)/;

/** The fields of JSON that stands in the message, beside those of the line, which go before them. */
function unwrapped(value: Record<string, unknown>, notes: string[]): Record<string, unknown> {
  const name = MESSAGES.find((field) => typeof own(value, field) === 'string');
  const inner = name === undefined ? undefined : jsonIn(text(value, name) ?? '');
  if (name === undefined || inner === undefined) return value;
  notes.push(`${name} was JSON in a text and is read as its fields`);
  const outer = Object.entries(value).filter(([field]) => field !== name);
  return Object.fromEntries([...Object.entries(inner), ...outer]);
}

function recordOf(all: ReadonlyMap<string, FieldValue>, notes: string[]): LogRecord {
  const fields = new Map(all);
  const take = (names: readonly string[]): FieldValue | undefined => {
    const name = names.find((field) => fields.has(field));
    const value = name === undefined ? undefined : fields.get(name);
    if (name !== undefined) fields.delete(name);
    return value;
  };
  const message = take(MESSAGES);
  const level = take(LEVELS);
  const occurredAt = timeIn(fields, notes);
  const traceId = take(['trace_id', 'traceId', 'trace.id']);
  const spanId = take(['span_id', 'spanId', 'span.id']);
  const resource = new Map([...fields].filter(([name]) => PLACES.test(name)));
  for (const name of resource.keys()) fields.delete(name);
  return {
    message: message === undefined ? '' : String(message),
    level: level === undefined ? undefined : String(level),
    resource,
    attributes: fields,
    ...(occurredAt === undefined ? {} : { occurredAt }),
    ...(traceId === undefined ? {} : { traceId: String(traceId) }),
    ...(spanId === undefined ? {} : { spanId: String(spanId) }),
    notes,
  };
}

/** The first that can be read. All of them are times, and tell nothing apart. */
function timeIn(fields: Map<string, FieldValue>, notes: string[]): Temporal.Instant | undefined {
  let found: Temporal.Instant | undefined;
  for (const name of TIMES) {
    const value = fields.get(name);
    if (value === undefined || typeof value === 'boolean') continue;
    fields.delete(name);
    const instant = parseMoment(String(value));
    if (instant === undefined) notes.push(`${name} is no time that can be read: ${describe(value)}`);
    else if (instant !== null) found ??= instant;
  }
  return found;
}

/** A line that names its alert may have labels and annotations in maps, and times and a key of its own. */
function inFull(
  value: Record<string, unknown>,
  alertname: string,
  record: LogRecord,
  source: AlertSource,
  reached: Set<string>,
): AlertInput {
  const full = fullAlertOf(record, source);
  const time = (name: string): Temporal.Instant | undefined => {
    const held = own(value, name);
    return typeof held === 'string' || typeof held === 'number' ? (parseMoment(String(held)) ?? undefined) : undefined;
  };
  const startsAt = time('startsAt') ?? time('starts_at');
  const endsAt = time('endsAt') ?? time('ends_at');
  const key = scalar(value, 'dedupKey') ?? scalar(value, 'dedup_key');
  const rest = (map: Labels): [string, string][] =>
    Object.entries(map).filter(([name]) => !SAID.has(name) && !/^(labels|annotations)\./.test(name));
  const [labels, annotations] = [own(value, 'labels'), own(value, 'annotations')];
  const texts = (map: Record<string, unknown>): [string, string][] =>
    [...flattened(map, reached)].map(([name, held]) => [name, String(held)]);
  return {
    ...full,
    labels: labelsFrom([...(isRecord(labels) ? texts(labels) : rest(full.labels)), ['alertname', alertname]]),
    annotations: labelsFrom([
      ...(isRecord(labels) ? rest(full.labels).filter(([name]) => name !== 'alertname') : []),
      ...rest(full.annotations),
      ...(isRecord(annotations) ? texts(annotations) : []),
    ]),
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(endsAt === undefined ? {} : { endsAt }),
    ...(key === undefined ? {} : { dedupKey: key }),
  };
}

/** Read above, in places of their own. */
const SAID = new Set(['startsAt', 'starts_at', 'endsAt', 'ends_at', 'dedupKey', 'dedup_key']);

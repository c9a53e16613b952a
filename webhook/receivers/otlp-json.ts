/** Reads OTLP's JSON: lists of lists of records. Takes names in both of proto3's spellings, and never throws on a record. */
import { RECORD_DEPTH } from '../limits.ts';
import { bytesText, type OtlpItem, type OtlpRecord, TOO_DEEP } from './otlp.ts';
import { BodyProblem, describe } from './problem.ts';
import { isRecord, own } from './values.ts';

/** Returns each record in its order. Throws `BodyProblem` when the body is no export request. */
export function* otlpFromJson(body: unknown): Generator<OtlpItem> {
  if (!isRecord(body)) throw new BodyProblem('', describe(body), 'the JSON object of OTLP, with "resourceLogs"');
  const resources = pick(body, 'resourceLogs', 'resource_logs');
  // An empty request is one: exporters send it to try the address.
  if (resources === undefined && Object.keys(body).length === 0) return;
  if (!Array.isArray(resources)) throw new BodyProblem('resourceLogs', describe(resources), 'a list');
  let index = 0;
  for (const [r, ofResource] of resources.entries()) {
    const scopes = isRecord(ofResource) ? pick(ofResource, 'scopeLogs', 'scope_logs') : ofResource;
    const at = `resourceLogs[${r}]`;
    if (isRecord(ofResource) && scopes === undefined) continue;
    if (!isRecord(ofResource) || !Array.isArray(scopes)) {
      yield { index, fault: { field: at, found: describe(scopes), expected: 'an object with a list "scopeLogs"' } };
      index += 1;
      continue;
    }
    const resource = attributesOf(attributesIn(own(ofResource, 'resource')));
    for (const [s, ofScope] of scopes.entries()) {
      const records = isRecord(ofScope) ? pick(ofScope, 'logRecords', 'log_records') : ofScope;
      if (isRecord(ofScope) && records === undefined) continue;
      if (!isRecord(ofScope) || !Array.isArray(records)) {
        const field = `${at}.scopeLogs[${s}]`;
        yield { index, fault: { field, found: describe(records), expected: 'an object with a list "logRecords"' } };
        index += 1;
        continue;
      }
      const scope = scopeOf(own(ofScope, 'scope'));
      for (const [l, raw] of records.entries()) {
        const field = `${at}.scopeLogs[${s}].logRecords[${l}]`;
        yield isRecord(raw)
          ? { index, record: recordOf(raw, resource, scope) }
          : { index, fault: { field, found: describe(raw), expected: 'a log record' } };
        index += 1;
      }
    }
  }
}

function pick(record: Record<string, unknown>, camel: string, snake: string): unknown {
  const value = own(record, camel) ?? own(record, snake);
  return value === null ? undefined : value;
}

const textAt = (record: Record<string, unknown>, camel: string, snake: string): string => {
  const value = pick(record, camel, snake);
  return typeof value === 'string' ? value.toWellFormed() : '';
};

function recordOf(
  raw: Record<string, unknown>,
  resource: OtlpRecord['resource'],
  scope: OtlpRecord['scope'],
): OtlpRecord {
  return {
    time: countAt(raw, 'timeUnixNano', 'time_unix_nano'),
    observedTime: countAt(raw, 'observedTimeUnixNano', 'observed_time_unix_nano'),
    severityNumber: severityAt(pick(raw, 'severityNumber', 'severity_number')),
    severityText: textAt(raw, 'severityText', 'severity_text'),
    eventName: textAt(raw, 'eventName', 'event_name'),
    body: anyValue(own(raw, 'body'), 0),
    attributes: attributesOf(own(raw, 'attributes')),
    traceId: hexAt(raw, 'traceId', 'trace_id', 32),
    spanId: hexAt(raw, 'spanId', 'span_id', 16),
    resource,
    scope,
  };
}

/** 64 bits are text in proto3's JSON; some write numbers. */
function countAt(record: Record<string, unknown>, camel: string, snake: string): string {
  const value = pick(record, camel, snake);
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? BigInt(Math.trunc(value)).toString() : '';
}

/** OTLP wants numbers; proto3's JSON allows the names of an enumeration too: SEVERITY_NUMBER_WARN2. */
function severityAt(value: unknown): number {
  if (typeof value === 'number') return value;
  const named =
    typeof value === 'string' ? /^SEVERITY_NUMBER_(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([2-4]?)$/.exec(value) : null;
  if (named === null) return typeof value === 'string' && /^\d{1,2}$/.test(value) ? Number(value) : 0;
  const from = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].indexOf(named[1] ?? '');
  return from * 4 + (named[2] === '' ? 1 : Number(named[2]));
}

function hexAt(record: Record<string, unknown>, camel: string, snake: string, digits: number): string {
  const value = pick(record, camel, snake);
  const isId =
    typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/i.test(value) && /[1-9a-f]/i.test(value);
  return isId ? value.toLowerCase() : '';
}

const attributesIn = (value: unknown): unknown => (isRecord(value) ? own(value, 'attributes') : undefined);

function scopeOf(raw: unknown): OtlpRecord['scope'] {
  const scope = isRecord(raw) ? raw : {};
  return {
    name: textAt(scope, 'name', 'name'),
    version: textAt(scope, 'version', 'version'),
    attributes: attributesOf(attributesIn(scope)),
  };
}

/** A list of {key, value}; entries that are none are left out. */
function attributesOf(list: unknown, depth = 0): Record<string, unknown> {
  if (!Array.isArray(list)) return {};
  return Object.fromEntries(
    list.flatMap((entry): [string, unknown][] => {
      const key = isRecord(entry) ? own(entry, 'key') : undefined;
      return isRecord(entry) && typeof key === 'string'
        ? [[key.toWellFormed(), anyValue(own(entry, 'value'), depth)]]
        : [];
    }),
  );
}

/** Large ones come out of JSON as text, for their digits, which a double never had; "NaN" and "Infinity" are texts there anyway. */
function doubleOf(raw: unknown): unknown {
  const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : Number.NaN;
  return Number.isFinite(number) ? number : raw;
}

function anyValue(raw: unknown, depth: number): unknown {
  if (depth > RECORD_DEPTH) return TOO_DEEP;
  // Not OTLP, but plain: what is meant is clear.
  if (!isRecord(raw)) return Array.isArray(raw) ? raw.map((element) => anyValue(element, depth + 1)) : (raw ?? null);
  const string = pick(raw, 'stringValue', 'string_value');
  if (typeof string === 'string') return string.toWellFormed();
  const integer = pick(raw, 'intValue', 'int_value');
  if (integer !== undefined) return integerOf(integer);
  const double = pick(raw, 'doubleValue', 'double_value');
  if (double !== undefined) return doubleOf(double);
  const bool = pick(raw, 'boolValue', 'bool_value');
  if (bool !== undefined) return bool;
  const bytes = pick(raw, 'bytesValue', 'bytes_value');
  if (bytes !== undefined) return isBase64(bytes) ? bytesText(Buffer.from(bytes, 'base64')) : bytes;
  const array = pick(raw, 'arrayValue', 'array_value');
  if (isRecord(array)) {
    const values = own(array, 'values');
    return Array.isArray(values) ? values.map((element) => anyValue(element, depth + 1)) : [];
  }
  const list = pick(raw, 'kvlistValue', 'kvlist_value');
  return isRecord(list) ? attributesOf(own(list, 'values'), depth + 1) : null;
}

const isBase64 = (value: unknown): value is string => typeof value === 'string' && /^[\w+/-]*={0,2}$/.test(value);

/** As a number where one holds it exactly, else as text. */
function integerOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

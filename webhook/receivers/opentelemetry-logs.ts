/**
 * Reads OTLP logs over HTTP (opentelemetry-proto 1.x, JSON and protobuf) and answers as OTLP asks: what is rejected is counted in a
 * partial success, and nothing but 503 is sent again. Which records are alerts: WARN and worse, and those that carry an `alertname`,
 * unless the source's mapping says.
 */
import { celInput } from '@funnelai/domain/cel-input';
import { parseMoment } from '@funnelai/domain/moment';
import type { Temporal } from 'temporal-polyfill';
import { parseJson } from '../intake/json.ts';
import { alertOf, belowWarning, fullAlertOf, type LogRecord, levelOf } from './log-record.ts';
import { readRecords } from './mapped.ts';
import { flattened, jsonIn } from './nested.ts';
import { type Encoding, encodingOf, exportResponse, MEDIA_TYPES, type OtlpRecord, statusResponse } from './otlp.ts';
import { otlpFromJson } from './otlp-json.ts';
import { otlpFromProtobuf } from './otlp-protobuf.ts';
import { type Envelope, type Reading, type Receiver, takesJson } from './receiver.ts';
import { isRecord } from './values.ts';

export const openTelemetryLogs: Receiver = {
  format: 'OpenTelemetryLogs',
  paths: ['', '/v1/logs'],
  takes: (mediaType) => takesJson(mediaType) || encodingOf(mediaType) === 'Protobuf',
  expects: 'application/x-protobuf or application/json',
  isBinary: ({ mediaType }) => encodingOf(mediaType) === 'Protobuf',
  read: readLogs,
  reply: (answer, reading, { mediaType }) => {
    const encoding = encodingOf(mediaType);
    if (answer.status === 503 || answer.status === 404) {
      const body = statusResponse(encoding, answer.status, answer.body.message);
      return { status: answer.status, headers: { ...answer.headers, ...typed(encoding) }, body };
    }
    const { created, updated, unchanged, inbox = 0 } = answer.body;
    const bad = new Set(reading.problems.map((problem) => problem.index)).size;
    const rejected = reading.received.length + bad - created - updated - unchanged - inbox;
    const isPartial = rejected > 0 || answer.body.warnings !== undefined;
    const body = exportResponse(encoding, rejected, isPartial ? answer.body.message : '');
    return { status: 200, headers: typed(encoding), body };
  },
  refuse: ({ status, message }, headers) => {
    const encoding = encodingOf(headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '');
    return { headers: typed(encoding), body: statusResponse(encoding, status, message) };
  },
};

const typed = (encoding: Encoding): Record<string, string> => ({ 'content-type': MEDIA_TYPES[encoding] });

async function readLogs(envelope: Envelope): Promise<Reading> {
  const { body, mediaType, source } = envelope;
  const records = encodingOf(mediaType) === 'Protobuf' ? otlpFromProtobuf(body) : otlpFromJson(parseJson(body));
  const reached = new Set<string>();
  const reading = await readRecords(envelope, records, {
    moments: true,
    item: (record) => celInput(itemOf(record)).value,
    read: (otlp, filtered) => {
      const record = recordOf(otlp, reached);
      if (typeof record.attributes.get('alertname') === 'string') return { input: fullAlertOf(record, source) };
      const ignored = filtered ? undefined : (belowWarning(record) ?? withoutLevel(record));
      return ignored === undefined ? { input: alertOf(record, source) } : { ignored };
    },
  });
  return { ...reading, reached: [...(reading.reached ?? []), ...reached] };
}

function withoutLevel(record: LogRecord): string | undefined {
  return levelOf(record) === undefined
    ? 'it names no severity that is understood: mapping.when takes it in'
    : undefined;
}

/** What a mapping sees: OTLP's names, with lists of key and value as maps, and times as texts. */
function itemOf(record: OtlpRecord): Record<string, unknown> {
  const { time, observedTime, ...rest } = record;
  return { ...rest, time: timeText(time), observedTime: timeText(observedTime) };
}

const timeText = (count: string): string => parseMoment(count)?.toString() ?? '';

function recordOf(otlp: OtlpRecord, reached: Set<string>): LogRecord {
  const notes: string[] = [];
  const attributes = flattened(otlp.attributes, reached);
  const nested = typeof otlp.body === 'string' ? jsonIn(otlp.body) : undefined;
  if (nested !== undefined) notes.push('the body was JSON in a text and is read as its fields');
  const body = nested ?? otlp.body;
  let message = '';
  if (isRecord(body)) {
    const fields = flattened(body, reached);
    for (const name of ['message', 'msg', 'log']) {
      const value = fields.get(name);
      if (message !== '' || typeof value !== 'string') continue;
      message = value;
      fields.delete(name);
    }
    for (const [name, value] of fields) if (!attributes.has(name)) attributes.set(name, value);
  } else if (body !== null && body !== undefined) {
    message = typeof body === 'string' ? body : JSON.stringify(body);
  }
  if (otlp.scope.name !== '' && !attributes.has('logger')) attributes.set('logger', otlp.scope.name);
  return {
    message,
    eventName: otlp.eventName === '' ? undefined : otlp.eventName,
    level: otlp.severityText === '' ? undefined : otlp.severityText,
    severityNumber: otlp.severityNumber,
    resource: flattened(otlp.resource, reached),
    attributes,
    occurredAt: occurredAt(otlp, notes),
    traceId: otlp.traceId,
    spanId: otlp.spanId,
    notes,
  };
}

function occurredAt({ time, observedTime }: OtlpRecord, notes: string[]): Temporal.Instant | undefined {
  for (const count of [time, observedTime]) {
    const instant = parseMoment(count);
    if (instant === undefined) notes.push(`a time that cannot be read: ${JSON.stringify(count.slice(0, 40))}`);
    else if (instant !== null) return instant;
  }
  return undefined;
}

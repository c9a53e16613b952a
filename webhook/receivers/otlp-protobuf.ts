/**
 * Reads OTLP's protobuf (opentelemetry-proto: ExportLogsServiceRequest and what is in it) with @bufbuild/protobuf's wire reader and field
 * numbers of our own: eleven small messages, read record by record, so that a bad one spoils no other and a huge or deep one is never
 * built. Generated descriptors would decode the whole body first, and refuse all of it for one fault.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { RECORD_DEPTH } from '../limits.ts';
import { bytesText, type OtlpItem, type OtlpRecord, TOO_DEEP } from './otlp.ts';
import { BodyProblem } from './problem.ts';

/** Groups are no part of proto3; a few that are nested are skipped, more are an attack. */
const GROUP_DEPTH = 8;

/** Returns each record in its order. Throws `BodyProblem` when the bytes are no such message. */
export function* otlpFromProtobuf(bytes: Uint8Array): Generator<OtlpItem> {
  const reader = new BinaryReader(bytes);
  let index = 0;
  for (const resourceLogs of partsOf(reader, reader.len, 1)) {
    const resource = atStart(reader, resourceLogs, () => attributesUnder(reader, resourceLogs, 1));
    for (const scopeLogs of partsOf(reader, resourceLogs.end, 2)) {
      const scope = atStart(reader, scopeLogs, () => scopeUnder(reader, scopeLogs));
      for (const part of partsOf(reader, scopeLogs.end, 2)) {
        try {
          yield { index, record: recordAt(reader, part, resource, scope) };
        } catch (error) {
          const found = `bytes that are no log record (${error instanceof Error ? error.message : String(error)})`;
          yield { index, fault: { field: '', found, expected: 'a LogRecord of opentelemetry-proto' } };
        }
        reader.pos = part.end;
        index += 1;
      }
    }
  }
}

interface Part {
  start: number;
  end: number;
}

/** The messages under one field number, one after the other; what else stands between is skipped. The reader stands at the start of each. */
function* partsOf(reader: BinaryReader, end: number, wanted: number): Generator<Part> {
  while (reader.pos < end) {
    const part = nextPart(reader, end, wanted);
    if (part === undefined) continue;
    yield part;
    reader.pos = part.end;
  }
}

function nextPart(reader: BinaryReader, end: number, wanted: number): Part | undefined {
  const at = reader.pos;
  try {
    const [field, wire] = reader.tag();
    if (field !== wanted || wire !== WireType.LengthDelimited) {
      reader.skip(wire, field, GROUP_DEPTH);
      if (reader.pos > end) throw new RangeError('it ends too early');
      return undefined;
    }
    return partAt(reader, end);
  } catch (error) {
    throw new BodyProblem(
      '',
      `bytes that are no protobuf of OTLP logs at offset ${at} (${error instanceof Error ? error.message : String(error)})`,
      'an ExportLogsServiceRequest of opentelemetry-proto',
    );
  }
}

function partAt(reader: BinaryReader, end: number): Part {
  const length = reader.uint32();
  const part = { start: reader.pos, end: reader.pos + length };
  if (part.end > end) throw new RangeError(`a length of ${length} where ${end - part.start} bytes are left`);
  return part;
}

/** Looks through a part and comes back to its start: a resource may stand after what it is of. */
function atStart<T>(reader: BinaryReader, part: Part, look: () => T): T {
  reader.pos = part.start;
  const found = look();
  reader.pos = part.start;
  return found;
}

type Visit = (field: number, wire: WireType) => boolean;

/** Calls `visit` for each field of a message; what it does not take is skipped. */
function eachField(reader: BinaryReader, part: Part, visit: Visit): void {
  reader.pos = part.start;
  while (reader.pos < part.end) {
    const [field, wire] = reader.tag();
    if (!visit(field, wire)) reader.skip(wire, field, GROUP_DEPTH);
    if (reader.pos > part.end) throw new RangeError('a field that is longer than its message');
  }
}

function attributesUnder(reader: BinaryReader, part: Part, wanted: number): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const inner of partsOf(reader, part.end, wanted)) entries.push(...attributesIn(reader, inner, 1));
  return Object.fromEntries(entries);
}

function attributesIn(reader: BinaryReader, part: Part, wanted: number): [string, unknown][] {
  const entries: [string, unknown][] = [];
  guarded(() =>
    eachField(reader, part, (field, wire) => {
      if (field !== wanted || wire !== WireType.LengthDelimited) return false;
      entries.push(keyValueAt(reader, partAt(reader, part.end), 0));
      return true;
    }),
  );
  return entries;
}

function scopeUnder(reader: BinaryReader, part: Part): OtlpRecord['scope'] {
  const scope: OtlpRecord['scope'] = { name: '', version: '', attributes: {} };
  for (const inner of partsOf(reader, part.end, 1)) {
    scope.attributes = Object.fromEntries(attributesIn(reader, inner, 3));
    guarded(() =>
      eachField(reader, inner, (field, wire) => {
        if (wire !== WireType.LengthDelimited || (field !== 1 && field !== 2)) return false;
        scope[field === 1 ? 'name' : 'version'] = textAt(reader, inner.end);
        return true;
      }),
    );
  }
  return scope;
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new BodyProblem(
      '',
      `bytes that are no resource or scope (${error instanceof Error ? error.message : String(error)})`,
      'an ExportLogsServiceRequest of opentelemetry-proto',
    );
  }
}

function recordAt(
  reader: BinaryReader,
  part: Part,
  resource: OtlpRecord['resource'],
  scope: OtlpRecord['scope'],
): OtlpRecord {
  const record: OtlpRecord = {
    time: '',
    observedTime: '',
    severityNumber: 0,
    severityText: '',
    eventName: '',
    body: null,
    attributes: {},
    traceId: '',
    spanId: '',
    resource,
    scope,
  };
  const attributes: [string, unknown][] = [];
  eachField(reader, part, (field, wire) => {
    const { Bit64, Varint, LengthDelimited } = WireType;
    if (field === 1 && wire === Bit64) record.time = String(reader.fixed64());
    else if (field === 11 && wire === Bit64) record.observedTime = String(reader.fixed64());
    else if (field === 2 && wire === Varint) record.severityNumber = reader.int32();
    else if (field === 3 && wire === LengthDelimited) record.severityText = textAt(reader, part.end);
    else if (field === 5 && wire === LengthDelimited) record.body = valueAt(reader, partAt(reader, part.end), 0);
    else if (field === 6 && wire === LengthDelimited) attributes.push(keyValueAt(reader, partAt(reader, part.end), 0));
    else if (field === 9 && wire === LengthDelimited) record.traceId = idAt(reader, part.end, 16);
    else if (field === 10 && wire === LengthDelimited) record.spanId = idAt(reader, part.end, 8);
    else if (field === 12 && wire === LengthDelimited) record.eventName = textAt(reader, part.end);
    else return false;
    return true;
  });
  record.attributes = Object.fromEntries(attributes);
  return record;
}

/** The length is held against what is left of its message first: each of many that lie would have the rest of the body decoded. */
function bytesAt(reader: BinaryReader, end: number): Uint8Array {
  const at = reader.pos;
  partAt(reader, end);
  reader.pos = at;
  return reader.bytes();
}

const decoder = new TextDecoder();
/** Bytes that are not UTF-8 become U+FFFD: a log line is worth more than its bytes. */
const textAt = (reader: BinaryReader, end: number): string => decoder.decode(bytesAt(reader, end));

function idAt(reader: BinaryReader, end: number, size: number): string {
  const bytes = bytesAt(reader, end);
  return bytes.length === size && bytes.some((byte) => byte !== 0) ? Buffer.from(bytes).toString('hex') : '';
}

function keyValueAt(reader: BinaryReader, part: Part, depth: number): [string, unknown] {
  let key = '';
  let value: unknown = null;
  eachField(reader, part, (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) key = textAt(reader, part.end);
    else if (field === 2) value = valueAt(reader, partAt(reader, part.end), depth);
    else return false;
    return true;
  });
  reader.pos = part.end;
  return [key, value];
}

/** AnyValue: its fields are the kinds of values. */
function valueAt(reader: BinaryReader, part: Part, depth: number): unknown {
  let value: unknown = null;
  if (depth > RECORD_DEPTH) value = TOO_DEEP;
  else
    eachField(reader, part, (field, wire) => {
      const { Bit64, Varint, LengthDelimited } = WireType;
      if (field === 1 && wire === LengthDelimited) value = textAt(reader, part.end);
      else if (field === 2 && wire === Varint) value = reader.bool();
      else if (field === 3 && wire === Varint) value = exactly(reader.int64());
      else if (field === 4 && wire === Bit64) value = reader.double();
      else if (field === 5 && wire === LengthDelimited) value = valuesAt(reader, partAt(reader, part.end), depth + 1);
      else if (field === 6 && wire === LengthDelimited) value = pairsAt(reader, partAt(reader, part.end), depth + 1);
      else if (field === 7 && wire === LengthDelimited) value = bytesText(bytesAt(reader, part.end));
      else return false;
      return true;
    });
  reader.pos = part.end;
  return value;
}

function valuesAt(reader: BinaryReader, part: Part, depth: number): unknown[] {
  const values: unknown[] = [];
  eachField(reader, part, (field, wire) => {
    if (field !== 1 || wire !== WireType.LengthDelimited) return false;
    values.push(valueAt(reader, partAt(reader, part.end), depth));
    return true;
  });
  reader.pos = part.end;
  return values;
}

function pairsAt(reader: BinaryReader, part: Part, depth: number): Record<string, unknown> {
  const pairs: [string, unknown][] = [];
  eachField(reader, part, (field, wire) => {
    if (field !== 1 || wire !== WireType.LengthDelimited) return false;
    pairs.push(keyValueAt(reader, partAt(reader, part.end), depth));
    return true;
  });
  reader.pos = part.end;
  return Object.fromEntries(pairs);
}

/** As a number where one holds it exactly, else as text. */
function exactly(value: bigint | string): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

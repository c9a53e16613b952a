/** Writes OTLP's JSON as its protobuf, so that tests and recorded bodies can say in one way what they send. Not used outside of tests. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const { LengthDelimited, Varint, Bit64 } = WireType;

export interface JsonAttribute {
  key: string;
  value: JsonValue;
}
export interface JsonValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  bytesValue?: string;
  arrayValue?: { values: JsonValue[] };
  kvlistValue?: { values: JsonAttribute[] };
}
export interface JsonLogRecord {
  timeUnixNano?: string;
  observedTimeUnixNano?: string;
  severityNumber?: number;
  severityText?: string;
  eventName?: string;
  body?: JsonValue;
  attributes?: JsonAttribute[];
  traceId?: string;
  spanId?: string;
}
export interface JsonLogs {
  resourceLogs: {
    resource?: { attributes: JsonAttribute[] };
    scopeLogs: { scope?: { name?: string; version?: string }; logRecords: JsonLogRecord[] }[];
  }[];
}

type Write = (writer: BinaryWriter) => void;

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string | undefined): void {
  if (value !== undefined) writer.tag(field, LengthDelimited).string(value);
}

function value(writer: BinaryWriter, v: JsonValue): void {
  text(writer, 1, v.stringValue);
  if (v.boolValue !== undefined) writer.tag(2, Varint).bool(v.boolValue);
  if (v.intValue !== undefined) writer.tag(3, Varint).int64(v.intValue);
  if (v.doubleValue !== undefined) writer.tag(4, Bit64).double(v.doubleValue);
  const { arrayValue, kvlistValue, bytesValue } = v;
  if (arrayValue !== undefined)
    message(writer, 5, (w) => {
      for (const element of arrayValue.values) message(w, 1, (x) => value(x, element));
    });
  if (kvlistValue !== undefined) message(writer, 6, (w) => attributes(w, 1, kvlistValue.values));
  if (bytesValue !== undefined) writer.tag(7, LengthDelimited).bytes(Buffer.from(bytesValue, 'base64'));
}

function attributes(writer: BinaryWriter, field: number, list: readonly JsonAttribute[] | undefined): void {
  for (const attribute of list ?? []) {
    message(writer, field, (w) => {
      text(w, 1, attribute.key);
      message(w, 2, (x) => value(x, attribute.value));
    });
  }
}

function record(writer: BinaryWriter, r: JsonLogRecord): void {
  if (r.timeUnixNano !== undefined) writer.tag(1, Bit64).fixed64(r.timeUnixNano);
  if (r.observedTimeUnixNano !== undefined) writer.tag(11, Bit64).fixed64(r.observedTimeUnixNano);
  if (r.severityNumber !== undefined) writer.tag(2, Varint).int32(r.severityNumber);
  text(writer, 3, r.severityText);
  const { body } = r;
  if (body !== undefined) message(writer, 5, (w) => value(w, body));
  attributes(writer, 6, r.attributes);
  if (r.traceId !== undefined) writer.tag(9, LengthDelimited).bytes(Buffer.from(r.traceId, 'hex'));
  if (r.spanId !== undefined) writer.tag(10, LengthDelimited).bytes(Buffer.from(r.spanId, 'hex'));
  text(writer, 12, r.eventName);
}

/** Returns the bytes of an ExportLogsServiceRequest. */
export function otlpProtobuf(logs: JsonLogs): Buffer {
  const writer = new BinaryWriter();
  for (const ofResource of logs.resourceLogs) {
    message(writer, 1, (w) => {
      message(w, 1, (x) => attributes(x, 1, ofResource.resource?.attributes));
      for (const ofScope of ofResource.scopeLogs) {
        message(w, 2, (x) => {
          message(x, 1, (y) => {
            text(y, 1, ofScope.scope?.name);
            text(y, 2, ofScope.scope?.version);
          });
          for (const r of ofScope.logRecords) message(x, 2, (y) => record(y, r));
        });
      }
    });
  }
  return Buffer.from(writer.finish());
}

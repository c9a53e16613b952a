/** What OTLP calls an export request of logs, record by record, whichever way it was written; and its answers, in both. Storing is the intake's. */
import { isUtf8 } from 'node:buffer';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Fault } from './values.ts';

/** A log record with the resource and scope that it stands under; values as JSON has them. */
export interface OtlpRecord {
  /** Nanoseconds since 1970 as text: no number of JavaScript holds them. Empty or 0 where there is none. */
  time: string;
  observedTime: string;
  severityNumber: number;
  severityText: string;
  eventName: string;
  body: unknown;
  attributes: Record<string, unknown>;
  /** Hex; empty where there is none. */
  traceId: string;
  spanId: string;
  resource: Record<string, unknown>;
  scope: { name: string; version: string; attributes: Record<string, unknown> };
}

export type OtlpItem = { index: number } & ({ record: OtlpRecord } | { fault: Fault });

/** Stands for what is nested too deeply. */
export const TOO_DEEP = '…';

/** Returns what the bytes say where they are text, as collectors hand on lines that they did not decode; else base64. */
export function bytesText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = isUtf8(buffer) ? buffer.toString('utf8') : undefined;
  return text === undefined || /(?![\t\n\r])\p{Cc}/u.test(text) ? buffer.toString('base64') : text;
}

export type Encoding = 'Json' | 'Protobuf';
export const MEDIA_TYPES: Record<Encoding, string> = { Json: 'application/json', Protobuf: 'application/x-protobuf' };

const PROTOBUF = /^application\/(x-)?protobuf$/;

/** In what the sender writes, and is to be answered. */
export function encodingOf(mediaType: string): Encoding {
  return PROTOBUF.test(mediaType) ? 'Protobuf' : 'Json';
}

/**
 * Returns ExportLogsServiceResponse: with nothing when all was taken, as OTLP wants it, else with how many were not and why. A message
 * though none was rejected is a warning (opentelemetry-proto, "Partial Success").
 */
export function exportResponse(encoding: Encoding, rejected: number, message: string): Buffer {
  if (encoding === 'Json') {
    const partialSuccess = { rejectedLogRecords: String(rejected), errorMessage: message };
    return Buffer.from(JSON.stringify(message === '' ? {} : { partialSuccess }));
  }
  const writer = new BinaryWriter();
  if (message !== '') {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int64(rejected);
    writer.tag(2, WireType.LengthDelimited).string(message).join();
  }
  return Buffer.from(writer.finish());
}

/** Codes of google.rpc.Code for what HTTP says. */
const CODES = new Map([
  [400, 3],
  [401, 16],
  [403, 7],
  [404, 5],
  [413, 8],
  [415, 3],
  [429, 8],
  [503, 14],
]);
const INTERNAL = 13;

/** Returns google.rpc.Status. */
export function statusResponse(encoding: Encoding, status: number, message: string): Buffer {
  const code = CODES.get(status) ?? INTERNAL;
  if (encoding === 'Json') return Buffer.from(JSON.stringify({ code, message }));
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(code).tag(2, WireType.LengthDelimited).string(message);
  return Buffer.from(writer.finish());
}

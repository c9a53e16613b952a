/**
 * The recorded bodies of every format, as the receivers' folders hold them: `recorded/<Format>/<story>[.<variant>].<ending>`, with
 * `<story>[.<variant>].headers.json` beside it where headers matter (":path" in it is what stands behind the source's path) and
 * `source.json`, the spec of the AlertSource where the format asks for more than its name.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { AlertSource, AlertSourceSpec } from '@funnelai/crds/generated/types';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { Temporal } from 'temporal-polyfill';
import type { Envelope, Reading, Receiver } from '../receivers/receiver.ts';
import { createReceivers } from '../receivers/registry.ts';
import { anAlertSource } from './builders.ts';

const ROOT = join(import.meta.dirname, '../receivers/recorded');
/** Some minutes after what was recorded. */
export const RECORDED_NOW = Temporal.Instant.from('2026-03-01T15:00:00Z');

export interface RecordedBody {
  /** File name without its ending. */
  name: string;
  /** `firing`, `resolved`, `repeat`, `malformed`, `equal-titles` or another. */
  story: string;
  /** What stands between the first dot and the ending; empty when nothing does. */
  variant: string;
  body: Buffer;
  headers: IncomingHttpHeaders;
  path: string;
}

export interface RecordedFormat {
  receiver: Receiver;
  source: AlertSource;
  bodies: RecordedBody[];
}

/** Every format of the registry that has recorded bodies. */
export function recordedFormats(): RecordedFormat[] {
  return Object.values(createReceivers())
    .filter(({ format }) => existsSync(join(ROOT, format)))
    .map((receiver) => {
      const folder = join(ROOT, receiver.format);
      const files = readdirSync(folder).sort();
      const spec: Partial<AlertSourceSpec> = files.includes('source.json') ? jsonOf(folder, 'source.json') : {};
      const bodies = files
        .filter((file) => file !== 'source.json' && !file.endsWith('.headers.json'))
        .map((file) => recordedBody(folder, file, files, receiver));
      return { receiver, source: anAlertSource({ spec: { format: receiver.format, ...spec } }), bodies };
    });
}

function recordedBody(folder: string, file: string, files: readonly string[], receiver: Receiver): RecordedBody {
  const name = file.slice(0, file.lastIndexOf('.'));
  const [story = name, ...variant] = name.split('.');
  const beside = `${name}.headers.json`;
  const { ':path': path = receiver.paths[0] ?? '', ...headers }: Record<string, string> = files.includes(beside)
    ? jsonOf(folder, beside)
    : {};
  return { name, story, variant: variant.join('.'), body: readFileSync(join(folder, file)), headers, path };
}

function jsonOf<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

/** Reads a body as the intake would; `body` instead of the recorded one. */
export async function readRecorded(
  { receiver, source }: RecordedFormat,
  recorded: RecordedBody,
  body: Buffer = recorded.body,
): Promise<Reading> {
  const { headers, path } = recorded;
  const mediaType = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const envelope: Envelope = {
    body,
    headers,
    mediaType,
    path,
    query: new URLSearchParams(),
    source,
    now: RECORDED_NOW,
  };
  return await receiver.read(envelope);
}

/** The specs that its alerts would be stored with, were nothing stored yet. */
export function specsOf({ source }: RecordedFormat, reading: Reading) {
  return reading.received.map(({ input }) => toAlertSpec(input, source, RECORDED_NOW).spec);
}

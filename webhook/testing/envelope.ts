/** One request to a source of any format, for tests of receivers. */
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { AlertSourceSpec } from '@funnelai/crds/generated/types';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { Temporal } from 'temporal-polyfill';
import type { Envelope, Reading, SourceFormat } from '../receivers/receiver.ts';
import { createReceivers } from '../receivers/registry.ts';
import { anAlertSource } from './builders.ts';

export const ENVELOPE_NOW = Temporal.Instant.from('2026-01-31T13:00:00Z');

export interface EnvelopeParts {
  /** JSON, unless it is text or bytes. */
  body: unknown;
  headers?: IncomingHttpHeaders;
  path?: string;
  spec?: Partial<AlertSourceSpec>;
}

export function anEnvelope(format: SourceFormat, { body, headers = {}, path = '', spec }: EnvelopeParts): Envelope {
  const bytes = body instanceof Uint8Array ? body : typeof body === 'string' ? body : JSON.stringify(body);
  return {
    body: Buffer.from(bytes as string),
    headers,
    mediaType: headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '',
    path,
    query: new URLSearchParams(),
    source: anAlertSource({ name: 'src', spec: { format, ...spec } }),
    now: ENVELOPE_NOW,
  };
}

export async function read(format: SourceFormat, parts: EnvelopeParts): Promise<Reading> {
  return await createReceivers()[format].read(anEnvelope(format, parts));
}

/** Returns the specs that the alerts of a body would be stored with, were nothing stored yet. */
export async function specsFrom(format: SourceFormat, parts: EnvelopeParts) {
  const { source } = anEnvelope(format, parts);
  const { received } = await read(format, parts);
  return received.map(({ input }) => toAlertSpec(input, source, ENVELOPE_NOW).spec);
}

/** A recorded body, with the headers that stand beside it. */
export function recorded(format: SourceFormat, file: string): { body: Buffer; headers: IncomingHttpHeaders } {
  const folder = join(import.meta.dirname, '../receivers/recorded', format);
  const beside = `${file.slice(0, file.lastIndexOf('.'))}.headers.json`;
  return {
    body: readFileSync(join(folder, file)),
    headers: JSON.parse(readFileSync(join(folder, beside), 'utf8')),
  };
}

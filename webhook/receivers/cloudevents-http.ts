/**
 * How CloudEvents travel over HTTP: takes events out of bodies and headers, as JSON would hold them (HTTP Protocol Binding 1.0.2), and
 * answers who asks whether they are wanted (HTTP 1.1 Web Hooks for Event Delivery 1.0.2, Abuse Protection).
 */

import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { parseJson } from '../intake/json.ts';
import { INTAKE_ALERTS } from '../limits.ts';
import { BodyProblem, describe, TooManyAlerts } from './problem.ts';
import { type Envelope, takesJson } from './receiver.ts';
import { isRecord, own } from './values.ts';

/** A DNS expression: names, perhaps with asterisks and a port. */
const ORIGIN = /^[A-Za-z0-9*_](?:[A-Za-z0-9*_.-]{0,252})(?::\d{1,5})?$/;

/**
 * Returns the headers by which a source says yes to a validation request, whoever sends it and however fast; undefined for what is none.
 * A callback is never visited: it is an address that a stranger names.
 */
export function consentTo(headers: IncomingHttpHeaders): Record<string, string> | undefined {
  const origin = headers['webhook-request-origin'];
  if (typeof origin !== 'string' || !ORIGIN.test(origin.trim())) return undefined;
  return { 'webhook-allowed-origin': origin.trim(), 'webhook-allowed-rate': '*' };
}

const ONE = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

export const isStructured = (mediaType: string): boolean => mediaType === ONE || mediaType === BATCH;

/** Returns the events of a body. Throws `BodyProblem` where it holds none; a list is one also where the type says "one event". */
export function structuredEvents({ body, mediaType }: Envelope): unknown[] {
  if (mediaType !== '' && !takesJson(mediaType))
    throw new BodyProblem(
      'ce-specversion',
      'no such header',
      `the headers of a CloudEvent (ce-specversion: 1.0, ce-id, ce-source, ce-type) beside a body of ${mediaType}, or a body of ${ONE}`,
    );
  const parsed = parseJson(body);
  const events = Array.isArray(parsed) ? parsed : [parsed];
  if (events.length > INTAKE_ALERTS) throw new TooManyAlerts(events.length, INTAKE_ALERTS);
  const isEvent = (value: unknown) => isRecord(value) && own(value, 'specversion') !== undefined;
  // A list may hold some that are none; a body without a single one was not meant as events.
  if (events.length > 0 && !events.some(isEvent)) {
    const found = isRecord(parsed) ? 'an object without specversion, and no header ce-specversion' : describe(parsed);
    throw new BodyProblem('', found, `a CloudEvent as ${ONE}, a list of them as ${BATCH}, or one in the headers ce-*`);
  }
  return events.map((event) => (isRecord(event) ? withData(event) : event));
}

/** Bytes are JSON, or text, or stay base64. */
function withData(event: Record<string, unknown>): Record<string, unknown> {
  const encoded = own(event, 'data_base64');
  if (typeof encoded !== 'string' || (own(event, 'data') ?? null) !== null) return event;
  return { ...event, data: dataFrom(Buffer.from(encoded, 'base64'), contentType(own(event, 'datacontenttype'))) };
}

const contentType = (value: unknown): string =>
  typeof value === 'string' ? (value.split(';', 1)[0]?.trim().toLowerCase() ?? '') : '';

const PREFIX = 'ce-';

/** Returns the one event that headers and body make in binary mode. */
export function binaryEvent({ body, headers, mediaType }: Envelope): Record<string, unknown> {
  const attributes = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    name.startsWith(PREFIX) && typeof value === 'string' ? [[name.slice(PREFIX.length), decoded(value)]] : [],
  );
  const event: Record<string, unknown> = Object.fromEntries(attributes);
  if (mediaType !== '') event.datacontenttype = mediaType;
  if (body.length > 0) event.data = dataFrom(body, mediaType);
  return event;
}

/** Header values are percent-encoded UTF-8; what is no such encoding is taken as it stands. */
function decoded(value: string): string {
  const plain = value.replace(/^"((?:[^"\\]|\\.)*)"$/, (_, inner: string) => inner.replace(/\\(.)/g, '$1'));
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

function dataFrom(bytes: Buffer, mediaType: string): unknown {
  if (mediaType === '' || takesJson(mediaType)) {
    try {
      return parseJson(bytes);
    } catch (error) {
      // What says that it is JSON and is none is still the event's data.
      if (!(error instanceof Error)) throw error;
    }
  }
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('base64');
}

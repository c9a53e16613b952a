/**
 * Reads CloudEvents 1.0 over HTTP: structured, in batches, and binary (attributes in headers). An event is a moment; what it is about is
 * its source, type and subject, and that is the alert. Its id is new with each event and tells nothing apart but deliveries.
 * It resolves when it says so in a word of its own: attribute `state`, `state` or `status` of its data, or a type that ends in `.resolved`.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { AlertInput } from '@funnelai/domain/alert-input';
import { celInput } from '@funnelai/domain/cel-input';
import { labelsFrom } from '@funnelai/domain/labels';
import { parseMoment } from '@funnelai/domain/moment';
import { binaryEvent, consentTo, isStructured, structuredEvents } from './cloudevents-http.ts';
import { scalar } from './lenient.ts';
import { type RecordReading, readRecords } from './mapped.ts';
import { flattened, jsonIn } from './nested.ts';
import { describe } from './problem.ts';
import { type Envelope, type Reading, type Receiver, takesJson } from './receiver.ts';
import { type Fault, isRecord, own, text } from './values.ts';

export const cloudEvents: Receiver = {
  format: 'CloudEvents',
  paths: [''],
  // In binary mode the data may be of any type; what curl sends by itself is a mistake, and other event formats we cannot read.
  takes: (mediaType) =>
    mediaType !== 'application/x-www-form-urlencoded' &&
    (!mediaType.startsWith('application/cloudevents') || isStructured(mediaType)),
  expects: 'application/cloudevents+json, application/cloudevents-batch+json, or any type with the headers ce-*',
  // In binary mode data of no type, or of one that is no text, may be anything.
  isBinary: ({ headers, mediaType }) =>
    headers['ce-specversion'] !== undefined && !takesJson(mediaType) && !mediaType.startsWith('text/'),
  consent: consentTo,
  // HTTP 1.1 Web Hooks for Event Delivery 1.0.2, 3.2.
  tokenParameter: 'access_token',
  read: readEvents,
};

async function readEvents(envelope: Envelope): Promise<Reading> {
  const events =
    envelope.headers['ce-specversion'] === undefined ? structuredEvents(envelope) : [binaryEvent(envelope)];
  const reached = new Set<string>();
  const records = events.map((record, index) => ({ index, record }));
  const reading = await readRecords(envelope, records, {
    item: (event) => celInput(event).value,
    read: (event) => eventReading(event, reached, isKeyed(envelope.source)),
  });
  return { ...reading, reached: [...(reading.reached ?? []), ...reached] };
}

/** Whether the source's mapping says what tells one fault from another. */
const isKeyed = ({ spec: { mapping } }: AlertSource): boolean =>
  mapping?.key !== undefined || mapping?.labels !== undefined || mapping?.labelsFrom !== undefined;

/** Attributes of the core, and extensions that change from event to event. */
const CORE = new Set([
  'id',
  'source',
  'specversion',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
  'data_base64',
]);
const OF_THE_EVENT = new Set([
  'traceparent',
  'tracestate',
  'sequence',
  'sequencetype',
  'sampledrate',
  'recordedtime',
  'expirytime',
  'dataref',
  'partitionkey',
  'correlationid',
  'causationid',
]);
/** Extensions that are read in a place of their own. */
const OURS = new Set(['state', 'severity', 'dedupkey']);
const SUFFIX = /\.(firing|resolved)$/i;

function eventReading(event: unknown, reached: Set<string>, isKeyedElsewhere: boolean): RecordReading {
  if (!isRecord(event))
    return { faults: [{ field: '', found: describe(event), expected: 'a CloudEvent: a JSON object' }] };
  const faults: Fault[] = [];
  const demanded = (name: string): string => {
    const value = text(event, name);
    if (value === undefined)
      faults.push({ field: name, found: describe(own(event, name)), expected: 'a text that is not empty' });
    return value ?? '';
  };
  const version = own(event, 'specversion');
  // Who leaves out the quotes sends a number, and JSON has one for 1.0 and 1.
  if (version !== '1.0' && version !== 1)
    faults.push({ field: 'specversion', found: describe(version), expected: '"1.0"' });
  const source = demanded('source');
  const type = demanded('type');
  if (faults.length > 0) return { faults };
  const notes: string[] = [];
  if (text(event, 'id') === undefined) notes.push('the event has no id: CloudEvents demand one');
  // Many senders name none, and then all that they say is one alert: nothing but this would tell why.
  if (attribute(event, 'subject') === undefined && attribute(event, 'dedupkey') === undefined && !isKeyedElsewhere)
    notes.push('the event names no subject: all events of its source and type are this one alert');
  return { input: alertFrom(event, { source, type }, notes, reached) };
}

/** Integers and booleans are values of attributes too, and JSON writes them as what they are (CloudEvents 1.0.2, JSON format, 2.2). */
const attribute = (event: Record<string, unknown>, name: string): string | undefined =>
  text(event, name) ?? scalar(event, name);

function alertFrom(
  event: Record<string, unknown>,
  { source, type }: { source: string; type: string },
  notes: string[],
  reached: Set<string>,
): AlertInput {
  const data = dataOf(event, notes);
  const kind = type.replace(SUFFIX, '');
  const subject = attribute(event, 'subject');
  const labels: [string, string][] = [...labelsIn(data, reached), ['alertname', kind], ['source', source]];
  if (subject !== undefined) labels.push(['subject', subject]);
  const annotations: [string, string][] = [];
  for (const [name, value] of Object.entries(event)) {
    if (CORE.has(name) || OURS.has(name) || value === null || typeof value === 'object') continue;
    (OF_THE_EVENT.has(name) ? annotations : labels).push([name, String(value)]);
  }
  annotations.push(...annotationsIn(data, reached));
  const state = stateOf(event, data, type, notes);
  const occurredAt = timeOf(event, notes);
  const severity = attribute(event, 'severity') ?? wordIn(data, ['severity', 'level', 'priority']);
  const title = wordIn(data, ['title', 'summary', 'message']) ?? (subject === undefined ? kind : `${kind}: ${subject}`);
  const description = wordIn(data, ['description', 'details']) ?? (typeof data === 'string' ? data : undefined);
  const key = attribute(event, 'dedupkey');
  const dataref = text(event, 'dataref');
  return {
    labels: labelsFrom(labels),
    annotations: labelsFrom(annotations),
    state,
    title,
    ...(description === undefined ? {} : { description }),
    ...(severity === undefined ? {} : { severity }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
    dedupKey: key ?? JSON.stringify([source, kind, ...(subject === undefined ? [] : [subject])]),
    links: dataref === undefined ? [] : [{ title: 'Data of the event', url: dataref, kind: 'Source' }],
    notes,
  };
}

/** JSON inside JSON: bridges put the payload of a queue into a text. */
function dataOf(event: Record<string, unknown>, notes: string[]): unknown {
  const data = own(event, 'data');
  const inner = typeof data === 'string' ? jsonIn(data) : undefined;
  if (inner === undefined) return data;
  notes.push('data was JSON in a text and is read as its fields');
  return inner;
}

function wordIn(data: unknown, names: readonly string[]): string | undefined {
  const name = isRecord(data) ? names.find((field) => text(data, field) !== undefined) : undefined;
  return isRecord(data) && name !== undefined ? text(data, name) : undefined;
}

/** Labels that the data calls so; its other fields may change from event to event. */
function labelsIn(data: unknown, reached: Set<string>): [string, string][] {
  const labels = isRecord(data) ? own(data, 'labels') : undefined;
  return isRecord(labels) ? [...flattened(labels, reached)].map(([name, value]) => [name, String(value)]) : [];
}

function annotationsIn(data: unknown, reached: Set<string>): [string, string][] {
  if (!isRecord(data)) return [];
  const { labels: _labels, annotations, ...rest } = data;
  const named = isRecord(annotations) ? [...flattened(annotations, reached)] : [];
  return [...flattened(rest, reached), ...named].map(([name, value]) => [name, String(value)]);
}

/** Only the word itself resolves; one that is not known is said, and the alert fires. */
function stateOf(event: Record<string, unknown>, data: unknown, type: string, notes: string[]): 'Firing' | 'Resolved' {
  const said = attribute(event, 'state') ?? wordIn(data, ['state', 'status']);
  const word = said?.trim().toLowerCase();
  if (word === 'resolved') return 'Resolved';
  if (word === 'firing') return 'Firing';
  const suffix = SUFFIX.exec(type)?.[1]?.toLowerCase();
  if (word !== undefined && suffix === undefined)
    notes.push(`state ${describe(said)} is neither firing nor resolved: taken for firing`);
  return suffix === 'resolved' ? 'Resolved' : 'Firing';
}

function timeOf(event: Record<string, unknown>, notes: string[]): AlertInput['occurredAt'] {
  const time = own(event, 'time');
  if (time === undefined || time === null) return undefined;
  const instant = typeof time === 'string' || typeof time === 'number' ? parseMoment(String(time)) : undefined;
  if (instant === undefined) notes.push(`time is none that can be read: ${describe(time)}`);
  return instant ?? undefined;
}

/** Reads single values of the monitoring services' bodies: texts and numbers as text. Never throws. */
import { type Labels, labelsFrom } from '@funnelai/domain/labels';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import type { AlertProblem } from './problem.ts';
import type { Reading, Received } from './receiver.ts';
import { isRecord, own } from './values.ts';

/** Returns what says something under this path: text without the white space around it, a number, true or false. */
export function textAt(record: Record<string, unknown>, ...path: readonly string[]): string | undefined {
  let value: unknown = record;
  for (const key of path) value = isRecord(value) ? own(value, key) : undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return undefined;
  return value.toWellFormed().trim() || undefined;
}

/** Returns the object under this key; an empty one where there is none. */
export function recordAt(record: Record<string, unknown>, ...path: readonly string[]): Record<string, unknown> {
  let value: unknown = record;
  for (const key of path) value = isRecord(value) ? own(value, key) : undefined;
  return isRecord(value) ? value : {};
}

/** Returns the objects of the list under this key. */
export function recordsAt(record: Record<string, unknown>, key: string): Record<string, unknown>[] {
  const value = own(record, key);
  return Array.isArray(value) ? value.slice(0, INTAKE_ALERT_ENTRIES).filter(isRecord) : [];
}

/** Returns the texts of an object, under their names. */
export function textsIn(record: Record<string, unknown>): [string, string | undefined][] {
  return Object.keys(record)
    .slice(0, INTAKE_ALERT_ENTRIES)
    .map((name) => [name.toWellFormed(), textAt(record, name)]);
}

/** Labels or annotations of the entries that have both a name and a text; of two with one name the first stays. */
export function mapOf(...entries: readonly (readonly [name: string, value: string | undefined])[]): Labels {
  const kept = new Map<string, string>();
  for (const [name, value] of entries) if (name !== '' && value !== undefined && !kept.has(name)) kept.set(name, value);
  return labelsFrom(kept);
}

/** The reading of a body that holds one alert, or says why it holds none. */
export function readingOf(o: {
  input?: Received['input'];
  faults?: readonly Omit<AlertProblem, 'index'>[];
  ignored?: string;
}): Reading {
  const { input, faults = [], ignored } = o;
  return {
    received: input === undefined || faults.length > 0 ? [] : [{ index: 0, input }],
    problems: faults.map((fault) => ({ index: 0, ...fault })),
    truncated: 0,
    ignored: ignored === undefined ? [] : [ignored],
  };
}

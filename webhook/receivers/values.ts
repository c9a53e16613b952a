/** Reads the parts of a JSON body that any sender may have got wrong. Collects faults instead of throwing, and never follows a prototype. */
import { parseMoment } from '@funnelai/domain/moment';
import type { Oddity } from '@funnelai/domain/possible-times';
import type { Temporal } from 'temporal-polyfill';
import { INTAKE_ALERT_ENTRIES, INTAKE_FAULTS_PER_ALERT } from '../limits.ts';
import { type AlertProblem, describe, discreet } from './problem.ts';

/** One thing that is wrong with the alert at hand. */
export type Fault = Omit<AlertProblem, 'index'>;

/** What is said of an alert while it is read: faults refuse it, what is odd is taken all the same. */
export interface Said {
  faults: Fault[];
  odd: Oddity[];
}

/** Label and annotation names in a message; the domain bounds what is stored. */
const NAME_SHOWN = 60;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an own property only: a body must not reach `Object.prototype`. */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Returns the own property when it is text that is not empty. */
export function text(record: Record<string, unknown>, key: string): string | undefined {
  const value = own(record, key);
  return typeof value === 'string' && value !== '' ? value.toWellFormed() : undefined;
}

/**
 * Returns the map of texts in this field. An empty value, or null, means the same as none, as everywhere in Prometheus; what else is no text
 * is taken as the text that `asText` makes of it, and said, or is a fault where that makes none.
 */
export function readMap(
  raw: Record<string, unknown>,
  field: string,
  { faults, odd }: Said,
  asText: (value: unknown) => string | undefined,
): Record<string, string> {
  const value = own(raw, field);
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    faults.push({ field, found: describe(value), expected: 'an object of text values' });
    return {};
  }
  const names = Object.keys(value);
  if (names.length > INTAKE_ALERT_ENTRIES) {
    faults.push({ field, found: `${names.length} of them`, expected: `at most ${INTAKE_ALERT_ENTRIES}` });
    return {};
  }
  // As it has to be: then the sender's own map is taken, which nobody else holds.
  if (names.every((name) => isPlain(name) && isPlain(value[name]))) return value as Record<string, string>;
  const entries: [string, string][] = [];
  for (const [name, sent] of Object.entries(value)) {
    // Go reads null as a text that is empty, and so does Alertmanager.
    if (sent === null) continue;
    if (name === '') {
      faults.push({ field: `${field}[""]`, found: 'an empty name', expected: 'a name' });
      continue;
    }
    const value = typeof sent === 'string' ? sent : asText(sent);
    if (typeof sent !== 'string') {
      const place = `${field}[${describe(name.slice(0, NAME_SHOWN))}]`;
      const fault = { field: place, found: describe(sent), expected: 'text' };
      if (value === undefined) faults.push(fault);
      // It becomes a note of the alert: what `password` is stays out of it.
      else if (odd.length < INTAKE_FAULTS_PER_ALERT) odd.push({ ...discreet(fault), done: 'taken as text' });
    }
    if (value) entries.push([name.toWellFormed(), value.toWellFormed()]);
  }
  // fromEntries makes own properties, `__proto__` included; assignment would not.
  return Object.fromEntries(entries);
}

const isPlain = (text: unknown): boolean => typeof text === 'string' && text !== '' && text.isWellFormed();

/**
 * Returns the instant of a text or of a count since 1970; undefined, without a word, where there is none or it is Go's zero time. What is no
 * time is a fault where the alert needs it, else it is left out, and said.
 */
export function readTime(
  raw: Record<string, unknown>,
  field: string,
  { faults, odd }: Said,
  isNeeded: boolean,
): Temporal.Instant | undefined {
  const value = own(raw, field);
  if (value === undefined || value === null) return undefined;
  const instant = typeof value === 'string' || typeof value === 'number' ? parseMoment(String(value)) : undefined;
  if (instant === undefined) {
    const fault = { field, found: describe(value), expected: 'an RFC 3339 time like 2026-01-31T12:00:00Z' };
    if (isNeeded) faults.push(fault);
    else odd.push({ ...fault, done: 'left out' });
  }
  return instant ?? undefined;
}

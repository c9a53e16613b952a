/**
 * Reads the admission log: what the API server itself noted of each change of phase, severity, priority and owner, in the
 * annotation that no client can forge. Turning its entries into numbered changes is changes.ts's.
 */
import { parseInstant } from './instants.ts';

/** The fields that admission watches. */
export type LoggedField = 'phase' | 'severity' | 'priority' | 'owner';
const FIELDS: readonly string[] = ['phase', 'severity', 'priority', 'owner'] satisfies LoggedField[];

export interface LogEntry {
  /** Running number over the life of the incident, from 1. */
  number: number;
  field: LoggedField;
  /** The new value; '' when it was removed. */
  value: string;
  /** request.userInfo.username. */
  user: string;
  /** RFC 3339, one-second grain; '' when the write left no time, as one does that only takes a value away. */
  at: string;
  /** phaseReason, for phase; '' when none. */
  reason: string;
}
export interface AdmissionLog {
  /** Number of the last entry ever written; entries before the last 16 are gone. */
  counter: number;
  entries: LogEntry[];
}

/** How many entries the policy keeps. */
export const LOG_MAX_ENTRIES = 16;
/** Far above what 16 entries of bounded fields can take. */
const LOG_MAX_CHARS = 64 * 1024;

/**
 * Returns the log that the annotation holds; undefined when it is absent or not of the form that the policy writes, which means
 * that this cluster has no policy. An entry that cannot be read ends nothing: it is left out, and its number stays missing.
 */
export function parseChangesAnnotation(value: string | undefined): AdmissionLog | undefined {
  if (value === undefined || value.length > LOG_MAX_CHARS) return undefined;
  const [head, ...texts] = value.split(';');
  if (head === undefined || !/^\d{1,15}$/.test(head)) return undefined;
  const counter = Number(head);
  if (texts.length > LOG_MAX_ENTRIES || texts.length > counter) return undefined;
  const entries = texts.flatMap((text, i) => parseEntry(text, counter - texts.length + 1 + i) ?? []);
  return { counter, entries };
}

function parseEntry(text: string, number: number): LogEntry | undefined {
  const [field, value, user, at, reason = '', ...more] = text.split('|');
  if (field === undefined || value === undefined || user === undefined || at === undefined || more.length > 0)
    return undefined;
  if (!isField(field) || (at !== '' && parseInstant(at) === undefined)) return undefined;
  return { number, field, value: decode(value), user: decode(user), at, reason: decode(reason) };
}

const isField = (text: string): text is LoggedField => FIELDS.includes(text);

/** Only what the policy encodes is decoded: any other percent sign was there before. */
function decode(text: string): string {
  return text.replace(/%(25|7C|3B)/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Writes an entry as the policy does; for tests and for clusters played by tests. */
export function encodeChangesAnnotation(log: AdmissionLog): string {
  const encode = (text: string) => text.replaceAll('%', '%25').replaceAll('|', '%7C').replaceAll(';', '%3B');
  const entries = log.entries.map((e) => [e.field, encode(e.value), encode(e.user), e.at, encode(e.reason)].join('|'));
  return [String(log.counter), ...entries].join(';');
}

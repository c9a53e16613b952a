/**
 * Reads single values the way senders write them: numbers as text, times as epoch in any unit, anything at all under a name.
 * Never throws and never guesses in silence: what was not understood is noted for people.
 */
import { type Labels, labelsFrom } from '@funnelai/domain/labels';
import { parseMoment } from '@funnelai/domain/moment';
import type { Temporal } from 'temporal-polyfill';
import { INTAKE_ALERT_ENTRIES } from '../limits.ts';
import { describe } from './problem.ts';
import { isRecord, own } from './values.ts';

/** Returns the own property as trimmed text when it is text, a number or true/false that says something. */
export function scalar(record: Record<string, unknown>, key: string): string | undefined {
  return scalarText(own(record, key));
}

export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return undefined;
  const trimmed = value.toWellFormed().trim();
  return trimmed === '' ? undefined : trimmed;
}

/** Returns the own property when it is an object; else an empty one, so that what is below it is merely absent. */
export function inner(record: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = own(record, key);
  return isRecord(value) ? value : {};
}

/** Returns any JSON value as one text; undefined where it says nothing. What is nested too deeply to be written is named instead. */
export function anyText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') return scalarText(value);
  try {
    return JSON.stringify(value).toWellFormed();
  } catch {
    return `${describe(value)}, nested too deeply to be shown`;
  }
}

/** Returns the entries that have a name and a text, as labels or annotations; the first of two with one name stays. */
export function textsOf(entries: Iterable<readonly [name: string, value: string | undefined]>): Labels {
  const kept = new Map<string, string>();
  for (const [name, value] of entries) {
    const clean = name.toWellFormed();
    if (clean === '' || value === undefined || value === '' || kept.has(clean)) continue;
    if (kept.size >= INTAKE_ALERT_ENTRIES) break;
    kept.set(clean, value);
  }
  return labelsFrom(kept);
}

/**
 * Returns the instant of a text or of an epoch, as number or text, in seconds to nanoseconds. Undefined where there is none, where it is
 * zero ("not yet"), and, with a note, where it is not understood.
 */
export function lenientTime(
  record: Record<string, unknown>,
  key: string,
  notes: string[],
): Temporal.Instant | undefined {
  const value = own(record, key);
  if (value === undefined || value === null || value === '') return undefined;
  const instant = parseMoment(scalarText(value) ?? 'no text');
  if (instant === undefined) notes.push(`${key} left out: found ${describe(value)}, expected a time`);
  return instant ?? undefined;
}

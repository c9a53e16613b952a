/** Points in time as programs write them into logs and events: RFC 3339, SQL's way, and counts since 1970 in any usual unit. */
import { Temporal } from 'temporal-polyfill';
import { isGoZero, parseInstant, plainInstant } from './instants.ts';

const COUNT = /^-?(\d{1,19})(?:\.(\d{1,20}))?$/;
/** RFC 3339 but for the colon in the offset, as ISO 8601 allows, and Amazon and PagerDuty write it. */
const BARE_OFFSET = /([+-]\d{2})(\d{2})$/;
/** A year of six digits, as JavaScript writes one that came of milliseconds taken for seconds. */
const EXPANDED = /^[+-]\d{6}-/;
/** `2026-01-31 12:00:00.123456`, in UTC: java.sql.Timestamp, as Fluent Bit writes it. */
const SQL = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:[.,]\d+)?)$/;

/**
 * Returns the instant so many units after 1970, and a fraction of one; undefined past what can be written as RFC 3339. The unit is told by
 * the size: below 10^11 seconds (until the year 5138), below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds.
 * @param whole digits, `fraction` those behind the point.
 */
export function instantOfCount(whole: string, fraction: string): Temporal.Instant | undefined {
  const value = BigInt(whole);
  const digits =
    value < 100_000_000_000n ? 9 : value < 100_000_000_000_000n ? 6 : value < 100_000_000_000_000_000n ? 3 : 0;
  const nanos = value * 10n ** BigInt(digits) + BigInt(fraction.slice(0, digits).padEnd(digits, '0') || '0');
  try {
    return parseInstant(Temporal.Instant.fromEpochNanoseconds(nanos).toString());
  } catch {
    return undefined;
  }
}

/**
 * Returns the instant, which may be of a year that RFC 3339 cannot write; null for what means "none" ('', 0, Go's zero time); undefined
 * for what cannot be read. Counts as in `instantOfCount`.
 */
export function parseMoment(text: string): Temporal.Instant | null | undefined {
  const plain = plainInstant(text);
  // No zero of a calendar is written so: those lie in the first year.
  if (plain !== undefined) return plain;
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const count = COUNT.exec(trimmed);
  if (count !== null) return fromCount(trimmed, count[1] ?? '', count[2] ?? '');
  const sql = SQL.exec(trimmed);
  const text3339 = sql === null ? trimmed.replace(BARE_OFFSET, '$1:$2') : `${sql[1]}T${sql[2]}Z`;
  const instant = EXPANDED.test(trimmed) ? expanded(trimmed) : parseInstant(text3339);
  return instant !== undefined && isGoZero(instant) ? null : instant;
}

function expanded(text: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}

function fromCount(text: string, whole: string, fraction: string): Temporal.Instant | null | undefined {
  if (/^0*$/.test(whole) && /^0*$/.test(fraction)) return null;
  return text.startsWith('-') ? undefined : instantOfCount(whole, fraction);
}

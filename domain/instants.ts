/** Instants and durations as they stand in objects: read leniently as RFC 3339 and Go allow, written in one way. The clock is kube's. */
import { Temporal } from 'temporal-polyfill';

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}:\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Returns the instant that an RFC 3339 text names (nanoseconds, any offset, a leap second taken as the one before it), or
 * undefined for anything else. Years outside 0000–9999 in UTC are refused: they could not be written back.
 */
export function parseInstant(text: string | undefined): Temporal.Instant | undefined {
  if (text === undefined) return undefined;
  const plain = plainInstant(text);
  if (plain !== undefined) return plain;
  const found = RFC3339.exec(text);
  if (!found) return undefined;
  const [, day, hour, rest, fraction, offset] = found;
  if (hour === '24') return undefined;
  // A leap second is only ever the last of a minute; Temporal reads :60 as :59.
  const digits = fraction === undefined ? '' : `.${fraction.slice(0, 9)}`;
  try {
    const instant = Temporal.Instant.from(`${day}T${hour}:${rest}${digits}${offset?.toUpperCase()}`);
    return isWritable(instant) ? instant : undefined;
  } catch {
    return undefined;
  }
}

/** The text's digits from `from` on as a number; NaN where one is none. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

const MONTH_DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/**
 * The same for what nearly every program writes, `2026-01-31T12:00:00.123456789Z` with up to nine digits, at an eighth of the cost: each
 * alert brings one, and each merge looks at several. Undefined says nothing.
 */
export function plainInstant(text: string): Temporal.Instant | undefined {
  const { length } = text;
  if (length < 20 || length > 30 || text.charCodeAt(length - 1) !== Z || text.charCodeAt(10) !== T) return undefined;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  // Of the first hundred years Date.UTC takes the last ones.
  if (!(year >= 1_000 && month >= 1 && month <= 12 && day >= 1)) return undefined;
  if (day > (MONTH_DAYS[month] ?? 0) && !(month === 2 && day === 29 && isLeap(year))) return undefined;
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)];
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  const count = length - 21;
  if (count >= 0 && (count === 0 || text.charCodeAt(19) !== POINT)) return undefined;
  const fraction = count > 0 ? digits(text, 20, count) * 10 ** (9 - count) : 0;
  if (Number.isNaN(fraction)) return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  return Temporal.Instant.fromEpochNanoseconds(BigInt(ms) * 1_000_000n + BigInt(fraction));
}
const DASH = 45;
const POINT = 46;
const COLON = 58;
const T = 84;
const Z = 90;

const FIRST_NS = -62_167_219_200_000_000_000n;
const LAST_NS = 253_402_300_800_000_000_000n;
function isWritable(instant: Temporal.Instant): boolean {
  return instant.epochNanoseconds >= FIRST_NS && instant.epochNanoseconds < LAST_NS;
}

/** What was written last: all alerts of a body are received at one instant. */
let last: { instant: Temporal.Instant; text: string } | undefined;

/** Returns the instant as UTC with exactly six fractional digits, cut and not rounded, so that order is kept. */
export function formatMicros(instant: Temporal.Instant): string {
  if (last?.instant === instant) return last.text;
  const text = microsOf(instant);
  last = { instant, text };
  return text;
}

function microsOf(instant: Temporal.Instant): string {
  const { epochMilliseconds: ms, epochNanoseconds } = instant;
  // Date writes more digits for other years, as Temporal does.
  if (ms < FIRST_MS || ms >= END_MS) return instant.toString({ fractionalSecondDigits: 6, roundingMode: 'floor' });
  const micros = Math.floor(Number(epochNanoseconds - BigInt(ms) * 1_000_000n) / 1_000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
const FIRST_MS = Date.UTC(1_000, 0);
const END_MS = Date.UTC(10_000, 0);

const GO_ZERO_MS = -62_135_596_800_000;
/** The farthest that a zone is from UTC. */
const ZONE_MS = 14 * 3_600_000;

/** Is this the time that Go programs send for "none", 0001-01-01T00:00:00, in whatever zone? */
export function isGoZero(instant: Temporal.Instant): boolean {
  return Math.abs(instant.epochMilliseconds - GO_ZERO_MS) <= ZONE_MS;
}

/** Returns the later of two texts as instants; one that cannot be read loses. */
export function laterOf(a: string | undefined, b: string | undefined): string | undefined {
  return compareInstants(a, b) >= 0 ? a : b;
}

/** Compares two texts as instants: negative, zero or positive; one that is absent or cannot be read is before all others. */
export function compareInstants(a: string | undefined, b: string | undefined): number {
  const [x, y] = [parseInstant(a), parseInstant(b)];
  if (!x || !y) return Number(x !== undefined) - Number(y !== undefined);
  return Temporal.Instant.compare(x, y);
}

/** Returns b − a in milliseconds; undefined when either cannot be read. */
export function msBetween(a: string | undefined, b: string | undefined): number | undefined {
  const [x, y] = [parseInstant(a), parseInstant(b)];
  return x && y ? Number(y.epochNanoseconds - x.epochNanoseconds) / 1e6 : undefined;
}

const UNIT_MS: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};
const DURATION = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|μs|ns))+$/;
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|μs|ns)/g;
/** Longest duration that Go can hold, in milliseconds: about 292 years. */
const MAX_DURATION_MS = 9_223_372_036_854;

/**
 * Returns a Go-style duration (`90s`, `1h30m`, `1.5h`, `0`) in milliseconds.
 * Throws RangeError, saying what was expected and found, for other texts, negative ones, and what Go cannot hold.
 */
export function parseDuration(text: string): number {
  const fail = (why: string) =>
    new RangeError(`expected a duration such as 90s, 10m or 1h30m, found ${JSON.stringify(text.slice(0, 64))}: ${why}`);
  if (text === '0' || text === '+0' || text === '-0') return 0;
  if (!DURATION.test(text)) throw fail('write numbers, each with a unit of h, m, s, ms, us or ns');
  if (text.startsWith('-')) throw fail('it is negative');
  let ms = 0;
  for (const [, number, unit] of text.matchAll(DURATION_PART))
    ms += Number(number) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  if (!(ms <= MAX_DURATION_MS)) throw fail('it is longer than 292 years');
  return ms;
}

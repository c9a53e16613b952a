/**
 * What of a sender's times can be: its clock may be years off, and its unit another one. What cannot be is read as what it must have
 * been, or left out, and always said; nothing is refused for it. A start that lies years ahead would let no end of this fault count.
 */
import { Temporal } from 'temporal-polyfill';
import { isGoZero } from './instants.ts';

/** What of a report was odd and is taken all the same, in the words of a problem, and what was done about it. */
export interface Oddity {
  /** Path inside the alert, as in a problem; empty for the body as a whole. */
  field: string;
  found: string;
  expected: string;
  /** Completes "<field> …": `left out`. */
  done: string;
}

/** Returns the oddity as a note of its alert. */
export const noteOf = ({ field, found, expected, done }: Oddity): string =>
  `${field === '' ? 'the body' : field} ${done}: found ${found}, expected ${expected}`;

/** How far a sender's clock may be ahead of ours before its times count as none. */
const CLOCK_AHEAD_MS = 300_000;

/** Before it lie the zeros of all calendars, and counts that were taken for another unit: seconds for milliseconds, 1970-01-21. */
const FIRST_MS = Date.UTC(1971, 0);
/** Between these a count of another unit must come, to be taken for one; the last is so far ahead of now. */
const SCALED_FIRST_MS = Date.UTC(2001, 0);
const SCALED_AHEAD_MS = 86_400_000;
/** The last millisecond that RFC 3339 can write. */
export const LAST_MS = Date.UTC(10_000, 0) - 1;
/** Seconds for milliseconds, microseconds and nanoseconds. */
const UNITS = [1_000n, 1_000_000n, 1_000_000_000n];

/**
 * Returns the time as it can be: itself, what it is in the unit that was meant, or none. A zero of a calendar (0001, 1601, 1970) is none
 * without a word, as its sender means it.
 * @param latestMs the last that it can be, in milliseconds since 1970, as is `nowMs`.
 */
export function possibleTime(
  field: string,
  sent: Temporal.Instant | undefined,
  { nowMs, latestMs }: { nowMs: number; latestMs: number },
): { instant?: Temporal.Instant; odd?: Oddity } {
  if (sent === undefined) return {};
  const ms = sent.epochMilliseconds;
  if (ms >= FIRST_MS && ms <= latestMs) return { instant: sent };
  if (isZero(sent)) return {};
  const found = sent.toString();
  const expected = ms < FIRST_MS ? 'a time after 1970' : `a time before ${textOf(latestMs)}`;
  const instant = inOtherUnit(sent, Math.min(latestMs, nowMs + SCALED_AHEAD_MS));
  if (instant === undefined) return { odd: { field, found, expected, done: 'left out' } };
  return { instant, odd: { field, found, expected, done: `read as ${instant.toString()}` } };
}

const textOf = (ms: number): string =>
  Temporal.Instant.fromEpochMilliseconds(ms).toString({ smallestUnit: 'second', roundingMode: 'floor' });

/** What programs hold before they hold a time: Go and .NET, Windows' file times, Unix. */
function isZero(instant: Temporal.Instant): boolean {
  const ms = instant.epochMilliseconds;
  return isGoZero(instant) || ms === 0 || ms === -11_644_473_600_000;
}

/** Too small by a thousand is 1970, too large the year 58,000: no other time becomes a plausible one. */
function inOtherUnit({ epochNanoseconds: ns }: Temporal.Instant, lastMs: number): Temporal.Instant | undefined {
  const found = UNITS.flatMap((unit) => [ns * unit, ns / unit]).find((one) => {
    const ms = Number(one / 1_000_000n);
    return ms >= SCALED_FIRST_MS && ms <= lastMs;
  });
  return found === undefined ? undefined : Temporal.Instant.fromEpochNanoseconds(found);
}

/** The times of a report. */
export interface Times {
  state: 'Firing' | 'Resolved';
  startsAt?: Temporal.Instant | undefined;
  endsAt?: Temporal.Instant | undefined;
  occurredAt?: Temporal.Instant | undefined;
  leaseUntil?: Temporal.Instant | undefined;
}

/** Returns the times of a report of now as they can be; the end only of what has one. */
export function possibleTimes(sent: Times, now: Temporal.Instant): { times: Omit<Times, 'state'>; odd: Oddity[] } {
  const nowMs = now.epochMilliseconds;
  const latest = nowMs + CLOCK_AHEAD_MS;
  const odd: Oddity[] = [];
  const times: Omit<Times, 'state'> = {};
  const take = (field: 'startsAt' | 'endsAt' | 'occurredAt' | 'leaseUntil', latestMs: number) => {
    if (sent[field] === undefined) return;
    const possible = possibleTime(field, sent[field], { nowMs, latestMs });
    if (possible.odd !== undefined) odd.push(possible.odd);
    if (possible.instant !== undefined) times[field] = possible.instant;
  };
  take('startsAt', latest);
  take('occurredAt', latest);
  if (sent.state === 'Resolved') take('endsAt', latest);
  else take('leaseUntil', LAST_MS);
  const { startsAt, endsAt } = times;
  // The start tells which episode it is about: it is the end that gives way.
  if (startsAt !== undefined && endsAt !== undefined && Temporal.Instant.compare(endsAt, startsAt) < 0) {
    odd.push({
      field: 'endsAt',
      found: endsAt.toString(),
      expected: `a time not before startsAt ${startsAt.toString()}`,
      done: 'taken for startsAt',
    });
    times.endsAt = startsAt;
  }
  return { times, odd };
}

/** What is wrong with one alert of a body, in words that its sender can act on. */

export interface AlertProblem {
  /** Position in the body's list, from 0. */
  index: number;
  /** Path inside the alert, like `startsAt` or `labels["instance"]`; empty for the alert as a whole. */
  field: string;
  found: string;
  expected: string;
}

/** A body of which not one alert can be read. */
export class BodyProblem extends Error {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  constructor(field: string, found: string, expected: string) {
    super(`${field === '' ? 'the body' : field}: found ${found}, expected ${expected}`);
    this.name = 'BodyProblem';
    this.field = field;
    this.found = found;
    this.expected = expected;
  }
}

/** More alerts in one body than are read. */
export class TooManyAlerts extends Error {
  /** The bound of limits.ts, by name. */
  readonly limit: string;
  constructor(found: number, most: number, limit = 'INTAKE_ALERTS') {
    super(`The body holds ${found} alerts, at most ${most} are taken at once.`);
    this.name = 'TooManyAlerts';
    this.limit = limit;
  }
}

/** The source's own mapping is none: only an edit of the source can mend it, and until then its senders keep what they have. */
export class MappingBroken extends Error {
  constructor(source: string, field: string, message: string) {
    super(`The mapping of AlertSource ${source} does not compile: ${field}: ${message}. Its owner must mend it.`);
    this.name = 'MappingBroken';
  }
}

const SHOWN_CHARACTERS = 60;

/** Returns a short description of any JSON value; never walks into it, so depth and size do not matter. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') {
    const shown = value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value;
    return JSON.stringify(shown.toWellFormed());
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${String(value)}`;
}

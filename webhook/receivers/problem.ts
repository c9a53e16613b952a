/** What is wrong with one alert of a body, in words that its sender can act on, and that repeat no secret of it. */
import { redactText } from '@funnelai/domain/redaction';
import { isSecretName } from '@funnelai/domain/secret-names';

export interface AlertProblem {
  /** Position in the body's list, from 0. */
  index: number;
  /** Path inside the alert, like `startsAt` or `labels["instance"]`; empty for the alert as a whole. */
  field: string;
  found: string;
  expected: string;
}

/** What is wrong with an alert that is taken all the same; `done` completes "<field> …". */
export interface AlertWarning extends AlertProblem {
  done: string;
}

/** What stands for a value that may be a secret. */
const NOT_SHOWN = 'a value that is not shown';

/** Returns the same problem without what looks like a secret: a field `labels["password"]` says so by its name. */
export function discreet<P extends Omit<AlertProblem, 'index'>>(problem: P): P {
  const { field, found, expected } = problem;
  const isSecret = (field.match(/[^.[\]"]+/g) ?? []).some(isSecretName);
  return {
    ...problem,
    field: redactText(field),
    found: isSecret && SHOWS_VALUE.test(found) ? NOT_SHOWN : redactText(found),
    expected: redactText(expected),
  };
}

/** `describe` shows only texts, numbers and booleans. */
const SHOWS_VALUE = /["\d]/;

/** A body of which not one alert can be read. */
export class BodyProblem extends Error {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  constructor(field: string, found: string, expected: string) {
    const shown = discreet({ field, found, expected });
    super(`${field === '' ? 'the body' : shown.field}: found ${shown.found}, expected ${shown.expected}`);
    this.name = 'BodyProblem';
    this.field = shown.field;
    this.found = shown.found;
    this.expected = shown.expected;
  }
}

/** More alerts in one body than are read. */
export class TooManyAlerts extends Error {
  /** The bound of limits.ts, by name. */
  readonly limit: string;
  constructor(found: number, most: number, limit = 'INTAKE_ALERTS') {
    super(`alerts: found ${found} in one body, expected at most ${most}. Send fewer at once.`);
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
    // Before it is cut: half of a token would no longer look like one.
    const clean = redactText(value);
    const shown = clean.length > SHOWN_CHARACTERS ? `${clean.slice(0, SHOWN_CHARACTERS)}…` : clean;
    return JSON.stringify(shown.toWellFormed());
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${String(value)}`;
}

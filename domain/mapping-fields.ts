/** One expression of a mapping, and what it gives for one item: a text, a time, a state. What it gives else is a failure in words for its owner. */
import type { Temporal } from 'temporal-polyfill';
import { cutBytes } from './bytes.ts';
import {
  type CelBudget,
  type CelExpression,
  type CelInput,
  type CelValue,
  celElements,
  celEntries,
  celText,
} from './cel.ts';
import { parseMoment } from './moment.ts';

/** What is wrong with one item, in the words of a problem. */
export interface ItemFault {
  field: string;
  found: string;
  expected: string;
}

/** Longest text that an expression may hand over; what an Alert keeps of it is bounded again. */
export const MAPPED_TEXT_MAX_BYTES = 16_384;

export interface Field {
  field: string;
  expression: CelExpression;
}
/** What an expression came to is not what its field can be. */
export class Failure extends Error {
  readonly fault: ItemFault;
  constructor(field: string, found: string, expected: string) {
    super(found);
    this.fault = { field, found, expected };
  }
}
/** Nothing of the item was looked at from there on. */
export class TooCostly extends Failure {}

/** Returns what the expression gives. Throws Failure, TooCostly. */
export function resultOf({ field, expression }: Field, variables: object, budget: CelBudget): CelValue {
  const outcome = expression.evaluate(variables as Record<string, CelInput>, budget);
  if ('value' in outcome) return outcome.value;
  if ('failed' in outcome)
    throw new Failure(
      field,
      `the error "${outcome.failed}"`,
      'an expression that holds for this item, has() where a field may be missing',
    );
  throw new TooCostly(field, 'more work than one body may cost', 'a cheaper expression, or fewer items in a body');
}

export function booleanOf(field: Field, variables: object, budget: CelBudget): boolean {
  const value = resultOf(field, variables, budget);
  if (typeof value === 'boolean') return value;
  throw new Failure(field.field, shown(value), 'true or false');
}

export function textFrom(field: Field, variables: object, budget: CelBudget): string {
  const value = resultOf(field, variables, budget);
  const text = celText(value);
  if (text === undefined) throw new Failure(field.field, shown(value), 'a text, a number or a boolean');
  return cutBytes(text, MAPPED_TEXT_MAX_BYTES);
}

export function timeOf(field: Field, variables: object, budget: CelBudget): Temporal.Instant | null {
  const text = textFrom(field, variables, budget);
  const instant = parseMoment(text);
  if (instant !== undefined) return instant;
  throw new Failure(field.field, JSON.stringify(text.slice(0, 60)), 'a time, in RFC 3339 or as a count since 1970');
}

export function stateOf(field: Field, variables: object, budget: CelBudget): 'Firing' | 'Resolved' {
  const text = textFrom(field, variables, budget);
  const word = text.trim().toLowerCase();
  if (word === 'firing') return 'Firing';
  if (word === 'resolved') return 'Resolved';
  throw new Failure(field.field, JSON.stringify(text.slice(0, 60)), '"firing" or "resolved"');
}

/** Returns a value in a few words; never walks into it. */
export function shown(value: CelValue): string {
  const text = celText(value);
  if (value === null) return 'null';
  if (text !== undefined) return typeof value === 'string' ? JSON.stringify(text.slice(0, 60)) : text.slice(0, 60);
  return celElements(value) === undefined ? (celEntries(value) === undefined ? 'a type' : 'a map') : 'a list';
}

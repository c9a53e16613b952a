/**
 * The one door to CEL: compiles an expression with the place of every fault, and evaluates it within a cost. Nothing of it has
 * effects, follows a prototype, or runs longer than its budget; what expressions are for is left to the callers.
 *
 * The engine (@bufbuild/cel) finds unknown names only when it comes across them, sets no bound on work, and adds to lists in
 * quadratic time: the expression is looked through before it is planned, every loop and every function pays first, and the lists
 * that macros build grow in place.
 */
import {
  type CelInput,
  type CelList,
  type CelMap,
  type CelResult,
  type CelValue,
  celEnv,
  isCelError,
  isCelList,
  isCelMap,
  parse,
  plan,
} from '@bufbuild/cel';
import { CEL_FUNCTIONS, type CelBudget, textOf, withBudget } from './cel-functions.ts';
import { prepare } from './cel-tree.ts';

export type { CelBudget, CelInput, CelValue };

/** Longest expression, in characters. */
export const EXPRESSION_MAX = 2048;
/** Brackets within brackets. The parser takes seconds for hundreds that are never closed. */
export const NESTING_MAX = 48;
/** What one evaluation may cost: about a loop turn, a call, or sixteen characters looked at, each. */
export const EVALUATION_COST = 200_000;

/** The expression is none; `line` and `column` count from 1. */
export class CelSyntaxError extends Error {
  readonly line: number;
  readonly column: number;
  constructor(line: number, column: number, what: string) {
    super(`line ${line}, column ${column}: ${what}`);
    this.name = 'CelSyntaxError';
    this.line = line;
    this.column = column;
  }
}

/** What came of an evaluation: a value, why there is none, or that the budget did not suffice. */
export type CelOutcome = { value: CelValue } | { failed: string } | { spent: true };

export interface CelExpression {
  /** Takes what it costs from `budget`. Variables that are not given are an error where the expression asks for them. */
  evaluate(variables: Readonly<Record<string, CelInput>>, budget: CelBudget): CelOutcome;
}

const ENV = celEnv({ funcs: [...CEL_FUNCTIONS] });
const REASON_MAX = 200;

/** Returns the compiled expression over these variables. Throws `CelSyntaxError`. */
export function compileCel(source: string, variables: ReadonlySet<string>): CelExpression {
  if (source.length > EXPRESSION_MAX)
    throw new CelSyntaxError(
      1,
      EXPRESSION_MAX + 1,
      `expected at most ${EXPRESSION_MAX} characters, found ${source.length}`,
    );
  demandShallow(source);
  const parsed = parsedFrom(source);
  const fault = prepare(parsed.expr, variables, ENV);
  if (fault !== undefined) throw faultAt(source, parsed.sourceInfo?.positions[String(fault.id)] ?? 0, fault.message);
  const run = planned(source, parsed);
  return {
    evaluate(bindings, budget) {
      // Without a prototype: a variable is what was given, never `constructor`.
      const context = Object.assign(Object.create(null), bindings) as Record<string, CelInput>;
      const before = budget.left;
      const own: CelBudget = { left: Math.min(before, EVALUATION_COST) };
      const start = own.left;
      const result = withBudget(own, () => run(context));
      budget.left = before - (start - own.left);
      if (own.left < 0) return { spent: true };
      if (!isCelError(result)) return { value: result };
      return { failed: result.message.slice(0, REASON_MAX) };
    },
  };
}

/** Brackets in texts count too: to leave them out would need the parser. */
function demandShallow(source: string): void {
  let depth = 0;
  for (let at = 0; at < source.length; at += 1) {
    const unit = source[at] ?? '';
    if ('([{'.includes(unit)) depth += 1;
    else if (')]}'.includes(unit)) depth = Math.max(0, depth - 1);
    if (depth > NESTING_MAX) throw faultAt(source, at, `more than ${NESTING_MAX} brackets within brackets`);
  }
}

function parsedFrom(source: string): ReturnType<typeof parse> {
  try {
    return parse(source);
  } catch (error) {
    const place = placeIn(error);
    if (place !== undefined) throw faultAt(source, place, messageAfterPlace(error));
    throw new CelSyntaxError(1, 1, error instanceof RangeError ? 'it is nested too deeply' : messageAfterPlace(error));
  }
}

function planned(source: string, parsed: ReturnType<typeof parse>): (context: Record<string, CelInput>) => CelResult {
  try {
    return plan(ENV, parsed) as (context: Record<string, CelInput>) => CelResult;
  } catch (error) {
    throw faultAt(source, 0, error instanceof RangeError ? 'it is nested too deeply' : messageAfterPlace(error));
  }
}

/** The parser's errors carry where they are as `location.start.offset`; their class is not exported. */
function placeIn(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('location' in error)) return undefined;
  const { location } = error;
  if (typeof location !== 'object' || location === null || !('start' in location)) return undefined;
  const { start } = location;
  return typeof start === 'object' && start !== null && 'offset' in start && typeof start.offset === 'number'
    ? start.offset
    : undefined;
}

function messageAfterPlace(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^<input>:\d+:\d+: /, '').slice(0, REASON_MAX);
}

function faultAt(source: string, offset: number, what: string): CelSyntaxError {
  const before = source.slice(0, offset);
  return new CelSyntaxError(before.split('\n').length, offset - (before.lastIndexOf('\n') + 1) + 1, what);
}

/** Text as an expression gives it: numbers, booleans and times as CEL writes them, null as none. Undefined for lists and maps. */
export function celText(value: CelValue): string | undefined {
  return value === null ? '' : textOf(value);
}

/** Returns the elements, or undefined for what is no list. */
export function celElements(value: CelValue): CelValue[] | undefined {
  return isCelList(value) ? [...(value as CelList)] : undefined;
}

/** Returns the entries, or undefined for what is no map. */
export function celEntries(value: CelValue): [name: string, value: CelValue][] | undefined {
  if (!isCelMap(value)) return undefined;
  return [...(value as CelMap)].map(([key, held]) => [textOf(key as CelValue) ?? '', held]);
}

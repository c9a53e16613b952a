/**
 * The functions of our CEL: the standard ones and the strings extension, each of which pays from the budget of the evaluation
 * before it works; some written anew because the engine's own take quadratic time or differ from the language. Compiling is cel.ts'.
 */
import {
  type CelFunc,
  type CelInput,
  type CelList,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celList,
  celMethod,
  isCelError,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { RE2JS } from '@bufbuild/re2';
import { celInput } from './cel-input.ts';
import { parseWithDigits } from './json-digits.ts';

/** What is left to spend; below zero once it did not suffice. */
export interface CelBudget {
  left: number;
}

/** The budget of an evaluation is spent. */
export class CelCostError extends Error {
  constructor() {
    super('it costs more than an expression may');
    this.name = 'CelCostError';
  }
}

/** Names that no text of an expression can have. */
export const TICK = '@tick';
export const NEW_LIST = '@list';
export const APPEND = '@append';

/** Longest regular expression, in characters. */
export const PATTERN_MAX = 1024;
/** Compiled regular expressions that are remembered; those of expressions are few, those made of data come and go. */
const PATTERNS_REMEMBERED = 256;
/** Characters that cost one. */
const CHARACTERS_PER_COST = 16;

const { STRING, INT, DYN, BOOL } = CelScalar;
const LIST = listType(DYN);

let current: CelBudget = { left: 0 };

/** Runs `work` on this budget. Evaluation never waits, so there is one at a time. */
export function withBudget<T>(budget: CelBudget, work: () => T): T {
  const outer = current;
  current = budget;
  try {
    return work();
  } finally {
    current = outer;
  }
}

function charge(cost: number): void {
  current.left -= cost;
  if (current.left < 0) throw new CelCostError();
}

const chargeText = (characters: number): void => charge(1 + characters / CHARACTERS_PER_COST);

/** Pays for a value as a whole: what comparing it, or looking for it, may take. */
function chargeWhole(value: unknown): void {
  if (typeof value === 'string') chargeText(value.length);
  else charge(1);
  if (isCelList(value)) for (const element of value) chargeWhole(element);
  else if (isCelMap(value)) for (const [, held] of value) chargeWhole(held);
}

const patterns = new Map<string, RE2JS>();

/** Returns the compiled expression (RE2: linear in the text). Throws, saying what was expected. */
export function compilePattern(pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > PATTERN_MAX)
    throw new Error(`expected a regular expression of at most ${PATTERN_MAX} characters, found ${pattern.length}`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw new Error(
      `expected a regular expression in RE2 syntax, found ${JSON.stringify(pattern.slice(0, 60))} (${error instanceof Error ? error.message : String(error)})`,
    );
  }
  if (patterns.size >= PATTERNS_REMEMBERED) patterns.delete(patterns.keys().next().value ?? '');
  patterns.set(pattern, compiled);
  return compiled;
}

/** The same function, paying first: by the length of its texts, and for lists and maps by all that is in them where it compares. */
function paying(f: CelFunc): CelFunc {
  const comparing = f.name === '_==_' || f.name === '_!=_' || f.name === '@in';
  const pay = (values: readonly unknown[]) => {
    for (const value of values) {
      if (comparing) chargeWhole(value);
      else charge(typeof value === 'string' ? 1 + value.length / CHARACTERS_PER_COST : 1);
    }
  };
  const impl = function (this: CelValue | undefined, ...args: CelValue[]): CelInput {
    pay(this === undefined ? args : [this, ...args]);
    const result = f.call(0, this, args);
    if (isCelError(result)) throw result;
    if (result === undefined) throw new Error(`${f.name} does not take these`);
    return result;
  };
  return f.target === undefined
    ? celFunc(f.name, f.arguments, f.result, impl as never)
    : celMethod(f.name, f.target, f.arguments, f.result, impl as never);
}

const growing = new WeakMap<object, CelInput[]>();

const STANDARD = celEnv().funcs;
const TIMESTAMPS = overload('timestamp', 'string');
const TEXTS = STANDARD.find('string');

function overload(name: string, type: string): CelFunc {
  const found = [...(STANDARD.find(name) ?? [])].find((f) => f.arguments[0]?.name === type);
  if (found === undefined) throw new Error(`the CEL engine has no ${name}(${type})`);
  return found;
}

/** Years 1 to 9999, as the language has it. */
function timestampAt(seconds: bigint): CelInput {
  const instant = new Date(Number(seconds) * 1000);
  const made = Number.isNaN(instant.getTime()) ? undefined : TIMESTAMPS.call(0, undefined, [instant.toISOString()]);
  if (made === undefined || isCelError(made)) throw new Error(`${seconds} seconds since 1970 are no time`);
  return made;
}

const ours: CelFunc[] = [
  celFunc(TICK, [DYN], DYN, (condition) => {
    charge(1);
    return condition;
  }),
  celFunc(NEW_LIST, [], LIST, () => {
    const elements: CelInput[] = [];
    const list = celList(elements);
    growing.set(list, elements);
    return list;
  }),
  // Only ever called on the accumulator of a loop, which nothing else holds.
  celFunc(APPEND, [LIST, DYN], LIST, (list, element) => {
    growing.get(list)?.push(element);
    return list;
  }),
  celFunc('_+_', [LIST, LIST], LIST, (a, b) => {
    charge(1 + a.size + b.size);
    return celList([...a, ...b]);
  }),
  celMethod('matches', STRING, [STRING], BOOL, matches),
  celFunc('matches', [STRING, STRING], BOOL, (text, pattern) => matches.call(text, pattern)),
  celFunc('size', [STRING], INT, characters),
  celMethod('size', STRING, [], INT, function () {
    return characters(this);
  }),
  celMethod('replace', STRING, [STRING, STRING], STRING, function (from, to) {
    return replace(this, from, to, -1);
  }),
  celMethod('replace', STRING, [STRING, STRING, INT], STRING, function (from, to, times) {
    return replace(this, from, to, Number(times));
  }),
  celMethod('split', STRING, [STRING], LIST, function (by) {
    return split(this, by, -1);
  }),
  celMethod('split', STRING, [STRING, INT], LIST, function (by, parts) {
    return split(this, by, Number(parts));
  }),
  celMethod('join', LIST, [], STRING, function () {
    return join(this, '');
  }),
  celMethod('join', LIST, [STRING], STRING, function (by) {
    return join(this, by);
  }),
  // The language counts seconds; the engine takes them for milliseconds.
  celFunc('timestamp', [INT], TIMESTAMPS.result, (seconds) => timestampAt(seconds)),
  // JSON inside JSON, as log drivers and queues wrap it.
  celFunc('json', [STRING], DYN, (text) => {
    chargeText(text.length * 4);
    return celInput(parseWithDigits(text)).value;
  }),
];

function matches(this: string, pattern: string): boolean {
  // A state machine walks the text: by the size of both.
  chargeText(this.length * (1 + pattern.length / 8));
  charge(patterns.has(pattern) ? 1 : pattern.length);
  return compilePattern(pattern).test(this);
}

function characters(text: string): bigint {
  chargeText(text.length);
  let count = 0;
  for (const _ of text) count += 1;
  return BigInt(count);
}

function replace(text: string, from: string, to: string, times: number): string {
  chargeText(text.length);
  const parts = text.split(from);
  charge(parts.length);
  const most = times < 0 ? parts.length - 1 : Math.min(times, parts.length - 1);
  chargeText(most * to.length);
  if (most === parts.length - 1)
    return from === '' ? [to, ...parts.flatMap((part) => [part, to])].join('') : parts.join(to);
  return [...parts.slice(0, most), ''].join(to) + parts.slice(most).join(from);
}

function split(text: string, by: string, most: number): CelList {
  chargeText(text.length);
  if (most === 0) return celList([]);
  const parts = text.split(by);
  charge(parts.length);
  if (most < 0 || parts.length <= most) return celList(parts);
  return celList([...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]);
}

function join(list: CelList, by: string): string {
  const parts: string[] = [];
  for (const part of list) {
    if (typeof part !== 'string') throw new Error('join: expected a list of texts');
    chargeText(part.length + by.length);
    parts.push(part);
  }
  return parts.join(by);
}

const replaced = new Set(ours.map((f) => f.id));

/** To be given to the engine's environment, where they take the place of its own. */
export const CEL_FUNCTIONS: readonly CelFunc[] = [
  ...[...STANDARD, ...strings]
    .flatMap((group) => ('id' in group ? [group] : [...(group as Iterable<CelFunc>)]))
    .filter((f) => !replaced.has(f.id))
    .map(paying),
  ...ours,
];

/** Returns what CEL's `string()` makes of it; undefined for what has no text: lists, maps, types. */
export function textOf(value: CelValue): string | undefined {
  if (typeof value === 'string') return value;
  const text = TEXTS?.call(0, undefined, [value]);
  return typeof text === 'string' ? text : undefined;
}

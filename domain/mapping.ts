/**
 * How a source's `mapping` makes alerts of whatever JSON came: compiled once, then asked for each item. An expression that fails on an
 * item says which and why, and spoils nothing else; nothing is guessed, least of all that something is over. Reading bodies is the
 * receivers', CEL is cel.ts.
 */
import type { AlertSourceSpec, LinkKind } from '@funnelai/crds/generated/types';
import type { Temporal } from 'temporal-polyfill';
import { ENTRIES_MAX } from './alert-bounds.ts';
import type { AlertLink } from './alert-links.ts';
import { cutBytes } from './bytes.ts';
import {
  type CelBudget,
  type CelExpression,
  type CelInput,
  CelSyntaxError,
  type CelValue,
  celElements,
  celEntries,
  celText,
  compileCel,
  EVALUATION_COST,
} from './cel.ts';
import { type Labels, labelsFrom } from './labels.ts';
import { parseMoment } from './moment.ts';

export type Mapping = NonNullable<AlertSourceSpec['mapping']>;

/** An expression of the mapping that is none. */
export interface MappingFault {
  /** Like `mapping.labels["host"]`. */
  field: string;
  message: string;
}

/** What is wrong with one item, in the words of a problem. */
export interface ItemFault {
  field: string;
  found: string;
  expected: string;
}

export interface MappingVariables {
  body: CelInput;
  headers: CelInput;
  item: CelInput;
  index: number;
}

/** What the mapping says of one item; what it does not speak of is absent. */
export interface MappedAlert {
  key?: string;
  title?: string;
  description?: string;
  state?: 'Firing' | 'Resolved';
  severity?: string;
  labels?: Labels;
  annotations?: Labels;
  startsAt?: Temporal.Instant;
  endsAt?: Temporal.Instant;
  links?: AlertLink[];
}

export type Mapped = { alert: MappedAlert } | { skipped: true } | { faults: ItemFault[] };

export interface CompiledMapping {
  /** Does `when` decide which items are alerts? */
  readonly filters: boolean;
  /** The elements of `items`; undefined where the mapping does not say. */
  items(variables: Omit<MappingVariables, 'item' | 'index'>): { items: CelInput[] } | { fault: ItemFault } | undefined;
  apply(variables: MappingVariables, budget: CelBudget): Mapped;
}

/** Longest text that an expression may hand over; what an Alert keeps of it is bounded again. */
export const MAPPED_TEXT_MAX_BYTES = 16_384;

const OF_BODY: ReadonlySet<string> = new Set(['body', 'headers']);
const OF_ITEM: ReadonlySet<string> = new Set(['body', 'headers', 'item', 'index']);
const TEXTS = ['key', 'title', 'description', 'severity'] as const;
const TIMES = ['startsAt', 'endsAt'] as const;

/** Returns every expression that does not compile; empty when the mapping can be used. */
export function checkMapping(mapping: Mapping): MappingFault[] {
  return compileMapping(mapping).faults;
}

/** Returns the mapping, to be used only where `faults` is empty. */
export function compileMapping(mapping: Mapping): { compiled: CompiledMapping; faults: MappingFault[] } {
  const faults: MappingFault[] = [];
  const compile = (field: string, source: string | undefined, variables = OF_ITEM): Field | undefined => {
    if (source === undefined) return undefined;
    try {
      return { field, expression: compileCel(source, variables) };
    } catch (error) {
      if (!(error instanceof CelSyntaxError)) throw error;
      faults.push({ field, message: error.message });
      return undefined;
    }
  };
  const named = (field: string, map: Record<string, string> | undefined) =>
    Object.entries(map ?? {}).flatMap(([name, source]) => {
      const compiled = compile(`${field}[${JSON.stringify(name)}]`, source);
      return compiled === undefined ? [] : [{ name, ...compiled }];
    });
  const parts: Parts = {
    when: compile('mapping.when', mapping.when),
    state: compile('mapping.state', mapping.state),
    texts: TEXTS.flatMap((name) => withName(name, compile(`mapping.${name}`, mapping[name]))),
    times: TIMES.flatMap((name) => withName(name, compile(`mapping.${name}`, mapping[name]))),
    maps: (['labels', 'annotations'] as const).flatMap((name) =>
      mapping[name] === undefined && mapping[`${name}From`] === undefined
        ? []
        : [
            {
              name,
              whole: compile(`mapping.${name}From`, mapping[`${name}From`]),
              each: named(`mapping.${name}`, mapping[name]),
            },
          ],
    ),
    links: mapping.links?.flatMap(({ title, url, kind = 'Other' }, i) => {
      const compiled = compile(`mapping.links[${i}].url`, url);
      return compiled === undefined ? [] : [{ title, kind, ...compiled }];
    }),
  };
  const items = compile('mapping.items', mapping.items, OF_BODY);
  const compiled: CompiledMapping = {
    filters: parts.when !== undefined,
    items: (variables) => (items === undefined ? undefined : listOf(items, variables, { left: EVALUATION_COST })),
    apply: (variables, budget) => apply(parts, { ...variables }, budget),
  };
  return { compiled, faults };
}

interface Field {
  field: string;
  expression: CelExpression;
}
interface Parts {
  when: Field | undefined;
  state: Field | undefined;
  texts: (Field & { name: (typeof TEXTS)[number] })[];
  times: (Field & { name: (typeof TIMES)[number] })[];
  maps: { name: 'labels' | 'annotations'; whole: Field | undefined; each: (Field & { name: string })[] }[];
  links: (Field & { title: string; kind: LinkKind })[] | undefined;
}

const withName = <N extends string>(name: N, field: Field | undefined): (Field & { name: N })[] =>
  field === undefined ? [] : [{ ...field, name }];

class Failure extends Error {
  readonly fault: ItemFault;
  constructor(field: string, found: string, expected: string) {
    super(found);
    this.fault = { field, found, expected };
  }
}

function resultOf({ field, expression }: Field, variables: object, budget: CelBudget): CelValue {
  const outcome = expression.evaluate(variables as Record<string, CelInput>, budget);
  if ('value' in outcome) return outcome.value;
  if ('failed' in outcome)
    throw new Failure(
      field,
      `the error "${outcome.failed}"`,
      'an expression that holds for this item, has() where a field may be missing',
    );
  throw new Failure(field, 'more work than one body may cost', 'a cheaper expression, or fewer items in a body');
}

function listOf(field: Field, variables: object, budget: CelBudget): { items: CelInput[] } | { fault: ItemFault } {
  try {
    const value = resultOf(field, variables, budget);
    const items = celElements(value);
    if (items === undefined) throw new Failure(field.field, shown(value), 'a list');
    return { items };
  } catch (error) {
    if (error instanceof Failure) return { fault: error.fault };
    throw error;
  }
}

function apply(parts: Parts, given: MappingVariables, budget: CelBudget): Mapped {
  const variables = { ...given, index: BigInt(given.index) };
  const faults: ItemFault[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      faults.push(error.fault);
      return undefined;
    }
  };
  if (parts.when !== undefined) {
    const { when } = parts;
    const isAlert = attempt(() => booleanOf(when, variables, budget));
    if (isAlert === undefined) return { faults };
    if (!isAlert) return { skipped: true };
  }
  const alert: MappedAlert = {};
  for (const part of parts.texts) {
    const text = attempt(() => textFrom(part, variables, budget));
    if (text !== undefined && text !== '') alert[part.name] = text;
  }
  for (const part of parts.times) {
    const instant = attempt(() => timeOf(part, variables, budget));
    if (instant) alert[part.name] = instant;
  }
  if (parts.state !== undefined) {
    const { state } = parts;
    const said = attempt(() => stateOf(state, variables, budget));
    if (said !== undefined) alert.state = said;
  }
  for (const part of parts.maps) {
    const map = attempt(() => mapOf(part, variables, budget));
    if (map !== undefined) alert[part.name] = map;
  }
  if (parts.links !== undefined) {
    const { links } = parts;
    alert.links = links.flatMap((link) => {
      const url = attempt(() => textFrom(link, variables, budget));
      return url === undefined || url === '' ? [] : [{ title: link.title, kind: link.kind, url }];
    });
  }
  return faults.length > 0 ? { faults } : { alert };
}

function booleanOf(field: Field, variables: object, budget: CelBudget): boolean {
  const value = resultOf(field, variables, budget);
  if (typeof value === 'boolean') return value;
  throw new Failure(field.field, shown(value), 'true or false');
}

function textFrom(field: Field, variables: object, budget: CelBudget): string {
  const value = resultOf(field, variables, budget);
  const text = celText(value);
  if (text === undefined) throw new Failure(field.field, shown(value), 'a text, a number or a boolean');
  return cutBytes(text, MAPPED_TEXT_MAX_BYTES);
}

function timeOf(field: Field, variables: object, budget: CelBudget): Temporal.Instant | null {
  const text = textFrom(field, variables, budget);
  const instant = parseMoment(text);
  if (instant !== undefined) return instant;
  throw new Failure(field.field, JSON.stringify(text.slice(0, 60)), 'a time, in RFC 3339 or as a count since 1970');
}

function stateOf(field: Field, variables: object, budget: CelBudget): 'Firing' | 'Resolved' {
  const text = textFrom(field, variables, budget);
  const word = text.trim().toLowerCase();
  if (word === 'firing') return 'Firing';
  if (word === 'resolved') return 'Resolved';
  throw new Failure(field.field, JSON.stringify(text.slice(0, 60)), '"firing" or "resolved"');
}

function mapOf(part: Parts['maps'][number], variables: object, budget: CelBudget): Labels {
  const entries: [string, string][] = [];
  const { whole } = part;
  if (whole !== undefined) {
    const value = resultOf(whole, variables, budget);
    const held = value === null ? [] : celEntries(value);
    if (held === undefined) throw new Failure(whole.field, shown(value), 'a map');
    if (held.length > ENTRIES_MAX) throw new Failure(whole.field, `${held.length} entries`, `at most ${ENTRIES_MAX}`);
    for (const [name, element] of held) {
      const text = celText(element);
      if (text === undefined)
        throw new Failure(
          `${whole.field}[${JSON.stringify(name.slice(0, 60))}]`,
          shown(element),
          'a text, a number or a boolean',
        );
      entries.push([name, cutBytes(text, MAPPED_TEXT_MAX_BYTES)]);
    }
  }
  for (const each of part.each) entries.push([each.name, textFrom(each, variables, budget)]);
  return labelsFrom(labelsLastWins(entries));
}

/** An entry that an expression leaves empty takes the one from the whole away: it is the more special word. */
function labelsLastWins(entries: readonly [string, string][]): [string, string][] {
  return [...new Map(entries)].filter(([name, value]) => name !== '' && value !== '');
}

function shown(value: CelValue): string {
  const text = celText(value);
  if (value === null) return 'null';
  if (text !== undefined) return typeof value === 'string' ? JSON.stringify(text.slice(0, 60)) : text.slice(0, 60);
  return celElements(value) === undefined ? (celEntries(value) === undefined ? 'a type' : 'a map') : 'a list';
}

/**
 * How a source's `mapping` makes alerts of whatever JSON came: compiled once, then asked for each item. An expression that fails on an
 * item says which and why, and spoils nothing else; nothing is guessed, least of all that something is over. An item is refused where it is
 * not known which fault it is, or whether that is over; what only says more of it is left out, and said. Reading bodies is the receivers',
 * CEL is cel.ts.
 */
import type { AlertSourceSpec, LinkKind } from '@funnelai/crds/generated/types';
import type { Temporal } from 'temporal-polyfill';
import { ENTRIES_MAX } from './alert-bounds.ts';
import type { AlertLink } from './alert-links.ts';
import { cutBytes } from './bytes.ts';
import {
  type CelBudget,
  type CelInput,
  CelSyntaxError,
  celElements,
  celEntries,
  celText,
  compileCel,
  EVALUATION_COST,
} from './cel.ts';
import { type Labels, labelsFrom } from './labels.ts';
import {
  booleanOf,
  Failure,
  type Field,
  type ItemFault,
  MAPPED_TEXT_MAX_BYTES,
  resultOf,
  shown,
  stateOf,
  TooCostly,
  textFrom,
  timeOf,
} from './mapping-fields.ts';
import type { Oddity } from './possible-times.ts';

export type Mapping = NonNullable<AlertSourceSpec['mapping']>;

/** An expression of the mapping that is none. */
export interface MappingFault {
  /** Like `mapping.labels["host"]`. */
  field: string;
  message: string;
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

/** `odd`: what could not be had of it. */
export type Mapped = { alert: MappedAlert; odd?: Oddity[] } | { skipped: true } | { faults: ItemFault[] };

export interface CompiledMapping {
  /** Does `when` decide which items are alerts? */
  readonly filters: boolean;
  /** The elements of `items`; undefined where the mapping does not say. */
  items(variables: Omit<MappingVariables, 'item' | 'index'>): { items: CelInput[] } | { fault: ItemFault } | undefined;
  apply(variables: MappingVariables, budget: CelBudget): Mapped;
}

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
  let isRefused = false;
  const tryIt = <T>(work: () => T, isNeeded: boolean): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      faults.push(error.fault);
      isRefused ||= isNeeded || error instanceof TooCostly;
      return undefined;
    }
  };
  const attempt = <T>(work: () => T) => tryIt(work, true);
  const attemptMore = <T>(work: () => T) => tryIt(work, false);
  if (parts.when !== undefined) {
    const { when } = parts;
    const isAlert = attempt(() => booleanOf(when, variables, budget));
    if (isAlert === undefined) return { faults };
    if (!isAlert) return { skipped: true };
  }
  const alert: MappedAlert = {};
  for (const part of parts.texts) {
    const text = tryIt(() => textFrom(part, variables, budget), part.name === 'key');
    if (text !== undefined && text !== '') alert[part.name] = text;
  }
  for (const part of parts.times) {
    const instant = attemptMore(() => timeOf(part, variables, budget));
    if (instant) alert[part.name] = instant;
  }
  if (parts.state !== undefined) {
    const { state } = parts;
    const said = attempt(() => stateOf(state, variables, budget));
    if (said !== undefined) alert.state = said;
  }
  // Without a key the labels are what tells one fault from another.
  const isKeyed = parts.texts.some(({ name }) => name === 'key');
  for (const part of parts.maps) {
    const isNeeded = part.name === 'labels' && !isKeyed;
    alert[part.name] = mapOf(part, variables, budget, (work) => tryIt(work, isNeeded));
  }
  if (parts.links !== undefined) {
    const { links } = parts;
    alert.links = links.flatMap((link) => {
      const url = attemptMore(() => textFrom(link, variables, budget));
      return url === undefined || url === '' ? [] : [{ title: link.title, kind: link.kind, url }];
    });
  }
  if (isRefused) return { faults };
  return faults.length === 0 ? { alert } : { alert, odd: faults.map((fault) => ({ ...fault, done: 'left out' })) };
}

type Attempt = <T>(work: () => T) => T | undefined;

function mapOf(part: Parts['maps'][number], variables: object, budget: CelBudget, attempt: Attempt): Labels {
  const { whole } = part;
  const entries = whole === undefined ? [] : wholeOf(whole, variables, budget, attempt);
  for (const each of part.each) {
    const text = attempt(() => textFrom(each, variables, budget));
    if (text !== undefined) entries.push([each.name, text]);
  }
  return labelsFrom(labelsLastWins(entries));
}

function wholeOf(whole: Field, variables: object, budget: CelBudget, attempt: Attempt): [string, string][] {
  const held = attempt(() => {
    const value = resultOf(whole, variables, budget);
    const entries = value === null ? [] : celEntries(value);
    if (entries === undefined) throw new Failure(whole.field, shown(value), 'a map');
    if (entries.length > ENTRIES_MAX)
      throw new Failure(whole.field, `${entries.length} entries`, `at most ${ENTRIES_MAX}`);
    return entries;
  });
  return [...(held ?? [])].flatMap(([name, element]): [string, string][] => {
    const text = attempt(() => {
      const said = celText(element);
      if (said !== undefined) return cutBytes(said, MAPPED_TEXT_MAX_BYTES);
      const field = `${whole.field}[${JSON.stringify(name.slice(0, 60))}]`;
      throw new Failure(field, shown(element), 'a text, a number or a boolean');
    });
    return text === undefined ? [] : [[name, text]];
  });
}

/** An entry that an expression leaves empty takes the one from the whole away: it is the more special word. */
function labelsLastWins(entries: readonly [string, string][]): [string, string][] {
  return [...new Map(entries)].filter(([name, value]) => name !== '' && value !== '');
}

/** Reads what stands in the query of a list's URL. Throws HttpProblem that names the parameter, what was found and what was expected. */
import { FACET_VALUES, LIST_ROWS_DEFAULT, LIST_ROWS_MAX, QUERY_CHARACTERS } from '../limits.ts';
import { isNamespaceName } from '../server/names.ts';
import { HttpProblem } from '../server/problems.ts';

export type Compare<T> = (a: T, b: T) => number;
export type RawQuery = Record<string, string | string[] | undefined>;

/** The one value of a parameter; of several the last. An empty one is none. */
export function single(query: RawQuery, name: string): string | undefined {
  const value = query[name];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last === '' ? undefined : last;
}

/** All values of a facet; an empty set filters nothing. The empty value stands for those without one: `owner=` is nobody's. */
export function several(query: RawQuery, name: string): ReadonlySet<string> {
  const value = query[name];
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (values.length > FACET_VALUES) throw invalid(name, `${values.length} values`, `at most ${FACET_VALUES}`);
  return new Set(values);
}

/** A namespace, or undefined for all. */
export function namespaceOf(query: RawQuery): string | undefined {
  const namespace = single(query, 'namespace');
  if (namespace !== undefined && !isNamespaceName(namespace))
    throw invalid('namespace', shown(namespace), 'the name of a namespace');
  return namespace;
}

export function limitOf(query: RawQuery): number {
  const text = single(query, 'limit');
  if (text === undefined) return LIST_ROWS_DEFAULT;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1)
    throw invalid('limit', shown(text), `a whole number from 1 to ${LIST_ROWS_MAX}`);
  return Math.min(limit, LIST_ROWS_MAX);
}

/** The order asked for: one of the words, `-` in front for the other way round. */
export function sortOf<T extends string>(
  query: RawQuery,
  words: readonly [T, ...T[]],
): { sort: T; descending: boolean } {
  const given = oneOf(query, 'sort', [...words, ...words.map((word) => `-${word}`)] as [string, ...string[]]);
  const descending = given.startsWith('-');
  return { sort: words.find((word) => word === (descending ? given.slice(1) : given)) ?? words[0], descending };
}

/**
 * Puts the asked order in front of the usual one, which breaks ties and is never turned round by another's direction: the same
 * rows always come in the same order.
 */
export function inOrder<T>(
  asked: Compare<T> | undefined,
  descending: boolean,
  usual: readonly Compare<T>[],
): Compare<T> {
  return (a, b) => {
    const first = asked?.(a, b) ?? 0;
    if (first !== 0) return descending ? -first : first;
    for (const compare of usual) {
      const order = compare(a, b);
      if (order !== 0) return asked === undefined && descending ? -order : order;
    }
    return 0;
  };
}

/** One of the words, or the first of them when the parameter is absent. */
export function oneOf<T extends string>(query: RawQuery, name: string, words: readonly [T, ...T[]]): T {
  const text = single(query, name);
  if (text === undefined) return words[0];
  const word = words.find((w) => w === text);
  if (word === undefined) throw invalid(name, shown(text), `one of ${words.join(', ')}`);
  return word;
}

/** The words of a search, in lower case; each must be found. */
export function searchWords(query: RawQuery): string[] {
  const text = single(query, 'q') ?? '';
  if (text.length > QUERY_CHARACTERS) throw invalid('q', `${text.length} characters`, `at most ${QUERY_CHARACTERS}`);
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** Does every word stand in one of the texts? */
export function holdsWords(texts: readonly string[], words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = texts.join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** As people sort; those without a value come last. */
export const byText: Compare<string | undefined> = (a, b) => (a ?? '\uffff').localeCompare(b ?? '\uffff', 'en');

/** How often each value occurs; those without one are counted under ''. */
export function count<T>(items: Iterable<T>, valueFor: (item: T) => string | undefined): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const value = valueFor(item) ?? '';
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

/** Is the value among those asked for? None asked for means any. */
export function isAmong(asked: ReadonlySet<string>, value: string | undefined): boolean {
  return asked.size === 0 || asked.has(value ?? '');
}

function invalid(name: string, found: string, expected: string): HttpProblem {
  return new HttpProblem('Invalid', `${name}: found ${found}, expected ${expected}.`, { field: name });
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

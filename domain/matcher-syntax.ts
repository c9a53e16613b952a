/**
 * Reads Alertmanager's matcher syntax, as its own parser for UTF-8 does (prometheus/alertmanager, matcher/parse), and where that
 * one refuses, as its classic parser does (pkg/labels). What a matcher means is matcher.ts's.
 */
import { readClassic } from './matcher-classic.ts';

export type MatchOp = '=' | '!=' | '=~' | '!~';
export interface MatcherText {
  name: string;
  op: MatchOp;
  value: string;
  /** Where it begins in the text, and where its value does: UTF-16 offsets. */
  at: number;
  valueAt: number;
}

/** A matcher that cannot be read: where, what was found and what was expected there. */
export class MatcherSyntaxError extends Error {
  override readonly name = 'MatcherSyntaxError';
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  readonly found: string;
  readonly expected: string;
  constructor(text: string, offset: number, expected: string, found: string) {
    const before = text.slice(0, offset).split('\n');
    const line = before.length;
    const column = [...(before.at(-1) ?? '')].length + 1;
    super(`line ${line}, column ${column}: expected ${expected}, found ${found}`);
    this.line = line;
    this.column = column;
    this.expected = expected;
    this.found = found;
  }
}

/** Longest text of matchers, in characters, and most matchers in one. */
export const MATCHERS_TEXT_MAX = 4096;
export const MATCHERS_MAX = 64;

/** Returns the matchers in the text; `{}` and '' hold none. Throws MatcherSyntaxError. */
export function readMatchers(text: string): MatcherText[] {
  if (text.length > MATCHERS_TEXT_MAX) {
    throw new MatcherSyntaxError(text, MATCHERS_TEXT_MAX, `at most ${MATCHERS_TEXT_MAX} characters`, `${text.length}`);
  }
  const found = parsed(text);
  if (found.length > MATCHERS_MAX) {
    throw new MatcherSyntaxError(
      text,
      found[MATCHERS_MAX]?.at ?? 0,
      `at most ${MATCHERS_MAX} matchers`,
      `${found.length}`,
    );
  }
  if (found.some((m) => m.name === '')) {
    throw new MatcherSyntaxError(text, found.find((m) => m.name === '')?.at ?? 0, 'a label name', 'an empty one');
  }
  return found;
}

/**
 * Alertmanager's "fallback mode", its default: what only one parser takes is that one's; where both take it and differ (escapes
 * inside quotes), the classic reading holds. The message of a text that neither takes is the newer parser's, which knows places.
 */
function parsed(text: string): MatcherText[] {
  const classic = readClassic(text);
  try {
    const modern = new Reader(text).matchers();
    return classic !== undefined && !sameMatchers(classic, modern) ? classic : modern;
  } catch (e) {
    if (classic !== undefined) return classic;
    throw e;
  }
}

function sameMatchers(a: readonly MatcherText[], b: readonly MatcherText[]): boolean {
  return (
    a.length === b.length && a.every((m, i) => m.name === b[i]?.name && m.op === b[i]?.op && m.value === b[i]?.value)
  );
}

const SPACE = /\p{White_Space}/u;
const RESERVED = new Set('{}!=~,\\"\'`');
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};
const SHOWN_MAX = 24;

/** Recursive descent over: [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ]. */
class Reader {
  #at = 0;
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  matchers(): MatcherText[] {
    const list: MatcherText[] = [];
    this.#space();
    const open = this.#at;
    const braced = this.#take('{');
    const isEnd = () => (braced ? this.#peek() === '}' : this.#peek() === undefined);
    this.#space();
    while (!isEnd()) {
      list.push(this.#matcher());
      this.#space();
      if (isEnd()) break;
      if (!this.#take(',')) {
        if (this.#peek() === undefined)
          throw new MatcherSyntaxError(this.#text, open, 'a closing brace for this one', 'none');
        throw this.#error(braced ? 'a comma or a closing brace' : 'a comma or the end');
      }
      this.#space();
    }
    if (braced) {
      this.#at += 1;
      this.#space();
      if (this.#peek() !== undefined) throw this.#error('the end');
    }
    return list;
  }

  #matcher(): MatcherText {
    const at = this.#at;
    const name = this.#word('a label name, quoted if it holds a reserved character');
    this.#space();
    const op = this.#operator();
    this.#space();
    const valueAt = this.#at;
    return { name, op, value: this.#word('a value, quoted if it holds a reserved character or a space'), at, valueAt };
  }

  #operator(): MatchOp {
    const two = this.#text.slice(this.#at, this.#at + 2);
    if (two === '!=' || two === '=~' || two === '!~') {
      this.#at += 2;
      return two;
    }
    if (this.#take('=')) return '=';
    throw this.#error('an operator: =, !=, =~ or !~');
  }

  #word(expected: string): string {
    if (this.#peek() === '"') return this.#quoted();
    const start = this.#at;
    for (let c = this.#peek(); c !== undefined && !RESERVED.has(c) && !SPACE.test(c); c = this.#peek())
      this.#at += c.length;
    if (this.#at === start) throw this.#error(expected);
    return this.#text.slice(start, this.#at);
  }

  /** Go's interpreted string (strconv.Unquote). Bytes written with \x or octal must be UTF-8 together. */
  #quoted(): string {
    const start = this.#at;
    this.#at += 1;
    const bytes: number[] = [];
    const encoder = new TextEncoder();
    for (;;) {
      const c = this.#peek();
      if (c === undefined) throw new MatcherSyntaxError(this.#text, start, 'a closing quote for this one', 'none');
      if (c === '\n') throw this.#error('a closing quote before the end of the line (a line feed is written \\n)');
      if (!c.isWellFormed()) throw this.#error('text that is UTF-8');
      if (c === '\\') this.#escape(bytes, encoder);
      else {
        this.#at += c.length;
        if (c === '"') break;
        bytes.push(...encoder.encode(c));
      }
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
    } catch {
      throw new MatcherSyntaxError(this.#text, start, 'escapes that make UTF-8', this.#shown(start));
    }
  }

  #escape(bytes: number[], encoder: InstanceType<typeof TextEncoder>): void {
    const rest = this.#text.slice(this.#at + 1);
    const simple = Object.hasOwn(ESCAPES, rest.charAt(0)) ? ESCAPES[rest.charAt(0)] : undefined;
    const byte = /^(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))/.exec(rest);
    const rune = /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest);
    if (simple !== undefined) {
      bytes.push(...encoder.encode(simple));
      this.#at += 2;
    } else if (byte) {
      bytes.push(byte[1] !== undefined ? Number.parseInt(byte[1], 16) : Number.parseInt(byte[2] ?? '', 8));
      this.#at += 1 + byte[0].length;
    } else if (rune) {
      const point = Number.parseInt(rune[1] ?? rune[2] ?? '', 16);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        throw this.#error('an escape that names a character');
      bytes.push(...encoder.encode(String.fromCodePoint(point)));
      this.#at += 1 + rune[0].length;
    } else
      throw this.#error(
        'an escape that Go knows: \\a \\b \\f \\n \\r \\t \\v \\\\ \\" \\xHH \\OOO \\uHHHH \\UHHHHHHHH',
      );
  }

  #space(): void {
    for (let c = this.#peek(); c !== undefined && SPACE.test(c); c = this.#peek()) this.#at += c.length;
  }

  #peek(): string | undefined {
    const point = this.#text.codePointAt(this.#at);
    return point === undefined ? undefined : String.fromCodePoint(point);
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += char.length;
    return true;
  }

  #error(expected: string): MatcherSyntaxError {
    return new MatcherSyntaxError(this.#text, this.#at, expected, this.#shown(this.#at));
  }

  #shown(at: number): string {
    const rest = [...this.#text.slice(at)];
    if (rest.length === 0) return 'the end';
    return JSON.stringify(rest.length > SHOWN_MAX ? `${rest.slice(0, SHOWN_MAX).join('')}…` : rest.join(''));
  }
}

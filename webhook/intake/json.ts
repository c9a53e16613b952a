/** Parses a JSON body and says where it breaks. */
import { isUtf8 } from 'node:buffer';
import { parseWithDigits } from '@funnelai/domain/json-digits';
import { BodyProblem } from '../receivers/problem.ts';
import { faultOffset } from './json-place.ts';

/** The text is not JSON; `line` and `column` count from 1. */
export class JsonSyntaxError extends BodyProblem {
  readonly line: number;
  readonly column: number;
  constructor(line: number, column: number, found: string, expected = 'JSON') {
    super('', `${found} at line ${line}, column ${column}`, expected);
    this.name = 'JsonSyntaxError';
    this.line = line;
    this.column = column;
  }
}

/**
 * Returns the value of a JSON text in UTF-8 (a byte order mark is skipped). Integers beyond 2^53 come as texts, for their digits.
 * Throws `JsonSyntaxError` with the place where reading stopped; of an unfinished text, its end.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw new JsonSyntaxError(1, 1, 'gzip', 'JSON, or the header content-encoding: gzip beside it');
  if (!isUtf8(bytes)) {
    const { line, column } = placeOf(Buffer.from(bytes).toString('latin1'), firstBadByte(bytes));
    throw new JsonSyntaxError(line, column, 'a byte that is not UTF-8');
  }
  const text = textOf(bytes);
  if (text.trim() === '') throw new JsonSyntaxError(1, 1, 'nothing');
  try {
    return parseWithDigits(text);
  } catch {
    throw explain(text);
  }
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function explain(text: string): JsonSyntaxError {
  const offset = faultOffset(text);
  const { line, column } = placeOf(text, offset);
  const found = text.codePointAt(offset);
  const what = found === undefined ? 'its end' : JSON.stringify(String.fromCodePoint(found));
  return new JsonSyntaxError(line, column, what);
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}

/** Longest prefix that decodes, by halving: only runs for a body that is refused anyway. */
function firstBadByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return good;
}

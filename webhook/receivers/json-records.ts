/**
 * Takes JSON values out of a body: one, a list of them, one a line, or one after the other without anything between. A line that is no
 * JSON is named and left, the others are read. Linear in the body, whatever is in it.
 */
import { isUtf8 } from 'node:buffer';
import { parseWithDigits } from '@funnelai/domain/json-digits';
import { JsonSyntaxError, parseJson } from '../intake/json.ts';

export type JsonRecord = { index: number } & ({ value: unknown } | { broken: string });

/** Returns each record in its order. Throws `JsonSyntaxError` where a body that begins as one list, or one object over many lines, is none, and for what is no text. */
export function* jsonRecords(body: Uint8Array): Generator<JsonRecord> {
  const text = isUtf8(body)
    ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
        .toString('utf8')
        .replace(/^\ufeff/, '')
    : undefined;
  // What is no UTF-8, or nothing: the parser knows where.
  if (text === undefined || text.trim() === '') {
    yield { index: 0, value: parseJson(body) };
    return;
  }
  const whole = parsed(text);
  if (whole !== undefined) {
    const values = Array.isArray(whole.value) ? whole.value : [whole.value];
    for (const [index, value] of values.entries()) yield { index, value };
    return;
  }
  // A list, or an object over many lines, has no lines to go on with: the parser says where it breaks.
  const first = lines(text).next().value?.[1] ?? '';
  if (first === '{' || (first.startsWith('[') && parsed(first) === undefined)) parseJson(body);
  let index = 0;
  for (const [number, line] of lines(text)) {
    for (const piece of piecesOf(line)) {
      const value = parsed(piece);
      if (value !== undefined) yield { index, value: value.value };
      else yield { index, broken: whyBroken(piece, number) };
      index += 1;
    }
  }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: parseWithDigits(text) };
  } catch {
    return undefined;
  }
}

/** Lines that hold something, with their numbers from 1. */
function* lines(text: string): Generator<[number: number, line: string]> {
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end === -1 ? text.length : end).trim();
    number += 1;
    if (line !== '') yield [number, line];
    start = end === -1 ? text.length : end + 1;
  }
}

/** The objects of a line that stand one after the other; the line itself where it is one, or none. */
function* piecesOf(line: string): Generator<string> {
  if (!line.startsWith('{') || parsed(line) !== undefined) {
    yield line;
    return;
  }
  let start = 0;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < line.length; at += 1) {
    const unit = line.charCodeAt(at);
    if (inText) {
      if (unit === BACKSLASH) at += 1;
      else if (unit === QUOTE) inText = false;
    } else if (unit === QUOTE) inText = true;
    else if (unit === OPEN) depth += 1;
    else if (unit === CLOSE) {
      depth -= 1;
      if (depth > 0) continue;
      yield line.slice(start, at + 1).trim();
      start = at + 1;
      depth = 0;
    }
  }
  const rest = line.slice(start).trim();
  if (rest !== '') yield rest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

function whyBroken(piece: string, line: number): string {
  try {
    parseJson(Buffer.from(piece));
  } catch (error) {
    // The line of the error is within the piece, which is one line.
    if (error instanceof JsonSyntaxError)
      return `line ${line} of the body, which is not JSON (column ${error.column} of the record)`;
  }
  return `line ${line} of the body, which is not JSON`;
}

/**
 * Alertmanager's older matcher syntax (pkg/labels/parse.go): `job=` is allowed, values may hold spaces and braces without
 * quotes, and a backslash that escapes nothing stays. Read only so that rules written for it go on to mean what they meant.
 */
import type { MatcherText, MatchOp } from './matcher-syntax.ts';

const ONE = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*([\s\S]*?)\s*$/;

/** Returns the matchers, or undefined when this syntax does not take the text. */
export function readClassic(text: string): MatcherText[] | undefined {
  const open = /^\s*\{/.exec(text)?.[0].length ?? 0;
  // The original strips either brace alone; here a brace without the other is a mistake that is said.
  if (open > 0 !== /\}\s*$/.test(text)) return undefined;
  const inner = open > 0 ? text.slice(open).replace(/\}\s*$/, '') : text;
  const pieces = splitAtCommas(inner);
  // One comma may end the list; a list of nothing but a comma may not.
  if (pieces.length > 1 && (pieces.at(-1)?.text ?? '').trim() === '') pieces.pop();
  if (pieces.length === 1 && pieces[0]?.text.trim() === '') return inner.includes(',') ? undefined : [];
  const list: MatcherText[] = [];
  for (const piece of pieces) {
    const found = readOne(piece.text, open + piece.at);
    if (found === undefined) return undefined;
    list.push(found);
  }
  return list;
}

function splitAtCommas(text: string): { text: string; at: number }[] {
  const pieces: { text: string; at: number }[] = [];
  let [start, quoted, escaped] = [0, false, false];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (escaped) escaped = false;
    else if (c === '\\') escaped = true;
    else if (c === '"') quoted = !quoted;
    else if (c === ',' && !quoted) {
      pieces.push({ text: text.slice(start, i), at: start });
      start = i + 1;
    }
  }
  return [...pieces, { text: text.slice(start), at: start }];
}

function readOne(text: string, at: number): MatcherText | undefined {
  const found = ONE.exec(text);
  if (!found) return undefined;
  const [, name = '', op = '', raw = ''] = found;
  // To the original these are characters like others; whoever writes them means quotes.
  const value = /^['`]/.test(raw) ? undefined : unquote(raw);
  if (value === undefined || !raw.isWellFormed()) return undefined;
  const valueAt = at + text.length - text.trimEnd().length + text.trimEnd().length - raw.length;
  return { name, op: op as MatchOp, value, at: at + text.length - text.trimStart().length, valueAt };
}

/** Quotes may stand at both ends or at none; inside, only \n, \" and \\ are escapes. */
function unquote(raw: string): string | undefined {
  const starts = raw.startsWith('"');
  const body = starts ? raw.slice(1) : raw;
  let [out, escaped, ended] = ['', false, false];
  for (let i = 0; i < body.length; i += 1) {
    const c = body.charAt(i);
    if (escaped) {
      out += c === 'n' ? '\n' : c === '"' || c === '\\' ? c : `\\${c}`;
      escaped = false;
    } else if (c === '\\') {
      if (i === body.length - 1) out += c;
      else escaped = true;
    } else if (c === '"') {
      if (!starts || i < body.length - 1) return undefined;
      ended = true;
    } else out += c;
  }
  return starts && !ended ? undefined : out;
}

/**
 * Markdown as a tree of a few kinds of parts, safe to show whatever was typed: nothing of it is ever HTML, links lead to http(s)
 * only, pictures are links, depth and length are bounded. Pure.
 */
import { type MarkedToken, marked, type Token } from 'marked';
import { isOutwardUrl } from './outward-url.ts';

/** The API server takes 8 KiB; what is longer came some other way and is shown as text. */
const MOST_CHARACTERS = 16_384;
/** Lists in quotes in lists: what is nested deeper is shown as its text. */
const DEEPEST = 8;

export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'break' | 'rule' }
  | { kind: 'paragraph' | 'strong' | 'em' | 'del' | 'quote'; parts: Part[] }
  | { kind: 'heading'; depth: number; parts: Part[] }
  | { kind: 'code'; text: string; isBlock: boolean }
  | { kind: 'link'; url: string; parts: Part[] }
  | { kind: 'list'; start: number | undefined; items: { isDone: boolean | undefined; parts: Part[] }[] }
  | { kind: 'table'; head: Part[][]; rows: Part[][][] };

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': '\u00a0',
};
const decoded = (text: string): string =>
  text.replaceAll(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? entity);

/** The parts of a text. Never throws: what cannot be parsed is one paragraph of text. */
export function partsOf(text: string): Part[] {
  const asText: Part[] = [{ kind: 'paragraph', parts: [{ kind: 'text', text }] }];
  if (text.length > MOST_CHARACTERS) return asText;
  try {
    return inside(marked.lexer(text, { gfm: true, breaks: true }), 0);
  } catch {
    return asText;
  }
}

function inside(tokens: readonly Token[] | undefined, depth: number): Part[] {
  return (tokens ?? []).flatMap((token) => part(token as MarkedToken, depth));
}

function part(token: MarkedToken, depth: number): Part[] {
  if (depth > DEEPEST) return [{ kind: 'text', text: token.raw }];
  const nested = (tokens: readonly Token[] | undefined): Part[] => inside(tokens, depth + 1);
  switch (token.type) {
    case 'paragraph':
      return [{ kind: 'paragraph', parts: nested(token.tokens) }];
    case 'heading':
      return [{ kind: 'heading', depth: token.depth, parts: nested(token.tokens) }];
    case 'strong':
    case 'em':
    case 'del':
      return [{ kind: token.type, parts: nested(token.tokens) }];
    case 'blockquote':
      return [{ kind: 'quote', parts: nested(token.tokens) }];
    case 'code':
      return [{ kind: 'code', text: token.text, isBlock: true }];
    case 'codespan':
      return [{ kind: 'code', text: token.text, isBlock: false }];
    case 'link':
      return isOutwardUrl(token.href)
        ? [{ kind: 'link', url: token.href, parts: nested(token.tokens) }]
        : [{ kind: 'text', text: token.raw }];
    case 'image':
      return isOutwardUrl(token.href)
        ? [{ kind: 'link', url: token.href, parts: [{ kind: 'text', text: token.text || token.href }] }]
        : [{ kind: 'text', text: token.raw }];
    case 'list':
      return [
        {
          kind: 'list',
          start: token.ordered ? Number(token.start) || 1 : undefined,
          items: token.items.map((item) => ({
            isDone: item.task ? item.checked === true : undefined,
            parts: nested(item.tokens),
          })),
        },
      ];
    case 'table':
      return [
        {
          kind: 'table',
          head: token.header.map((cell) => nested(cell.tokens)),
          rows: token.rows.map((row) => row.map((cell) => nested(cell.tokens))),
        },
      ];
    case 'text':
      return token.tokens ? nested(token.tokens) : [{ kind: 'text', text: decoded(token.text) }];
    case 'escape':
      return [{ kind: 'text', text: token.text }];
    case 'br':
      return [{ kind: 'break' }];
    case 'hr':
      return [{ kind: 'rule' }];
    case 'space':
    case 'def':
    case 'checkbox':
      return [];
    default:
      // HTML above all: shown as it was typed.
      return [{ kind: 'text', text: token.raw }];
  }
}

/** JSON as CEL is given it: maps without prototypes, bounded in depth and length. Never follows a prototype, whatever the names. */
import type { CelInput } from '@bufbuild/cel';
import { CUT_MARK } from './bytes.ts';

/** What lies deeper is left out. */
export const INPUT_DEPTH_MAX = 32;
/** A longer text is cut, in characters: what is made of it is bounded far below. */
export const INPUT_TEXT_MAX = 262_144;

/** Returns the value for CEL, and whether something of it was cut. Numbers are doubles, as JSON has no others. */
export function celInput(json: unknown): { value: CelInput; cut: boolean } {
  let cut = false;
  const convert = (value: unknown, depth: number): CelInput => {
    if (typeof value === 'string') {
      if (value.length <= INPUT_TEXT_MAX) return value;
      cut = true;
      return value.slice(0, INPUT_TEXT_MAX) + CUT_MARK;
    }
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
    if (typeof value !== 'object') return null;
    if (depth >= INPUT_DEPTH_MAX) {
      cut = true;
      return CUT_MARK;
    }
    if (Array.isArray(value)) return value.map((element) => convert(element, depth + 1));
    return new Map(Object.entries(value).map(([name, held]) => [name, convert(held, depth + 1)]));
  };
  return { value: convert(json, 0), cut };
}

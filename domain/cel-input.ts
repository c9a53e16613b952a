/** JSON as CEL is given it: maps without prototypes, bounded in depth and length. Never follows a prototype, whatever the names. */
import type { CelInput } from '@bufbuild/cel';
import { CUT_MARK } from './bytes.ts';

/** What lies deeper is left out. */
export const INPUT_DEPTH_MAX = 32;
/** A longer text is cut, in characters: what is made of it is bounded far below. */
export const INPUT_TEXT_MAX = 262_144;
/** Values in one input, those in lists and maps among them: empty maps by the million would take more memory than there is. */
export const INPUT_VALUES_MAX = 400_000;

/**
 * Returns the value for CEL, whether something of it was cut, and whether that was for the number of values. Numbers are doubles, as
 * JSON has no others.
 */
export function celInput(json: unknown): { value: CelInput; cut: boolean; tooMany: boolean } {
  let cut = false;
  let values = 0;
  const convert = (value: unknown, depth: number): CelInput => {
    values += 1;
    if (values > INPUT_VALUES_MAX) return CUT_MARK;
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
  const value = convert(json, 0);
  const tooMany = values > INPUT_VALUES_MAX;
  return { value, cut: cut || tooMany, tooMany };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatchOf } from './merge-patch.ts';

/** RFC 7396, as the API server applies it; a Map, so that no key is special. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map(Object.entries(isObject ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, apply(result.get(key), value));
  }
  return Object.fromEntries(result);
}

describe('a merge patch', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 3 }, fc.string(), fc.integer(), fc.array(fc.string()), tie('object')),
    object: fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'constructor'), fc.string()), tie('any')),
  })).object as fc.Arbitrary<Record<string, unknown>>;

  it('turns one object into the other, whatever the keys', () => {
    fc.assert(
      fc.property(value, value, (from, to) => {
        expect(sorted(apply(from, mergePatchOf(from, to)))).toEqual(sorted(to));
      }),
    );
  });

  it('of equal objects is empty', () => {
    fc.assert(
      fc.property(value, (v) => {
        expect(mergePatchOf(v, structuredClone(v))).toEqual({});
      }),
    );
  });
});

const sorted = (v: unknown): unknown =>
  typeof v === 'object' && v !== null && !Array.isArray(v)
    ? Object.entries(v)
        .map(([k, x]) => [k, sorted(x)])
        .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
    : v;

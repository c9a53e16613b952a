import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byCodeUnit, sortNames } from './labels.ts';
import { anyText } from './testing/text.ts';

it('puts names in the order in which sorting puts them, however many', () => {
  fc.assert(
    fc.property(fc.array(anyText(), { maxLength: 60 }), (names) => {
      expect(sortNames([...names])).toEqual([...names].sort(byCodeUnit));
    }),
  );
});

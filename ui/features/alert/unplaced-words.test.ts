import type { Alert } from '@funnelai/crds/generated/types';
import { expect, it } from 'vitest';
import { placedOf, unplacedInShort, unplacedInWords } from './unplaced-words.ts';

const said = (status: Partial<NonNullable<Alert['status']>> | undefined): string => {
  const placed = placedOf(status === undefined ? {} : { status });
  return `${unplacedInShort(placed)}; ${unplacedInWords(placed)}`;
};
const refused = {
  type: 'Correlated',
  status: 'False',
  reason: 'Refused',
  message: '',
  lastTransitionTime: '',
} as const;

it('an alert without an incident says whether that is meant, or only not decided yet, or refused', () => {
  expect(said(undefined)).toBe('no rule yet; none yet: no rule has answered');
  expect(said({ explanation: 'the built-in rule records' })).toBe('recorded only; none: it is recorded only');
  expect(said({ explanation: 'its incident was refused', conditions: [refused] })).toMatch(
    /^incident refused; none: the API/,
  );
});

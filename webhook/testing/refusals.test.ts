import { expect, it } from 'vitest';
import { anAlert } from './builders.ts';
import { refusalsOf, refusedSpecs } from './refusals.ts';

const spec = anAlert().spec;
const END = '2026-01-01T13:00:00.000000Z';

it('refuses nothing of a good alert, and of a bad one what the API server would', () => {
  expect(refusalsOf(spec)).toEqual([]);
  expect(refusalsOf({ ...spec, state: 'Resolved', endsAt: END, leaseUntil: END })).toEqual([]);
  for (const [change, why] of refusedSpecs(spec)) expect(refusalsOf({ ...spec, ...change }).join('\n')).toMatch(why);
  expect(refusalsOf({ ...spec, fingerprint: 'f'.repeat(64) }, spec).join()).toContain('fingerprint is immutable');
});

import { expect, it } from 'vitest';
import { anAlert } from './builders.ts';
import { refusalsOf } from './refusals.ts';

const spec = anAlert().spec;
const END = '2026-01-01T13:00:00.000000Z';

it('refuses nothing of a good alert, and of a bad one what the API server would', () => {
  expect(refusalsOf(spec)).toEqual([]);
  expect(refusalsOf({ ...spec, state: 'Resolved', endsAt: END, leaseUntil: END })).toEqual([]);
  const bad: [Partial<typeof spec>, RegExp][] = [
    [{ endsAt: END }, /endsAt goes with state Resolved only/],
    [{ state: 'Resolved', endsAt: '2026-01-01T11:59:59.999999Z' }, /cannot end before it began/],
    [{ state: 'Expired' }, /expired goes with state Expired/],
    [{ latestStartsAt: spec.startsAt }, /only when it is later/],
    [{ title: '' }, /title: expected at least 1/],
    [{ title: '🙂'.repeat(257) }, /title: expected at most 256/],
    [{ notes: [''] }, /notes.0: expected at least 1/],
    [{ labels: { '': 'x' } }, /1 to 256 characters/],
    [{ links: [{ title: 'x', url: 'ftp://x', kind: 'Other' }] }, /starts with http/],
    [{ folded: { count: 1, firing: 2, asOf: END } }, /firing is at most count/],
    [{ startsAt: 'yesterday' }, /startsAt/],
  ];
  for (const [change, why] of bad) expect(refusalsOf({ ...spec, ...change }).join('\n')).toMatch(why);
  expect(refusalsOf({ ...spec, fingerprint: 'f'.repeat(64) }, spec).join()).toContain('fingerprint is immutable');
});

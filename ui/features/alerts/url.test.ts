import fc from 'fast-check';
import { expect, it, describe as story } from 'vitest';
import { PAGE_SIZE } from '../lists/limits.ts';
import { type AlertFilter, describeAlerts, parseAlertFilter, writeAlertFilter } from './url.ts';

const parse = (text: string): AlertFilter => parseAlertFilter(new URLSearchParams(text));

story('the URL of the alert list', () => {
  it('holds the order, and leaves out one that it does not know', () => {
    expect(parse('sort=-since').sort).toBe('-since');
    expect(parse('sort=colour').sort).toBe('');
  });

  it('says in words what is filtered', () => {
    expect(describeAlerts(parse('state=Firing&alertname=&q=disk'), 'demo', 2)).toBe(
      '2 alerts in demo with state Firing and name none, matching “disk”',
    );
  });

  const filters: fc.Arbitrary<AlertFilter> = fc.record({
    facets: fc.record({
      state: fc.subarray(['Firing', 'Resolved', 'Expired']),
      severity: fc.subarray(['Critical', 'Info']),
      source: fc.uniqueArray(fc.string(), { maxLength: 2 }),
      alertname: fc.uniqueArray(fc.string(), { maxLength: 2 }),
    }),
    incident: fc.string(),
    q: fc.string(),
    sort: fc.constantFrom('', 'since', '-since', 'title'),
    limit: fc.constantFrom(PAGE_SIZE, PAGE_SIZE * 2),
  });
  it('says the same when it is written and read again, whatever the values', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(parseAlertFilter(new URLSearchParams(writeAlertFilter(filter, 'demo').toString()))).toEqual(filter);
      }),
    );
  });
});

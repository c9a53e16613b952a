import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anIncident } from '../testing/builders.ts';
import { incidentPage, parseIncidentQuery } from './incident-list.ts';
import { incidentItem } from './items.ts';

const state = { resourceVersion: '1', asOf: '2026-01-01T13:00:00Z' };
const row = (name: string, spec = {}, minute = 0) =>
  incidentItem(
    anIncident({ name, spec, metadata: { creationTimestamp: `2026-01-01T12:${String(minute).padStart(2, '0')}:00Z` } }),
  );
const rows = [
  row('closed', { phase: 'Closed', severity: 'Critical', owner: { name: 'ana' } }),
  row('low-new', { severity: 'Low' }, 9),
  row('high-old', { severity: 'High' }, 1),
  row('high-new', { severity: 'High' }, 2),
  row('working', { severity: 'Critical', phase: 'Response', owner: { name: 'ana' } }),
  row('resolved', { phase: 'Resolution', owner: { name: 'bo' } }),
];
const page = (query: Record<string, string | string[]>) => incidentPage(rows, parseIncidentQuery(query), 'ana', state);
const names = (query: Record<string, string | string[]>) => page(query).items.map((item) => item.name);

describe('the list of incidents', () => {
  it('shows what nobody has taken first, then the worst, then the newest', () => {
    expect(names({})).toEqual(['high-new', 'high-old', 'low-new', 'working', 'resolved']);
  });

  it('counts every tab before the facets, and facets of the tab alone', () => {
    const { tabs, facets, total } = page({ severity: 'High' });
    expect(tabs).toEqual({ open: 5, mine: 1, unacknowledged: 3, postmortem: 0, closed: 1, all: 6 });
    expect(facets.severity).toEqual({ High: 3, Low: 1, Critical: 1 });
    expect(total).toBe(3);
  });

  it('takes several values of a facet, and words that must all be found', () => {
    expect(names({ severity: ['Low', 'Critical'] })).toEqual(['low-new', 'working']);
    expect(names({ q: 'HIGH new' })).toEqual(['high-new']);
    expect(names({ q: 'ana' })).toEqual(['working']);
  });

  it('finds what nobody owns, alone or with what someone owns', () => {
    expect(names({ owner: '' })).toEqual(['high-new', 'high-old', 'low-new']);
    expect(names({ owner: ['', 'bo'] })).toEqual(['high-new', 'high-old', 'low-new', 'resolved']);
    expect(page({}).facets.owner).toEqual({ '': 3, ana: 1, bo: 1 });
  });

  it('turns an order round', () => {
    expect(names({ sort: 'age', tab: 'unacknowledged' })).toEqual(['low-new', 'high-new', 'high-old']);
    expect(names({ sort: '-age', tab: 'unacknowledged' })).toEqual(['high-old', 'high-new', 'low-new']);
  });

  it('says how many there are though it shows fewer', () => {
    expect([page({ limit: '2' }).items.length, page({ limit: '2' }).total]).toEqual([2, 5]);
  });

  it.each([
    [{ tab: 'nope' }, 'tab: found "nope", expected one of open,'],
    [{ limit: '0' }, 'limit: found "0", expected a whole number from 1 to 1000'],
    [{ sort: 'colour' }, 'sort: found "colour"'],
    [{ q: 'x'.repeat(300) }, 'q: found 300 characters, expected at most 256'],
  ])('refuses %j', (query, message) => {
    expect(() => page(query as Record<string, string>)).toThrow(message);
  });

  it('comes in the same order however the rows were held', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(rows, { minLength: rows.length }),
        fc.constantFrom('', 'severity', '-owner', 'phase', 'priority', '-age'),
        (shuffled, sort) => {
          const query = parseIncidentQuery({ sort, tab: 'all' });
          expect(incidentPage(shuffled, query, 'ana', state).items).toEqual(
            incidentPage(rows, query, 'ana', state).items,
          );
        },
      ),
    );
  });
});

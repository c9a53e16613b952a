import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { alertPage, parseAlertQuery } from './alert-list.ts';
import { alertItem } from './items.ts';

const state = { resourceVersion: '1', asOf: '2026-01-01T13:00:00Z' };
const row = (name: string, spec = {}, incident?: string, minute = 0) =>
  alertItem(
    anAlert({
      name,
      spec: { title: name, startsAt: `2026-01-01T12:${String(minute).padStart(2, '0')}:00.000000Z`, ...spec },
      ...(incident === undefined ? {} : { status: { incidentRef: { name: incident } } }),
    }),
  );
const rows = [
  row('gone', { severity: 'Critical', state: 'Resolved' }, 'b-calm-otter', 5),
  row('low', { severity: 'Low' }, undefined, 9),
  row('old', { severity: 'High' }, 'a-amber-falcon', 1),
  row('new', { severity: 'High', labels: { pod: 'x' } }, 'b-calm-otter', 2),
];
const names = (query: Record<string, string | string[]>) =>
  alertPage(rows, parseAlertQuery(query), state).items.map((item) => item.name);

describe('the list of alerts', () => {
  it('shows what fires first, then the worst, then the newest', () => {
    expect(names({})).toEqual(['new', 'old', 'low', 'gone']);
  });

  it('shows what expired after what fires and before what resolved', () => {
    const expired = row('silent', { severity: 'Info', state: 'Expired' });
    const page = alertPage([...rows, expired], parseAlertQuery({}), state);
    expect(page.items.map((item) => item.name)).toEqual(['new', 'old', 'low', 'silent', 'gone']);
    expect(page.facets.state).toEqual({ Firing: 3, Resolved: 1, Expired: 1 });
  });

  it('comes in the order asked for, and the other way round', () => {
    expect(names({ sort: 'since' })).toEqual(['low', 'gone', 'new', 'old']);
    expect(names({ sort: '-since' })).toEqual(['old', 'new', 'gone', 'low']);
    expect(names({ sort: 'title' })).toEqual(['gone', 'low', 'new', 'old']);
  });

  it('puts what no incident has at the end of the order by incident', () => {
    expect(names({ sort: 'incident' })).toEqual(['old', 'new', 'gone', 'low']);
  });

  it('finds alerts without a name', () => {
    expect(names({ alertname: '' })).toEqual(['new']);
  });

  it('counts all folded alerts that match, though only the most urgent of them are rows', () => {
    const folded = { ...row('folded', { severity: 'High' }), foldedInto: 'over' };
    const page = (query: Record<string, string>, total: number) =>
      alertPage([...rows, folded], parseAlertQuery(query), { ...state, folded: { total } });
    expect(page({}, 2_500)).toMatchObject({ total: 4 + 2_500, folded: { total: 2_500 } });
    expect(page({ severity: 'Low' }, 0).total).toBe(1);
    expect(alertPage(rows, parseAlertQuery({}), state).total).toBe(4);
  });

  it('refuses an order that it does not know, with those that it does', () => {
    expect(() => names({ sort: 'colour' })).toThrow('sort: found "colour", expected one of urgency, severity, state');
  });

  it('comes in the same order however the rows were held', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(rows, { minLength: rows.length }),
        fc.constantFrom('', 'severity', '-source', 'state', '-since'),
        (shuffled, sort) => {
          const query = parseAlertQuery({ sort });
          expect(alertPage(shuffled, query, state).items).toEqual(alertPage(rows, query, state).items);
        },
      ),
    );
  });
});

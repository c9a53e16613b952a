import type { SourceItem } from '@funnelai/domain/wire';
import { describe, expect, it } from 'vitest';
import { parseSourceQuery, sourcePage } from './source-list.ts';

const row = (name: string, o: Partial<SourceItem> = {}, traffic: Partial<SourceItem['traffic']> = {}): SourceItem => ({
  namespace: 'demo',
  name,
  uid: name,
  format: 'Alertmanager',
  ready: 'True',
  createdAt: '2026-03-01T10:00:00Z',
  traffic: { alertsPerMinute: 0, bodies: 0, alerts: 0, stored: 0, rejected: {}, ...traffic },
  demo: false,
  ...o,
});
const ROWS = [
  row('busy', { lastReceivedAt: '2026-03-01T10:05:00Z' }, { alertsPerMinute: 9, bodies: 10, stored: 90 }),
  row('idle'),
  row('refused', { lastReceivedAt: '2026-03-01T10:01:00Z' }, { bodies: 4, rejected: { Invalid: 3, Unavailable: 1 } }),
  row('unready', { ready: 'False', message: 'expected a Secret graf-token', format: 'Grafana' }),
];
const list = (query: Record<string, string | string[]>) => {
  const page = sourcePage(ROWS, parseSourceQuery(query), { counted: { of: 'AllReplicas' }, asOf: '' });
  return { ...page, names: page.items.map(({ name }) => name) };
};

describe('the list of sources', () => {
  it('shows those in trouble first', () => {
    expect(list({}).names).toEqual(['unready', 'refused', 'busy', 'idle']);
  });

  it.each([
    [{ sort: 'received' }, ['busy', 'refused', 'unready', 'idle']],
    [{ sort: '-name' }, ['unready', 'refused', 'idle', 'busy']],
    [{ sort: 'rate' }, ['busy', 'unready', 'refused', 'idle']],
    [{ sort: 'rejected' }, ['refused', 'unready', 'busy', 'idle']],
    [{ traffic: 'None' }, ['unready', 'idle']],
    [{ traffic: ['Refused', 'Taken'] }, ['refused', 'busy']],
    [{ format: 'Grafana' }, ['unready']],
    [{ ready: 'False' }, ['unready']],
    [{ q: 'graf secret' }, ['unready']],
    [{ q: 'demo', limit: '1' }, ['unready']],
  ])('for %j shows %j', (query, names) => {
    expect(list(query as Record<string, string>).names).toEqual(names);
  });

  it('counts before the facets, and names what it does not understand', () => {
    const page = list({ ready: 'False' });
    expect(page).toMatchObject({
      total: 1,
      facets: { ready: { True: 3, False: 1 }, traffic: { None: 2, Taken: 1, Refused: 1 } },
    });
    expect(() => list({ sort: 'colour' })).toThrow(/sort: found "colour"/);
  });
});

import type { SourceItem } from '@funnelai/domain/wire-sources';
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
const why = (reason: string) => ({ reason, count: 1 });
const ROWS = [
  row('busy', { lastReceivedAt: '2026-03-01T10:05:00Z' }, { alertsPerMinute: 9, bodies: 10, stored: 90 }),
  row('idle'),
  row('refused', { lastReceivedAt: '2026-03-01T10:01:00Z' }, { bodies: 4, rejected: { Invalid: 3, Unavailable: 1 } }),
  row('unready', { ready: 'False', message: 'expected a Secret graf-token', format: 'Grafana' }),
  row('waits', { inbox: { waiting: 70, setAside: 0, reasons: [] } }),
  row('aside', { inbox: { waiting: 0, setAside: 2, reasons: [why('too long'), why('a quota')] } }),
];
const STATE = { counted: { of: 'AllReplicas' as const }, inbox: { available: true }, gone: [], asOf: '' };
const list = (query: Record<string, string | string[]>) => {
  const page = sourcePage(ROWS, parseSourceQuery(query), STATE);
  return { ...page, names: page.items.map(({ name }) => name) };
};

describe('the list of sources', () => {
  it('shows those in trouble first', () => {
    expect(list({}).names).toEqual(['unready', 'aside', 'refused', 'busy', 'idle', 'waits']);
  });

  it.each([
    [{ sort: 'received' }, ['busy', 'refused', 'unready', 'aside', 'idle', 'waits']],
    [{ sort: '-name' }, ['waits', 'unready', 'refused', 'idle', 'busy', 'aside']],
    [{ sort: 'rate' }, ['busy', 'unready', 'aside', 'refused', 'idle', 'waits']],
    [{ sort: 'rejected' }, ['refused', 'unready', 'aside', 'busy', 'idle', 'waits']],
    [{ sort: 'inbox' }, ['aside', 'waits', 'unready', 'refused', 'busy', 'idle']],
    [{ traffic: 'None' }, ['unready', 'aside', 'idle', 'waits']],
    [{ traffic: ['Refused', 'Taken'] }, ['refused', 'busy']],
    [{ format: 'Grafana' }, ['unready']],
    [{ ready: 'False' }, ['unready']],
    [{ q: 'graf secret' }, ['unready']],
    [{ q: 'demo', limit: '1' }, ['unready']],
  ])('for %j shows %j', (query, names) => {
    expect(list(query as Record<string, string>).names).toEqual(names);
  });

  it('tells one reason of each, for which a row has room', () => {
    const gone = [
      { namespace: 'demo', name: 'old', inbox: ROWS.at(-1)?.inbox ?? { waiting: 0, setAside: 0, reasons: [] } },
    ];
    const page = sourcePage(ROWS, parseSourceQuery({ q: 'aside' }), { ...STATE, gone });
    for (const { inbox } of [...page.items, ...page.gone]) expect(inbox?.reasons).toEqual([why('too long')]);
  });

  it('counts before the facets, and names what it does not understand', () => {
    const page = list({ ready: 'False' });
    expect(page).toMatchObject({
      total: 1,
      facets: { ready: { True: 5, False: 1 }, traffic: { None: 4, Taken: 1, Refused: 1 } },
    });
    expect(() => list({ sort: 'colour' })).toThrow(/sort: found "colour"/);
  });
});

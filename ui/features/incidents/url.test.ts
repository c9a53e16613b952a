import fc from 'fast-check';
import { expect, it, describe as story } from 'vitest';
import { MOST_ROWS, PAGE_SIZE } from '../lists/limits.ts';
import {
  describe,
  FACETS,
  type IncidentFilter,
  isNarrowed,
  MOST_CHOSEN,
  parseChosen,
  parseFilter,
  toQuery,
  widened,
  writeChosen,
  writeFilter,
} from './url.ts';

const parse = (text: string): IncidentFilter => parseFilter(new URLSearchParams(text));

story('the URL of the incident list', () => {
  it('without anything is the open incidents by urgency', () => {
    expect(parse('')).toEqual({
      tab: 'open',
      facets: { severity: [], priority: [], phase: [], owner: [], rule: [] },
      q: '',
      sort: '',
      limit: PAGE_SIZE,
    });
  });

  it('holds tab, facets, search and order', () => {
    const filter = parse('tab=mine&severity=High&severity=Critical&owner=ana&q=disk&sort=-age');
    expect(filter).toMatchObject({
      tab: 'mine',
      facets: { severity: ['High', 'Critical'], owner: ['ana'] },
      q: 'disk',
      sort: '-age',
    });
  });

  it('holds that nobody owns them, and says so', () => {
    const filter = parse('owner=');
    expect(filter.facets.owner).toEqual(['']);
    expect(isNarrowed(filter)).toBe(true);
    expect(describe(filter, 'demo', 2)).toBe('2 open incidents in demo with owner nobody');
    expect(parse('severity=').facets.severity).toEqual([]);
  });

  it('holds what is chosen, bounded, and forgets it with another filter', () => {
    const chosen = writeChosen(new URLSearchParams('q=disk'), ['demo/a', 'demo/b']);
    expect(chosen.toString()).toBe('q=disk&chosen=demo%2Fa&chosen=demo%2Fb');
    expect(parseChosen(chosen)).toEqual(['demo/a', 'demo/b']);
    expect(writeFilter(parseFilter(chosen), 'demo').has('chosen')).toBe(false);
    const many = Array.from({ length: MOST_CHOSEN + 20 }, (_, i) => `demo/${i}`);
    expect(writeChosen(new URLSearchParams(), many).getAll('chosen')).toHaveLength(MOST_CHOSEN);
    expect(parseChosen(new URLSearchParams(many.map((one) => ['chosen', one])))).toHaveLength(MOST_CHOSEN);
  });

  it('leaves out what it does not understand, instead of failing', () => {
    expect(parse('tab=nonsense&severity=Awful&sort=colour&limit=-4')).toEqual(parse(''));
    expect(parse('limit=99999').limit).toBe(MOST_ROWS);
  });

  const filters: fc.Arbitrary<IncidentFilter> = fc.record({
    tab: fc.constantFrom('open', 'mine', 'unacknowledged', 'postmortem', 'closed'),
    facets: fc.record({
      severity: fc.subarray(['Critical', 'High', 'Info']),
      priority: fc.subarray(['P1', 'P5']),
      phase: fc.subarray(['Detection', 'Closed']),
      owner: fc.uniqueArray(fc.string(), { maxLength: 3 }),
      rule: fc.uniqueArray(fc.string(), { maxLength: 3 }),
    }),
    q: fc.string(),
    sort: fc.constantFrom('', 'age', '-age', 'owner'),
    limit: fc.constantFrom(PAGE_SIZE, PAGE_SIZE * 2),
  });
  it('says the same when it is written and read again, whatever the values', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(parseFilter(new URLSearchParams(writeFilter(filter, 'demo').toString()))).toEqual(filter);
      }),
    );
  });

  it('keeps the namespace, and asks the API for all of them without one', () => {
    expect(writeFilter(parse('q=x'), 'demo').get('namespace')).toBe('demo');
    expect('namespace' in toQuery(parse(''), undefined)).toBe(false);
  });

  it('is narrowed by facets or search, and widened by taking both away', () => {
    const filter = parse('tab=closed&rule=pods&q=x');
    expect(isNarrowed(filter)).toBe(true);
    expect(isNarrowed(widened(filter))).toBe(false);
    expect(widened(filter).tab).toBe('closed');
    for (const facet of FACETS)
      expect(isNarrowed({ ...parse(''), facets: { ...parse('').facets, [facet]: ['x'] } })).toBe(true);
  });
});

story('the sentence above the list', () => {
  it('says what is filtered in words', () => {
    expect(describe(parse(''), undefined, 1)).toBe('1 open incident in all namespaces');
    expect(describe(parse('severity=Critical&severity=High&phase=Detection&q=disk'), 'demo', 4)).toBe(
      '4 open incidents in demo with severity Critical or High and phase Triggered, matching “disk”',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { describeRules, ruleFacetWord, ruleUrl } from './url.ts';
import { groupWords, matchWords, missingWords, reopenWords, resolveWords, takesWords } from './words.ts';

describe('a rule in words', () => {
  it('says what it takes and what it makes of it', () => {
    expect(matchWords({ match: ['a="b"', 'c=~"d.+"'] })).toBe('a="b", c=~"d.+"');
    expect(matchWords({ match: [] })).toBe('every alert');
    expect(groupWords({ groupBy: [], action: 'Open' })).toBe('all together');
    expect(groupWords({ groupBy: ['namespace', 'cluster'], action: 'Open' })).toBe('namespace, cluster');
    expect(groupWords({ groupBy: ['namespace'], action: 'Record' })).toBe('');
    expect(missingWords({ label: 'node' })).toBe('an alert without it is a group of its own');
  });

  it('counts what it took', () => {
    expect(takesWords({ alerts: 1_200, firing: 3, openIncidents: 1 })).toBe(
      '1,200 alerts, 3 of them firing; 1 open incident',
    );
    expect(takesWords({ alerts: 0, firing: 0, openIncidents: 0 })).toBe('no alerts; no open incident');
  });

  it('says when its incidents end and come back', () => {
    expect(resolveWords({})).toBe('5m after all its alerts resolved, while no person has it');
    expect(resolveWords({ when: 'AllAlertsResolved', after: '0s' })).toContain('0s after all');
    expect(resolveWords({ when: 'Manual' })).toBe('only by a person');
    expect(reopenWords('0s')).toBe('opens a new incident each time');
    expect(reopenWords('30m')).toContain('within 30m');
  });
});

describe('the URL of the rule list', () => {
  it('says the whole filter, and is read back the same', () => {
    const search = new URLSearchParams('namespace=demo&state=NotReady&action=Record&q=pods&sort=-firing&limit=400');
    const filter = ruleUrl.parse(search);
    expect(ruleUrl.write(filter, 'demo').toString()).toBe(search.toString());
    expect(describeRules(filter, 'demo', 1)).toBe('1 rule in demo, not ready, only records, matching “pods”');
    expect(describeRules(ruleUrl.widened(filter), undefined, 2)).toBe('2 rules in all namespaces');
    expect(ruleUrl.parse(new URLSearchParams('sort=colour')).sort).toBe('');
    expect(ruleFacetWord('state', 'Carrier')).toBe('Carrier');
  });
});

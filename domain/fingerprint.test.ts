import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertName, fingerprintOf, fingerprintOfKey } from './fingerprint.ts';
import { anyText } from './testing/text.ts';

const name = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'a', 'b', 'replica'),
  anyText({ minLength: 1 }),
);
const pairs = fc.uniqueArray(fc.tuple(name, anyText({ minLength: 1 })), { selector: ([n]) => n });
const hashOf = (entries: [string, string][], dedup?: Parameters<typeof fingerprintOf>[1]) =>
  fingerprintOf(Object.fromEntries(entries), dedup).fingerprint;

describe('fingerprintOf', () => {
  it('does not depend on the order of labels', () => {
    fc.assert(
      fc.property(pairs, fc.infiniteStream(fc.nat()), (entries, order) => {
        const shuffled = entries
          .map((e) => ({ e, k: order.next().value }))
          .sort((x, y) => x.k - y.k)
          .map(({ e }) => e);
        expect(hashOf(shuffled)).toBe(hashOf(entries));
      }),
    );
  });

  it('tells any two different label sets apart', () => {
    const key = (entries: [string, string][]) => JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(
      fc.property(pairs, pairs, (x, y) => {
        expect(hashOf(x, { ignore: [] }) === hashOf(y, { ignore: [] })).toBe(key(x) === key(y));
      }),
    );
    expect(hashOf([['a', 'b,c=d']])).not.toBe(
      hashOf([
        ['a', 'b'],
        ['c', 'd'],
      ]),
    );
    expect(hashOf([['a"],["b', 'c']])).not.toBe(
      hashOf([
        ['a', 'b'],
        ['b', 'c'],
      ]),
    );
  });

  it('counts a label named __proto__ like any other', () => {
    const labels = JSON.parse('{"alertname":"A","__proto__":"x"}');
    expect(fingerprintOf(labels).fingerprint).not.toBe(fingerprintOf({ alertname: 'A' }).fingerprint);
    expect(fingerprintOf(labels, { labels: ['__proto__'] }).missing).toEqual([]);
    expect(fingerprintOf({ a: 'b' }, { labels: ['a', 'constructor'] }).missing).toEqual(['constructor']);
  });

  it('leaves out what tells replicas apart, and an empty value as Prometheus does', () => {
    const base = fingerprintOf({ alertname: 'A' }).fingerprint;
    expect(fingerprintOf({ alertname: 'A', prometheus_replica: 'p-0', replica: '1', pod: '' }).fingerprint).toBe(base);
    expect(fingerprintOf({ alertname: 'A', replica: '1' }, { ignore: [] }).fingerprint).not.toBe(base);
    expect(fingerprintOf({ alertname: 'A', rev: '7' }, { ignore: ['rev'] }).fingerprint).toBe(base);
  });

  it('takes only the labels asked for, says which are missing, and never one key for all that have none', () => {
    const dedup = { labels: ['alertname', 'pod'] };
    const crash = fingerprintOf({ alertname: 'A', pod: 'x', uid: '1' }, dedup);
    expect(crash).toEqual(fingerprintOf({ alertname: 'A', pod: 'x', uid: '2' }, dedup));
    expect(crash.missing).toEqual([]);
    expect(fingerprintOf({ alertname: 'A' }, dedup).missing).toEqual(['pod']);
    expect(fingerprintOf({ disk: 'full' }, dedup).fingerprint).not.toBe(
      fingerprintOf({ disk: 'slow' }, dedup).fingerprint,
    );
  });

  it("never mistakes a sender's key for labels", () => {
    expect(fingerprintOfKey('[]')).not.toBe(fingerprintOf({}).fingerprint);
    expect(fingerprintOfKey('k')).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('alertName', () => {
  it('is the source and 16 digits, longer when asked, and never past 63', () => {
    const hash = 'abcdef0123456789'.repeat(4);
    expect(alertName('prom', hash)).toBe('prom-abcdef0123456789');
    expect(alertName('prom', hash, 24)).toBe('prom-abcdef0123456789abcdef01');
    expect(alertName('s'.repeat(40), hash, 64)).toHaveLength(63);
  });
});

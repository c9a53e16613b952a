import type { Alert, CorrelationRule } from '@funnelai/crds/generated/types';
import { IndexedCache } from '@funnelai/kube/indexed-cache';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { createLiveBook } from './live-book.ts';

const SOURCE = 'demo/prom';
const cacheOf = <T extends Alert | CorrelationRule>(name: string) => {
  const cache = new IndexedCache<T>({ name, clock: new FakeClock(), log: silentLog(), fresh: () => true });
  cache.replace([], '1');
  return cache;
};
function aBook() {
  const alerts = cacheOf<Alert>('alerts');
  const rules = cacheOf<CorrelationRule>('correlationrules');
  let version = 10;
  const see = (type: 'ADDED' | 'MODIFIED' | 'DELETED', alert: Alert, o: Partial<Alert['spec']> = {}) => {
    version += 1;
    const { uid = '' } = alert.metadata;
    const metadata = { ...alert.metadata, uid, resourceVersion: String(version) };
    alerts.applyEvent(type, { ...alert, metadata, spec: { ...alert.spec, ...o } });
  };
  return { book: createLiveBook({ alerts, rules }), rules, see };
}
const pod = (name: string, o: Partial<Alert['spec']> = {}) =>
  anAlert({ name, spec: { labels: { alertname: 'PodCrash', pod: name }, ...o } });

describe('the book of live alerts', () => {
  it('knows what fires of a kind, and how many objects a source has, resolved ones among them', () => {
    const { book, see } = aBook();
    const [a, b] = [pod('a'), pod('b')];
    const kind = book.kindOf('demo', a.spec);
    expect([book.objectsOf(SOURCE), book.fires(SOURCE, kind)]).toEqual([0, false]);
    see('ADDED', a);
    see('ADDED', b);
    see('MODIFIED', a, { state: 'Resolved' });
    expect([book.objectsOf(SOURCE), book.firingOf(SOURCE), book.fires(SOURCE, kind)]).toEqual([2, 1, true]);
    see('MODIFIED', b, { state: 'Resolved' });
    expect([book.objectsOf(SOURCE), book.fires(SOURCE, kind)]).toEqual([2, false]);
    see('DELETED', a, { state: 'Resolved' });
    expect([book.objectsOf(SOURCE), book.objectsOf('demo/other')]).toEqual([1, 0]);
  });

  it('counts what is being made, and one overflow Alert however many make it', () => {
    const { book, see } = aBook();
    const kind = book.kindOf('demo', pod('a').spec);
    const releases = [
      book.reserve(SOURCE, kind, 'alert'),
      book.reserve(SOURCE, kind, 'overflow'),
      book.reserve(SOURCE, kind, 'overflow'),
    ];
    expect([book.objectsOf(SOURCE), book.fires(SOURCE, kind), book.hasOverflow(SOURCE, kind)]).toEqual([2, true, true]);
    const folded = { count: 2, firing: 2, asOf: '2026-01-01T12:00:00Z' };
    see('ADDED', pod('over', { fingerprint: kind, folded }));
    expect([book.objectsOf(SOURCE), book.overflowsOf(SOURCE)]).toEqual([2, 1]);
    for (const release of releases) release();
    expect([book.objectsOf(SOURCE), book.hasOverflow(SOURCE, kind)]).toEqual([1, true]);
    expect(book.overflows().map(({ metadata }) => metadata.name)).toEqual(['over']);
  });

  it('puts alerts into other kinds when the rules change', () => {
    const { book, rules, see } = aBook();
    see('ADDED', pod('a', { labels: { alertname: 'PodCrash', cluster: 'eu' } }));
    const other = pod('b', { labels: { alertname: 'PodCrash', cluster: 'us' } }).spec;
    expect(book.fires(SOURCE, book.kindOf('demo', other))).toBe(false);
    rules.applyEvent('ADDED', {
      apiVersion: 'funnelai.dev/v1alpha1',
      kind: 'CorrelationRule',
      metadata: { namespace: 'demo', name: 'all', uid: 'uid-rule', resourceVersion: '99' },
      spec: { groupBy: [{ label: 'alertname' }] },
    });
    expect(book.fires(SOURCE, book.kindOf('demo', other))).toBe(true);
  });
});

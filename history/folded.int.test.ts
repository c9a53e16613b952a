import type { AlertSpec } from '@funnelai/crds/generated/types';
import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { minute } from './builders.ts';
import { createFoldStore, type Fold, type FoldStore } from './folded.ts';

const own = databasePerFile();
let pool: pg.Pool;
let store: FoldStore;
beforeAll(() => {
  pool = own.pool;
  store = createFoldStore({ pool, scope: 'cluster' });
});
beforeEach(async () => {
  await pool.query('TRUNCATE folded_alerts');
});

const fingerprint = (i: number) => i.toString(16).padStart(64, '0');
const aSpec = (i: number, o: Partial<AlertSpec> = {}): AlertSpec => ({
  sourceRef: { name: 'prom' },
  fingerprint: fingerprint(i),
  state: 'Firing',
  severity: 'Medium',
  title: `Pod ${i} is crash looping`,
  labels: { alertname: 'PodCrash', pod: `pod-${i}` },
  startsAt: minute(0),
  receivedAt: minute(1),
  ...o,
});
/** What came last wins: how reports are merged is not this file's. */
const aFold = (i: number, o: Partial<AlertSpec> = {}, overflow = 'prom-over'): Fold => ({
  namespace: 'pay',
  source: 'prom',
  fingerprint: fingerprint(i),
  name: `prom-${i}`,
  overflow,
  merge: () => aSpec(i, o),
  isSame: (a, b) => a.state === b.state && a.title === b.title,
  isThere: () => true,
});
const keyOf = (i: number) => ({ namespace: 'pay', source: 'prom', fingerprint: fingerprint(i) });
const counts = async (overflow = 'prom-over', since = minute(0)) =>
  (await store.counts([{ namespace: 'pay', overflow, since }]))[0];
const outcomes = async (...folds: Fold[]) => (await store.put(folds, minute(2))).map(({ outcome }) => outcome);

describe('a folded alert', () => {
  it('is stored once, however often it is reported, and counted while it fires', async () => {
    expect(await outcomes(aFold(1), aFold(2, { severity: 'Critical' }))).toEqual(['created', 'created']);
    expect(await outcomes(aFold(1))).toEqual(['unchanged']);
    expect(await counts()).toEqual({
      namespace: 'pay',
      overflow: 'prom-over',
      count: 2,
      firing: 2,
      expired: 0,
      lastSeen: undefined,
      severity: 'Critical',
    });
    expect(await outcomes(aFold(2, { state: 'Resolved', receivedAt: minute(5) }))).toEqual(['updated']);
    expect(await counts()).toMatchObject({ count: 2, firing: 1, severity: 'Medium' });
  });

  it('that had resolved before the present episode of its overflow Alert is not counted to it', async () => {
    await outcomes(aFold(1, { state: 'Resolved', receivedAt: minute(5) }), aFold(2));
    expect(await counts('prom-over', minute(6))).toMatchObject({ count: 1, firing: 1 });
  });

  it('leaves when it becomes an Alert, and may be folded again', async () => {
    await outcomes(aFold(1), aFold(2));
    expect(await store.leave([keyOf(1), keyOf(9)], minute(3))).toEqual([keyOf(1)]);
    expect(await store.leave([keyOf(1)], minute(3))).toEqual([]);
    expect(await store.find([keyOf(1), keyOf(2)])).toMatchObject([{ name: 'prom-2' }]);
    expect(await counts()).toMatchObject({ count: 1, firing: 1 });
    expect(await store.put([aFold(1, {}, 'prom-other')], minute(4))).toMatchObject([
      { outcome: 'created', before: undefined, overflow: 'prom-other' },
    ]);
    expect(await counts('prom-other')).toMatchObject({ count: 1, firing: 1 });
  });

  it('goes with its namespace, and comes again with its next report', async () => {
    await outcomes(aFold(1), aFold(2, {}, 'prom-other'));
    await store.abandon({ namespace: 'pay', overflow: 'prom-over' }, minute(3));
    expect((await store.firing()).map(({ overflow }) => overflow)).toEqual(['prom-other']);
    expect(await store.firing('pay')).toHaveLength(1);
    expect(await store.firing('elsewhere')).toEqual([]);
    expect(await outcomes(aFold(1))).toEqual(['created']);
  });

  it('stays with the overflow Alert that counts it while it fires', async () => {
    await outcomes(aFold(1));
    const [put] = await store.put([aFold(1, { title: 'worse' }, 'prom-other')], minute(3));
    expect(put).toMatchObject({ outcome: 'updated', before: 'Firing', overflow: 'prom-over' });
    expect(await store.firing()).toMatchObject([{ overflow: 'prom-over', spec: { title: 'worse' } }]);
  });

  it('loses no report when several replicas store at once', async () => {
    const add = (replica: number): Fold => ({
      ...aFold(1),
      merge: (stored) => aSpec(1, { labels: { ...stored?.labels, [`r${replica}`]: 'x' } }),
      isSame: (a, b) => Object.keys(a.labels ?? {}).length === Object.keys(b.labels ?? {}).length,
    });
    await Promise.all([1, 2, 3, 4].map((replica) => store.put([add(replica)], minute(2))));
    const [found] = await store.find([keyOf(1)]);
    expect(Object.keys(found?.spec.labels ?? {}).sort()).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  it('keeps text that Postgres has no place for, with a mark', async () => {
    await outcomes(aFold(1, { title: 'nul \0 and half \ud800', labels: { alertname: 'a\0b' } }));
    expect((await store.byName('pay', 'prom-1'))?.spec.title).toBe('nul \ufffd and half \ufffd');
  });
});

describe('among thousands of folded alerts', () => {
  it('one is found by its name, by a label, by what it is folded into, and they are counted', async () => {
    await store.put(
      Array.from({ length: 250 }, (_, i) => aFold(i)),
      minute(2),
    );
    await store.put(
      [aFold(900, { severity: 'Critical', labels: { alertname: 'Disk', node: 'n_1' } }, 'prom-disk')],
      minute(2),
    );
    const names = async (filter: Parameters<FoldStore['list']>[0]) => {
      const { items, total } = await store.list(filter);
      return [total, items.map(({ name }) => name)];
    };
    expect(await names({ words: ['pod=pod-17'] })).toEqual([11, expect.arrayContaining(['prom-17', 'prom-170'])]);
    expect(await names({ words: ['n_1'], severities: ['Critical'] })).toEqual([1, ['prom-900']]);
    expect(await names({ overflows: [{ namespace: 'pay', overflow: 'prom-disk' }] })).toEqual([1, ['prom-900']]);
    expect(await names({ overflows: [{ namespace: 'pay', overflow: 'prom-disk', until: minute(1) }] })).toEqual([
      0,
      [],
    ]);
    expect(await names({ namespaces: ['other'] })).toEqual([0, []]);
    const page = await store.list({ namespaces: ['pay'], limit: 10 });
    expect([page.items.length, page.total, page.items[0]?.name]).toEqual([10, 251, 'prom-900']);
  });
});

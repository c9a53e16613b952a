import type { AlertSpec } from '@funnelai/crds/generated/types';
import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { minute } from './builders.ts';
import { createFoldStore, type Fold, type FoldStore } from './folded.ts';
import { createFoldedLeaseStore, type FoldedLease, type FoldedLeaseStore } from './folded-leases.ts';
import { createLeaseStore, type LeaseStore } from './leases.ts';
import { toMicros } from './rows.ts';

const own = databasePerFile();
let pool: pg.Pool;
let folds: FoldStore;
let folded: FoldedLeaseStore;
let leases: LeaseStore;
beforeAll(() => {
  pool = own.pool;
  folds = createFoldStore({ pool, scope: 'cluster' });
  folded = createFoldedLeaseStore({ pool, scope: 'cluster' });
  leases = createLeaseStore({ pool, scope: 'cluster' });
});
beforeEach(async () => {
  await pool.query('TRUNCATE folded_alerts, alert_leases');
});

const at = (n: number): string => toMicros('at', minute(n));
const fingerprint = (i: number) => i.toString(16).padStart(64, '0');
const keyOf = (i: number) => ({ namespace: 'pay', source: 'prom', fingerprint: fingerprint(i) });
const aFold = (i: number, o: Partial<AlertSpec> = {}, isThere = true): Fold => ({
  ...keyOf(i),
  name: `prom-${i}`,
  overflow: 'prom-over',
  merge: () => ({
    sourceRef: { name: 'prom' },
    fingerprint: fingerprint(i),
    state: 'Firing',
    severity: 'Medium',
    title: `Pod ${i} is crash looping`,
    startsAt: at(0),
    receivedAt: at(1),
    ...o,
  }),
  isSame: (a, b) => a.state === b.state,
  isThere: () => isThere,
});
const put = (...some: Fold[]) => folds.put(some, at(2));
const heard = (i: number, lastSeen: string, leaseUntil?: string) => leases.put([{ ...keyOf(i), lastSeen, leaseUntil }]);
const firing = async (i: number): Promise<FoldedLease> =>
  (await folded.firing(undefined)).find((one) => one.fingerprint === fingerprint(i)) ??
  expect.fail(`${i} does not fire`);
/** As the expirer does with one whose lease ran out. */
async function expire(
  i: number,
  expiredAt: string,
  lastSeen?: string,
  reason: 'LeaseRanOut' | 'DedupChanged' | 'SourceDeleted' = 'LeaseRanOut',
): Promise<number> {
  const { namespace, source, version, receivedAt } = await firing(i);
  const set = {
    state: 'Expired' as const,
    receivedAt: lastSeen ?? receivedAt,
    expired: { at: expiredAt, reason },
  };
  return folded.mark([{ namespace, source, fingerprint: fingerprint(i), version, set }]);
}
const specOf = async (i: number) => (await folds.byName('pay', `prom-${i}`))?.spec;
const count = async (since = at(0)) => (await folds.counts([{ namespace: 'pay', overflow: 'prom-over', since }]))[0];

describe('of folded alerts that fire', () => {
  it('it is known when each was heard of last, by what is stored and by what changed nothing', async () => {
    await put(aFold(1, { leaseUntil: at(5) }), aFold(2), aFold(3), aFold(4));
    await heard(1, at(4), at(8));
    await heard(2, at(4));
    // Not later than what is stored, of another cluster, and of one that does not fire.
    await heard(3, at(1));
    await createLeaseStore({ pool, scope: 'other' }).put([{ ...keyOf(3), lastSeen: at(9) }]);
    await put(aFold(4, { state: 'Resolved' }));
    const all = await folded.firing(undefined);
    expect(all.map(({ version: _, overflow: __, namespace: ___, source: ____, ...one }) => one)).toEqual([
      {
        fingerprint: fingerprint(1),
        receivedAt: at(1),
        leaseUntil: at(5),
        heard: { lastSeen: at(4), leaseUntil: at(8) },
      },
      { fingerprint: fingerprint(2), receivedAt: at(1), heard: { lastSeen: at(4) } },
      { fingerprint: fingerprint(3), receivedAt: at(1) },
    ]);
  });

  it('one after the other is told, in the namespace that is asked about', async () => {
    await put(aFold(1), aFold(2), { ...aFold(3), namespace: 'shop' });
    await folds.leave([keyOf(2)], at(3));
    const [first, second, ...more] = await folded.firing(undefined);
    expect([first?.fingerprint, second?.namespace, more]).toEqual([fingerprint(1), 'shop', []]);
    expect(await folded.firing(first)).toEqual([second]);
    expect(await folded.firing(undefined, 'pay')).toEqual([first]);
  });

  it('the leases are kept while they fire, however old they are', async () => {
    await put(aFold(1), aFold(2));
    for (const i of [1, 2, 3]) await heard(i, at(2));
    await expire(2, at(5), at(2));
    const old = await leases.old(at(9), undefined, 10);
    expect(old.map((key) => key.fingerprint)).toEqual([fingerprint(2), fingerprint(3)]);
  });
});

describe('a folded alert', () => {
  it('that expired is counted as that, in the episode in which it did, and resolves nothing', async () => {
    await put(aFold(1, { leaseUntil: at(5) }), aFold(2, { severity: 'Critical' }), aFold(3));
    expect(await expire(1, at(7), at(4))).toBe(1);
    expect(await count()).toMatchObject({ count: 3, firing: 2, expired: 1, lastSeen: at(4), severity: 'Critical' });
    // The overflow Alert was made after the last report of it, and before it expired.
    expect(await count(at(6))).toMatchObject({ count: 3, firing: 2, expired: 1 });
    expect(await count(at(8))).toMatchObject({ count: 2, firing: 2, expired: 0, lastSeen: undefined });
    expect(await specOf(1)).toMatchObject({ state: 'Expired', receivedAt: at(4), expired: { at: at(7) } });
    expect(await specOf(1)).not.toHaveProperty('leaseUntil');
    expect(await specOf(1)).not.toHaveProperty('endsAt');
  });

  it('that a change of its source left behind is told by its rules and labels, and counted with its reason', async () => {
    await put(aFold(1, { dedupHash: 'c0ffee00', labels: { pod: 'one' } }), aFold(2), aFold(3));
    expect([(await firing(1)).dedupHash, (await firing(2)).dedupHash]).toEqual(['c0ffee00', undefined]);
    const labels = await folded.labels([keyOf(1), keyOf(2), keyOf(9)]);
    expect(labels.toSorted((a, b) => a.fingerprint.localeCompare(b.fingerprint))).toEqual([
      { ...keyOf(1), labels: { pod: 'one' } },
      { ...keyOf(2), labels: {} },
    ]);
    await expire(1, at(7), undefined, 'SourceDeleted');
    expect(await count()).toMatchObject({ firing: 2, expired: 1, reason: 'SourceDeleted' });
    await expire(2, at(9), undefined, 'DedupChanged');
    await expire(3, at(8));
    expect(await count()).toMatchObject({ firing: 0, expired: 3, reason: 'DedupChanged' });
    // What is heard of after all brings back only what had a lease that ran out.
    for (const i of [1, 2, 3]) await heard(i, at(9));
    expect((await folded.heardAfterExpiry(at(0))).map(({ fingerprint }) => fingerprint)).toEqual([fingerprint(3)]);
  });

  it('is listed between what fires and what resolved', async () => {
    await put(aFold(1, { state: 'Resolved', severity: 'Critical' }), aFold(2, { severity: 'High' }), aFold(3));
    await expire(2, at(7));
    const names = async (since?: string) =>
      (
        await folds.list({ overflows: [{ namespace: 'pay', overflow: 'prom-over', ...(since && { since }) }] })
      ).items.map(({ name }) => name);
    expect(await names()).toEqual(['prom-3', 'prom-2', 'prom-1']);
    expect(await names(at(6))).toEqual(['prom-3', 'prom-2']);
    expect(await names(at(8))).toEqual(['prom-3']);
  });

  it('does not expire when a report came between the look and the write, stored or heard of', async () => {
    await put(aFold(1), aFold(2));
    const [one, two] = [await firing(1), await firing(2)];
    await folds.leave([keyOf(1)], at(3));
    await put(aFold(1));
    await heard(2, at(4));
    const set = {
      state: 'Expired' as const,
      receivedAt: at(1),
      expired: { at: at(7), reason: 'LeaseRanOut' as const },
    };
    expect(await folded.mark([one, two].map((lease) => ({ ...lease, set })))).toBe(0);
    expect(await count()).toMatchObject({ firing: 2, expired: 0 });
  });

  it('that was heard of after all is found for as long as is asked, and brought back', async () => {
    await put(aFold(1), aFold(2));
    await expire(1, at(7));
    await expire(2, at(7));
    await heard(1, at(6), at(9));
    await heard(2, at(1));
    const [found, ...more] = await folded.heardAfterExpiry(at(7));
    expect([found, more]).toMatchObject([{ fingerprint: fingerprint(1), expiredAt: at(7) }, []]);
    expect(await folded.heardAfterExpiry(at(8))).toEqual([]);
    expect(await folded.heardAfterExpiry(at(7), 'shop')).toEqual([]);
    const { version = '', heard: last } = found ?? expect.fail();
    const set = { state: 'Firing' as const, receivedAt: last?.lastSeen ?? '', leaseUntil: last?.leaseUntil };
    expect(await folded.mark([{ ...keyOf(1), version, set }])).toBe(1);
    expect(await specOf(1)).toMatchObject({ state: 'Firing', receivedAt: at(6), leaseUntil: at(9) });
    expect(await specOf(1)).not.toHaveProperty('expired');
    expect(await folded.heardAfterExpiry(at(0))).toEqual([]);
  });

  it('that expired goes on with its overflow Alert while that is there, and else where it would be folded now', async () => {
    await put(aFold(1), aFold(2));
    await expire(1, at(7));
    await expire(2, at(7));
    const again = (i: number, isThere: boolean) => ({ ...aFold(i, {}, isThere), overflow: 'prom-other' });
    expect(await put(again(1, true), again(2, false))).toMatchObject([
      { outcome: 'updated', before: 'Expired', overflow: 'prom-over' },
      { outcome: 'updated', before: 'Expired', overflow: 'prom-other' },
    ]);
    expect(await count()).toMatchObject({ count: 1, firing: 1, expired: 0 });
  });

  it('leaves only as what it was when that was decided', async () => {
    await put(aFold(1), aFold(2));
    const [one, two] = [await firing(1), await firing(2)];
    await put(aFold(1, { state: 'Resolved' }));
    await folded.leave([one, two], at(5));
    expect((await folds.find([keyOf(1), keyOf(2)])).map(({ name }) => name)).toEqual(['prom-1']);
  });

  it('is found wherever it is folded, by its fingerprint', async () => {
    await put(aFold(1), { ...aFold(1, { state: 'Resolved' }), namespace: 'shop', source: 'other' }, aFold(2), aFold(3));
    await folds.leave([keyOf(2)], at(3));
    const places = await folds.places([1, 2, 9].map(fingerprint));
    expect(places.map(({ namespace, source, state }) => `${namespace}/${source} ${state}`).sort()).toEqual([
      'pay/prom Firing',
      'shop/other Resolved',
    ]);
  });
});

it('a storm of twenty thousand folded alerts is paged through by an index, not by looking at all that ever were', async () => {
  await pool.query(`INSERT INTO folded_alerts (scope, namespace, source, fingerprint, name, overflow, alertname, state, severity, title,
      starts_at, received_at, folded_at, version, spec)
    SELECT 'cluster', 'pay', 'prom', lpad(n::text, 64, '0'), 'a' || n, 'over', 'A', CASE WHEN n % 20 = 0 THEN 'Firing' ELSE 'Resolved' END, 'Low', 't',
      now(), now(), now(), 1, '{}' FROM generate_series(1, 20000) n`);
  await pool.query('ANALYZE folded_alerts');
  const page = await folded.firing(undefined);
  expect([page.length, (await folded.firing(page.at(-1))).length]).toEqual([1_000, 0]);
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN SELECT * FROM folded_alerts WHERE scope = 'cluster' AND left_at IS NULL AND state = 'Firing' AND (namespace, source, fingerprint) > ('', '', '')
     ORDER BY namespace, source, fingerprint LIMIT 100`,
  );
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('folded_alerts_firing');
});

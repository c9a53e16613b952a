/** Two clusters on one database: what each folded, and what came to its sources, is its own; what was there before stays with whose it is. */
import { databasePerTest } from '@funnelai/test/harness/own-database';
import { describe, expect, it } from 'vitest';
import { minute } from './builders.ts';
import { createFoldStore, type Fold } from './folded.ts';
import { createFoldedLeaseStore } from './folded-leases.ts';
import { silentLog } from './log.ts';
import { migrate, readMigrations } from './migrate.ts';
import { createSourceTrafficStore } from './source-traffic.ts';

const own = databasePerTest();

/** Of two clusters with namespaces, sources and faults of the same names. */
const key = { namespace: 'pay', source: 'prom', fingerprint: 'f'.repeat(64) };
const overflow = { namespace: 'pay', overflow: 'prom-over', since: minute(0) };
const aFold = (title: string, state: 'Firing' | 'Resolved' = 'Firing'): Fold => ({
  ...key,
  name: 'prom-1',
  overflow: 'prom-over',
  merge: () => ({
    sourceRef: { name: 'prom' },
    fingerprint: key.fingerprint,
    state,
    severity: 'High',
    title,
    startsAt: minute(0),
    receivedAt: minute(1),
  }),
  isSame: (a, b) => a.state === b.state && a.title === b.title,
  isThere: () => true,
});
const stores = (scope: string) => ({
  folds: createFoldStore({ pool: own.pool, scope }),
  leases: createFoldedLeaseStore({ pool: own.pool, scope }),
  traffic: createSourceTrafficStore({ pool: own.pool, scope }),
});
async function seenBy({ folds, leases }: ReturnType<typeof stores>) {
  const [listed, counts] = [await folds.list({}), await folds.counts([overflow])];
  return {
    titles: listed.items.map(({ spec }) => spec.title),
    found: (await folds.find([key])).map(({ spec }) => spec.title),
    named: (await folds.byName('pay', 'prom-1'))?.spec.title,
    counted: counts.map(({ count, firing }) => [count, firing]),
    places: (await folds.places([key.fingerprint])).length,
    firing: [(await folds.firing()).length, (await leases.firing(undefined)).length],
  };
}
const only = (title: string) => ({
  titles: [title],
  found: [title],
  named: title,
  counted: [[1, 1]],
  places: 1,
  firing: [1, 1],
});
const nothing = { titles: [], found: [], named: undefined, counted: [[0, 0]], places: 0, firing: [0, 0] };

describe('two clusters on one database', () => {
  it('fold alerts of the same names each for itself, whatever becomes of those of the other', async () => {
    await migrate(own.pool, silentLog);
    const [east, west] = [stores('east'), stores('west')];
    expect(await east.folds.put([aFold('in the east')], minute(2))).toMatchObject([{ outcome: 'created' }]);
    expect(await seenBy(west)).toEqual(nothing);
    expect(await west.folds.put([aFold('in the west')], minute(2))).toMatchObject([{ outcome: 'created' }]);
    expect([await seenBy(east), await seenBy(west)]).toEqual([only('in the east'), only('in the west')]);

    const [one] = await east.leases.firing(undefined);
    const set = {
      state: 'Expired' as const,
      receivedAt: minute(1),
      expired: { at: minute(3), reason: 'LeaseRanOut' as const },
    };
    const marked = { ...key, version: one?.version ?? '', set };
    expect(await east.leases.mark([marked])).toBe(1);
    expect(await seenBy(west)).toEqual(only('in the west'));
    expect(await west.leases.heardAfterExpiry(minute(0))).toEqual([]);
    await east.leases.leave([{ ...key, version: '2' }], minute(4));
    expect(await east.folds.leave([key], minute(4))).toEqual([]);
    expect(await west.folds.leave([key], minute(4))).toEqual([key]);
    await east.folds.put([aFold('in the east')], minute(5));
    await west.folds.put([aFold('in the west')], minute(5));
    await east.folds.abandon(overflow, minute(6));
    expect(await seenBy(west)).toEqual(only('in the west'));
  });

  it('count what comes to sources of the same name, and what these refuse, each for itself', async () => {
    await migrate(own.pool, silentLog);
    const [{ traffic: east }, { traffic: west }] = [stores('east'), stores('west')];
    const row = { namespace: 'pay', source: 'prom', startsAt: minute(0), outcome: '', bodies: 1, alerts: 2, stored: 2 };
    const refusal = { namespace: 'pay', source: 'prom', reason: 'Invalid', status: 400, isKnown: true, count: 1 };
    const when = { firstAt: minute(0), lastAt: minute(0), path: '' };
    await east.add([row]);
    await west.add([row, { ...row, outcome: 'Invalid' }]);
    await east.reject([{ ...refusal, ...when, message: 'same' }], { known: 1, strangers: 1 });
    await west.reject([{ ...refusal, ...when, message: 'same', count: 5 }], { known: 1, strangers: 1 });
    expect(await east.read(minute(0), minute(0))).toMatchObject([{ outcome: '', bodies: 1 }]);
    expect((await west.read(minute(0), minute(0))).map(({ bodies }) => bodies)).toEqual([1, 1]);
    expect((await east.rejectionsOf('pay', 'prom')).map(({ count }) => count)).toEqual([1]);
    expect((await west.rejectionsOf('pay', 'prom')).map(({ count }) => count)).toEqual([5]);
    // One more of the east puts none of the west away.
    await east.reject([{ ...refusal, ...when, message: 'newer', lastAt: minute(1) }], { known: 1, strangers: 1 });
    expect((await east.rejectionsOf('pay', 'prom')).map(({ message }) => message)).toEqual(['newer']);
    expect((await west.rejectionsOf('pay', 'prom')).map(({ message }) => message)).toEqual(['same']);
  });
});

describe('what was stored before clusters were told apart', () => {
  /** As the versions with thirteen migrations wrote it: sources `both`, `west` and `quiet`. */
  async function fillAsBefore(...scopes: string[]): Promise<void> {
    await migrate(own.pool, silentLog, { migrations: (await readMigrations()).slice(0, 13) });
    for (const source of ['both', 'west', 'quiet']) {
      await own.pool.query(
        `INSERT INTO folded_alerts (namespace, source, fingerprint, name, overflow, alertname, state, severity, title, starts_at,
           received_at, folded_at, version, spec)
         VALUES ('pay', $1, $2, 'a', 'over', 'A', 'Firing', 'Low', $1, now(), now(), now(), 1, jsonb_build_object('title', $1::text))`,
        [source, key.fingerprint],
      );
      await own.pool.query(`INSERT INTO source_traffic VALUES ('pay', $1, $2, '', 1, 1, 1)`, [source, minute(0)]);
      await own.pool.query(
        `INSERT INTO source_rejections VALUES ('pay', $1, 'Invalid', 'm', 400, true, 1, $2, $2, '', NULL, NULL, NULL)`,
        [source, minute(0)],
      );
    }
    for (const scope of scopes)
      await own.pool.query('INSERT INTO intake_lives VALUES ($1, $2, $2)', [scope, minute(0)]);
    for (const [scope, source] of [
      ['east', 'both'],
      ['west', 'both'],
      ['west', 'west'],
    ].filter(([scope = '']) => scopes.includes(scope)))
      await own.pool.query(`INSERT INTO alert_leases VALUES ($1, 'pay', $2, 'other', $3)`, [scope, source, minute(0)]);
  }
  async function sourcesOf(scope: string) {
    const { folds, traffic } = stores(scope);
    const folded = (await folds.list({})).items.map(({ source }) => source).sort();
    const counted = (await traffic.read(minute(0), minute(0))).map(({ source }) => source);
    const refused = [];
    for (const source of ['both', 'quiet', 'west'])
      if ((await traffic.rejectionsOf('pay', source)).length > 0) refused.push(source);
    expect([counted, refused]).toEqual([folded, folded]);
    return folded;
  }

  it('is the one cluster’s that ever used the database', async () => {
    await fillAsBefore('west');
    await migrate(own.pool, silentLog);
    expect(await sourcesOf('west')).toEqual(['both', 'quiet', 'west']);
    expect(await sourcesOf('later')).toEqual([]);
  });

  it('stays with each cluster that has heard of the source, and with all where none has: no alert is lost to any', async () => {
    await fillAsBefore('east', 'west');
    await migrate(own.pool, silentLog);
    expect(await sourcesOf('east')).toEqual(['both', 'quiet']);
    expect(await sourcesOf('west')).toEqual(['both', 'quiet', 'west']);
    expect((await own.pool.query(`SELECT FROM folded_alerts WHERE scope = ''`)).rowCount).toBe(0);
  });

  it('becomes the first cluster’s that asks where nobody ever said whose it is, but for what it has anew already', async () => {
    await fillAsBefore();
    await migrate(own.pool, silentLog);
    await own.pool.query(
      `INSERT INTO folded_alerts SELECT namespace, source, fingerprint, name, overflow, alertname, state, severity, 'anew', starts_at,
         ends_at, received_at, folded_at, left_at, version, spec, expired_at, 'west' FROM folded_alerts WHERE source = 'both'`,
    );
    const { folds } = stores('west');
    const [found] = await Promise.all([folds.list({}), stores('west').folds.firing()]);
    expect(found.items.map(({ source }) => source).sort()).toEqual(['both', 'quiet', 'west']);
    const counted = await own.pool.query('SELECT title FROM folded_alerts WHERE left_at IS NULL ORDER BY 1');
    expect(counted.rows.map(({ title }) => title)).toEqual(['anew', 'quiet', 'west']);
    expect((await stores('east').folds.list({})).total).toBe(0);
  });
});

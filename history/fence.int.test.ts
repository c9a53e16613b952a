import { databasePerTest } from '@funnelai/test/harness/own-database';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident, changes, minute } from './builders.ts';
import { HistoryUnavailable } from './errors.ts';
import { silentLog } from './log.ts';
import { migrate } from './migrate.ts';
import { createMirror, type Mirror } from './mirror.ts';

const clock = { now: () => Temporal.Instant.from(minute(0)) };
const own = databasePerTest();

/** A term of an operator: its own mirror. */
const term = (o: { namespace?: string } = {}): Mirror =>
  createMirror({ pool: own.pool, clock, log: silentLog, prepare: () => migrate(own.pool, silentLog), ...o });
const versionOf = async () =>
  (await own.pool.query<{ v: string }>('SELECT resource_version::text AS v FROM incidents')).rows.map(({ v }) => v);

describe('a later term', () => {
  it('takes over, and nothing that the earlier one does is written any more', async () => {
    const first = term();
    await first.putIncident(anIncident({ version: 1 }));
    const second = term();
    await second.putIncident(anIncident({ version: 2 }));
    const late: (() => Promise<unknown>)[] = [
      () => first.putIncident(anIncident({ version: 3 })),
      () => first.putIncidents([anIncident({ version: 3 })]),
      () => first.putAlerts([anAlert()]),
      () => first.markDeleted('Incident', 'incident-1', minute(1)),
      () => first.markVanished('Incident', ['incident-1'], clock.now()),
      () => first.renewEpoch(),
    ];
    for (const write of late)
      await expect(write()).rejects.toMatchObject({ name: 'HistoryFenced', transient: false, epoch: 1, current: 2 });
    expect(await versionOf()).toEqual(['2']);
    const { rows } = await own.pool.query('SELECT deleted_at FROM incidents UNION ALL SELECT deleted_at FROM alerts');
    expect(rows).toEqual([{ deleted_at: null }]);
  });

  it('waits for a write that is on its way, and has its version win', async () => {
    const first = term();
    await first.putIncident(anIncident({ version: 1 }));
    const holder = await own.pool.connect();
    try {
      await holder.query(`BEGIN; SELECT FROM incidents FOR UPDATE`);
      const late = first.putIncident(anIncident({ version: 9 }));
      await waiting('INSERT INTO incidents');
      const takeover = term().putIncident(anIncident({ version: 5 }));
      await waiting('INSERT INTO history_epochs');
      await holder.query('COMMIT');
      await late;
      await takeover;
    } finally {
      holder.release();
    }
    // As after a restore of etcd: what the present leader sees counts, though its number is lower.
    expect(await versionOf()).toEqual(['5']);
  });

  it('of one namespace disturbs neither the cluster nor another namespace', async () => {
    const mirrors = [term(), term({ namespace: 'shop' }), term({ namespace: 'pay' })];
    for (const round of [1, 2])
      for (const [n, mirror] of mirrors.entries())
        await mirror.putIncident(anIncident({ uid: `i-${n}`, name: `i-${n}`, version: round }));
    expect(await versionOf()).toEqual(['2', '2', '2']);
  });
});

describe('nobody is locked out', () => {
  it('by a database that is emptied under a term: tables and epoch are made anew', async () => {
    const mirror = term();
    await mirror.putIncident(anIncident({ changes: changes(1, 2) }));
    await own.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    // The first to notice is told to come again.
    await expect(mirror.putIncident(anIncident({ changes: changes(1, 2) }))).rejects.toBeInstanceOf(HistoryUnavailable);
    expect(await mirror.putIncident(anIncident({ changes: changes(1, 2) }))).toMatchObject({ mirroredSequence: 2 });
  });

  it('by a database that was set back to before its epoch; the later term still wins over the earlier', async () => {
    const [first, second] = [term(), term()];
    await first.putIncident(anIncident({ version: 1 }));
    const backup = await own.pool.query(`SELECT * FROM history_epochs`);
    await second.putIncident(anIncident({ version: 2 }));
    const setBack = () =>
      own.pool.query('UPDATE history_epochs SET epoch = $1, holder = $2', [
        backup.rows[0].epoch,
        backup.rows[0].holder,
      ]);
    await setBack();
    await second.putIncident(anIncident({ version: 3 }));
    await expect(first.putIncident(anIncident({ version: 4 }))).rejects.toMatchObject({ name: 'HistoryFenced' });
    expect(await versionOf()).toEqual(['3']);
  });

  it('by rows of a term whose versions were higher: etcd was set back, or the cluster is a new one', async () => {
    await term().putIncident(anIncident({ version: 9_000, title: 'before' }));
    await term().putIncident(anIncident({ version: 17, title: 'after' }));
    expect(await versionOf()).toEqual(['17']);
  });

  it('within a term either, once it is told that versions went backwards', async () => {
    const mirror = term();
    await mirror.putIncident(anIncident({ version: 9_000 }));
    await mirror.putAlerts([anAlert({ version: 9_000, incident: 'x' })]);
    expect(await mirror.putIncident(anIncident({ version: 17 }))).toMatchObject({ written: false });
    await mirror.renewEpoch();
    expect(await mirror.putIncident(anIncident({ version: 17 }))).toMatchObject({ written: true });
    expect(await mirror.putAlerts([anAlert({ version: 17, incident: 'x' })])).toMatchObject([{ written: true }]);
    const { rows } = await own.pool.query('SELECT resource_version::int AS v FROM alert_episodes');
    expect(rows).toEqual([{ v: 17 }]);
  });

  it('by its own renewal: what is on its way meanwhile goes on in the new epoch', async () => {
    const mirror = term();
    await mirror.putIncident(anIncident({ version: 9_000 }));
    for (let round = 0; round < 10; round += 1)
      await Promise.all([
        mirror.putIncident(anIncident({ version: 17 + round })),
        mirror.renewEpoch(),
        mirror.putAlerts([anAlert({ version: 17 + round })]),
        mirror.renewEpoch(),
        mirror.putIncident(anIncident({ version: 17 + round })),
      ]);
    await mirror.putIncident(anIncident({ version: 40 }));
    expect(await versionOf()).toEqual(['40']);
  });

  it('with Postgres away at the takeover: the epoch is taken by the first write that gets through', async () => {
    let isAway = true;
    const late = createMirror({
      pool: own.pool,
      clock,
      log: silentLog,
      prepare: () => (isAway ? Promise.reject(new HistoryUnavailable('away')) : migrate(own.pool, silentLog)),
    });
    await expect(late.putIncident(anIncident())).rejects.toBeInstanceOf(HistoryUnavailable);
    isAway = false;
    await late.putIncident(anIncident());
    expect((await own.pool.query('SELECT epoch::int, scope FROM history_epochs')).rows).toEqual([
      { epoch: 1, scope: 'cluster' },
    ]);
  });
});

/** Until a statement that begins like this waits for a lock. */
async function waiting(statement: string): Promise<void> {
  for (;;) {
    const { rowCount } = await own.pool.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid()`,
      [statement],
    );
    if (rowCount === 1) return;
  }
}

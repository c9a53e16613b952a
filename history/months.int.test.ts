import { databasePerTest } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeEach, describe, expect, it } from 'vitest';
import { anAlert, anIncident, changes } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { prepareHistory } from './months.ts';
import { createPool } from './pool.ts';

const DAY_MS = 86_400_000;
const own = databasePerTest({ migrated: true });
let pool: pg.Pool;
let mirror: Mirror;
let now: Temporal.Instant;
beforeEach(() => {
  pool = own.pool;
  mirror = createMirror({ pool, clock: { now: () => now }, log: silentLog });
});

const moveTo = async (instant: string) => {
  now = Temporal.Instant.from(instant);
  await mirror.keepMonths({});
};
/** An incident with two changes and an alert, made on that day and gone two days later. */
async function anOutageOn(day: string, o: { stays?: boolean } = {}): Promise<void> {
  const bornAt = `${day}T10:00:00Z`;
  const gone = Temporal.Instant.from(bornAt).add({ hours: 48 });
  await mirror.putIncident(anIncident({ uid: `i-${day}`, name: `i-${day}`, bornAt, changes: changes(1, 2) }));
  await mirror.putAlerts([anAlert({ uid: `a-${day}`, name: `a-${day}`, bornAt, incident: `i-${day}` })]);
  await mirror.markDeleted('Alert', `a-${day}`, gone);
  if (o.stays !== true) await mirror.markDeleted('Incident', `i-${day}`, gone);
}
const places = async (table: string) =>
  (
    await pool.query<{ place: string }>(`SELECT DISTINCT tableoid::regclass::text AS place FROM ${table} ORDER BY 1`)
  ).rows.map(({ place }) => place);
const uids = async () =>
  (await pool.query<{ uid: string }>('SELECT uid FROM incidents ORDER BY 1')).rows.map(({ uid }) => uid);
const count = async (table: string) =>
  (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n;

describe('the months of history', () => {
  it('are made ahead; each object with all of its own lies in that of its making, and anything else somewhere', async () => {
    await moveTo('2026-03-15T00:00:00Z');
    await anOutageOn('2026-03-20');
    await anOutageOn('2026-06-30');
    await anOutageOn('2031-01-01');
    await anOutageOn('2019-01-01');
    for (const table of ['incidents', 'incident_changes', 'alerts', 'alert_episodes'])
      expect(await places(table)).toEqual([`${table}_2026_03`, `${table}_2026_06`, `${table}_other`]);
    expect((await mirror.keepMonths({})).made).toEqual([]);
  });

  it('are there before the first write into a new database', async () => {
    await pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    now = Temporal.Instant.from('2026-03-15T00:00:00Z');
    const prepare = () => prepareHistory(pool, silentLog, now);
    const first = createMirror({ pool, clock: { now: () => now }, log: silentLog, prepare });
    await first.putIncident(anIncident({ bornAt: '2026-03-15T00:00:00Z' }));
    expect(await places('incidents')).toEqual(['incidents_2026_03']);
  });

  it('without a retention are kept for ever', async () => {
    await moveTo('2020-01-01T00:00:00Z');
    await anOutageOn('2020-01-10');
    await moveTo('2040-01-01T00:00:00Z');
    expect(await uids()).toEqual(['i-2020-01-10']);
  });

  it('are dropped whole once all in them left the cluster long enough ago', async () => {
    await moveTo('2026-01-15T00:00:00Z');
    for (const day of ['2026-01-20', '2026-02-20', '2026-03-20']) await anOutageOn(day);
    now = Temporal.Instant.from('2026-06-10T00:00:00Z');
    // 80 days before is March 22nd: the whole of March is young enough, though what is in it left on that very day.
    const done = await mirror.keepMonths({ keepMs: 80 * DAY_MS });
    expect(done.dropped).toEqual([
      ...['alerts_2026_01', 'alert_episodes_2026_01', 'alerts_2026_02', 'alert_episodes_2026_02'],
      ...['incidents_2026_01', 'incident_changes_2026_01', 'incidents_2026_02', 'incident_changes_2026_02'],
    ]);
    expect(await uids()).toEqual(['i-2026-03-20']);
    expect([await count('incident_changes'), await count('alerts'), await count('alert_episodes')]).toEqual([2, 1, 1]);
  });

  it('keep what is still in the cluster, with its alerts, and forget the rest around it', async () => {
    await moveTo('2026-01-15T00:00:00Z');
    await anOutageOn('2026-01-20', { stays: true });
    await anOutageOn('2026-01-21');
    await anOutageOn('2019-01-01');
    now = Temporal.Instant.from('2027-06-10T00:00:00Z');
    const done = await mirror.keepMonths({ keepMs: 80 * DAY_MS });
    expect(done.deleted).toBe(4);
    expect(await uids()).toEqual(['i-2026-01-20']);
    expect([await count('incident_changes'), await count('alerts'), await count('alert_episodes')]).toEqual([2, 1, 1]);
  });

  it('keep the story of an incident that was restored and lives', async () => {
    await moveTo('2026-01-15T00:00:00Z');
    await anOutageOn('2026-01-20');
    const again = anIncident({ uid: 'again', bornAt: '2026-03-20T10:00:00Z', changes: changes(3, 3) });
    await mirror.putIncident({
      ...again,
      spec: { ...again.spec, restoredFrom: { uid: 'i-2026-01-20' } } as typeof again.spec,
    });
    now = Temporal.Instant.from('2027-06-10T00:00:00Z');
    await mirror.keepMonths({ keepMs: 80 * DAY_MS });
    expect(await uids()).toEqual(['again', 'i-2026-01-20']);
    expect(await count('incident_changes')).toBe(3);
  });

  it('that may not be made, for want of a right, hinder no write', async () => {
    const role = `writer_${own.url.split('test_')[1]}`;
    await pool.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'writes'; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    const url = new URL(own.url);
    url.username = role;
    url.password = 'writes';
    const writers = createPool(url.href);
    now = Temporal.Instant.from('2026-03-15T00:00:00Z');
    try {
      const weak = createMirror({ pool: writers, clock: { now: () => now }, log: silentLog });
      expect(await weak.keepMonths({ keepMs: 80 * DAY_MS })).toEqual({ made: [], dropped: [], deleted: 0 });
      expect(await weak.putIncident(anIncident({ changes: changes(1, 2) }))).toMatchObject({ mirroredSequence: 2 });
    } finally {
      await writers.end();
      await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

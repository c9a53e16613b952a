import { databasePerTest } from '@funnelai/test/harness/own-database';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { aChange, anAlert, anIncident, changes, minute } from './builders.ts';
import { silentLog } from './log.ts';
import { migrate, readMigrations } from './migrate.ts';
import { createMirror } from './mirror.ts';
import { createPool } from './pool.ts';
import { createQueries } from './queries.ts';

/** The schema of the first version that people used. */
const FIRST_RELEASE = 3;

const own = databasePerTest();

/** What the first release wrote: an incident with two changes, and an alert with one episode in it. */
async function fillAsBefore(): Promise<void> {
  await migrate(own.pool, silentLog, { migrations: (await readMigrations()).slice(0, FIRST_RELEASE) });
  const incident = JSON.stringify(anIncident({ changes: changes(1, 2) }));
  const alert = JSON.stringify(anAlert({ incident: 'checkout-amber-falcon' }));
  await own.pool.query(
    `INSERT INTO incidents (uid, namespace, name, title, severity, phase, round, change_sequence, created_at, updated_at, resource_version, object)
     VALUES ('incident-1', 'shop', 'checkout-amber-falcon', 'Checkout answers 5xx', 'High', 'Detection', 1, 2, $1, $1, 100, $2)`,
    [minute(0), incident],
  );
  for (const change of changes(1, 2))
    await own.pool.query(
      `INSERT INTO incident_changes (incident_uid, sequence, kind, from_value, to_value, at, recorded_at, by)
       VALUES ('incident-1', $1, $2, $3, $4, $5, $6, $7)`,
      [change.sequence, change.kind, change.from, change.to, change.at, change.recordedAt, change.by],
    );
  await own.pool.query(
    `INSERT INTO alerts (uid, namespace, name, source, fingerprint, state, severity, title, starts_at, received_at, incident_name,
       incident_uid, episode, created_at, updated_at, resource_version, object)
     VALUES ('alert-1', 'shop', 'prom-3f9c2a7d51e08b64', 'prom', '3f9c2a7d51e08b64', 'Firing', 'High', 'KubePodCrashLooping', $1, $1,
       'checkout-amber-falcon', 'incident-1', 1, $1, $1, 200, $2)`,
    [minute(0), alert],
  );
  await own.pool.query(
    `INSERT INTO alert_episodes (alert_uid, episode, namespace, incident_name, incident_uid, state, severity, starts_at, received_at, resource_version)
     VALUES ('alert-1', 1, 'shop', 'checkout-amber-falcon', 'incident-1', 'Firing', 'High', $1, $1, 200)`,
    [minute(0)],
  );
}

describe('a database of the first release', () => {
  it('is converted with all that is in it, and written on', async () => {
    await fillAsBefore();
    await migrate(own.pool, silentLog);
    const queries = createQueries({ pool: own.pool });
    const mirror = createMirror({
      pool: own.pool,
      clock: { now: () => Temporal.Instant.from(minute(9)) },
      log: silentLog,
    });
    expect(await queries.changesOf('incident-1')).toHaveLength(2);
    expect(await queries.alertsOf('incident-1')).toMatchObject([
      { episodes: [{ episode: 1, startsAt: '2026-03-01T10:00:00.000000Z' }] },
    ]);
    await mirror.putIncident(anIncident({ version: 101, changes: [...changes(1, 2), aChange(3)] }));
    await mirror.putAlerts([
      anAlert({ version: 201, incident: 'checkout-amber-falcon', spec: { state: 'Resolved', endsAt: minute(5) } }),
    ]);
    expect(await queries.changesOf('incident-1')).toHaveLength(3);
    const fault = { namespace: 'shop', source: 'prom', fingerprint: '3f9c2a7d51e08b64' };
    expect(await queries.recurrenceOf(fault, minute(0))).toEqual({ episodes: 1, repeats: 0 });
    const { rows } = await own.pool.query(
      `SELECT started_at = starts_at AS started, ended_at = ends_at AS ended FROM alert_episodes`,
    );
    expect(rows).toEqual([{ started: true, ended: true }]);
  });

  it('stays readable for who could read it, and for nobody else', async () => {
    await fillAsBefore();
    const role = `reader_${own.url.split('test_')[1]}`;
    await own.pool.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'reads'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    await migrate(own.pool, silentLog);
    const url = new URL(own.url);
    url.username = role;
    url.password = 'reads';
    const reader = createPool(url.href);
    try {
      for (const relation of ['incidents', 'incident_changes', 'incident_transitions', 'alerts', 'alert_episodes']) {
        expect((await reader.query(`SELECT FROM ${relation}`)).rowCount, relation).toBeGreaterThanOrEqual(0);
        await expect(reader.query(`DELETE FROM ${relation}`), relation).rejects.toThrow(
          /permission denied|cannot delete from view/,
        );
      }
    } finally {
      await reader.end();
      await own.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

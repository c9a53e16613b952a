import type { Incident } from '@funnelai/crds/generated/types';
import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aChange, anAlert, anIncident, changes, minute } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { createQueries, type Queries } from './queries.ts';

const own = databasePerFile();
let pool: pg.Pool;
let mirror: Mirror;
let queries: Queries;
beforeAll(() => {
  pool = own.pool;
  mirror = createMirror({ pool, clock: { now: () => Temporal.Instant.from(minute(0)) }, log: silentLog });
  queries = createQueries({ pool });
});
beforeEach(async () => {
  await pool.query('TRUNCATE incidents, incident_changes, alerts, alert_episodes');
});

/** An incident that a restore made in a new cluster, of the one that had `from` as its uid. */
function restored(uid: string, from: string, o: Parameters<typeof anIncident>[0] = {}): Incident {
  const incident = anIncident({ uid, bornAt: minute(50_000), ...o });
  return { ...incident, spec: { ...incident.spec, restoredFrom: { uid: from } } as Incident['spec'] };
}

describe('an incident that was restored', () => {
  it('goes on with its story: one run of numbers, found under either uid, however often it was restored', async () => {
    await mirror.putIncident(anIncident({ uid: 'first', changes: changes(1, 3) }));
    await mirror.putAlerts([anAlert({ incident: 'checkout-amber-falcon' })]);
    await mirror.markVanished('Incident', ['first'], Temporal.Instant.from(minute(40_000)));
    expect(await mirror.putIncident(restored('second', 'first', { changes: changes(4, 5) }))).toMatchObject({
      mirroredSequence: 5,
    });
    // Restored again, of the second; a restore that knows only that names it.
    await mirror.putIncident(restored('third', 'second', { bornAt: minute(90_000), changes: [aChange(6)] }));
    for (const uid of ['first', 'second', 'third'])
      expect((await queries.changesOf(uid)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await queries.alertsOf('third')).toHaveLength(1);
    const { rows } = await pool.query(
      `SELECT uid, origin_uid, opened_at = $1 AS from_the_first FROM incident_stories`,
      [minute(0)],
    );
    expect(rows).toEqual([{ uid: 'third', origin_uid: 'first', from_the_first: true }]);
    const facts = await mirror.factsOf('Incident', ['third']);
    expect(facts.get('third')).toMatchObject({ sequence: 6 });
  });

  it('gets new numbers where it begins with ones that its story has', async () => {
    await mirror.putIncident(anIncident({ uid: 'first', changes: changes(1, 3) }));
    expect(
      await mirror.putIncident(restored('second', 'first', { changes: [aChange(1, { by: 'bo' })] })),
    ).toMatchObject({ conflict: { sequence: 1, storedSequence: 3, found: { by: 'bo' } } });
  });

  it('is written in one batch with the one that it came from', async () => {
    const batch = [
      restored('second', 'first', { changes: changes(3, 4) }),
      anIncident({ uid: 'first', changes: changes(1, 2) }),
    ];
    await mirror.putIncidents(batch.toReversed());
    expect((await queries.changesOf('second')).map(({ kind }) => kind)).toEqual(Array(4).fill('Severity'));
  });

  it('keeps its story also in a database that never knew the first', async () => {
    await mirror.putIncident(restored('second', 'first', { changes: changes(4, 5) }));
    const kinds = (await queries.changesOf('second')).map(({ kind }) => kind);
    expect(kinds).toEqual(['Lost', 'Lost', 'Lost', 'Severity', 'Severity']);
    expect((await pool.query('SELECT FROM incident_transitions')).rowCount).toBe(0);
    expect((await pool.query(`SELECT FROM incident_stories WHERE origin_uid = 'first'`)).rowCount).toBe(1);
  });
});

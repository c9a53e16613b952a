import type { Incident } from '@funnelai/crds/generated/types';
import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aChange, anAlert, anIncident, changes, minute } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { createPool } from './pool.ts';
import { createQueries, type Queries } from './queries.ts';

const NOW = Temporal.Instant.from('2026-03-02T00:00:00Z');
const own = databasePerFile();
let pool: pg.Pool;
let mirror: Mirror;
let queries: Queries;
const clock = { now: () => NOW };

beforeAll(() => {
  pool = own.pool;
  mirror = createMirror({ pool, clock, log: silentLog });
  queries = createQueries({ pool });
});
beforeEach(async () => {
  await pool.query('TRUNCATE incidents, incident_changes, alerts, alert_episodes');
});

/** Every row of every table, to compare whole states of history. */
async function everything(): Promise<unknown> {
  const tables = await Promise.all(
    ['incidents', 'incident_changes', 'alerts', 'alert_episodes'].map(async (table) => {
      const found = await pool.query<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${table} t ORDER BY t::text`);
      return [table, found.rows.map((one) => one.row)];
    }),
  );
  return Object.fromEntries(tables);
}
const sequencesOf = async (uid: string) => (await queries.changesOf(uid)).map((change) => change.sequence);

describe('the mirror', () => {
  it('has the effect of once, however often the same batch comes', async () => {
    const batch = [anIncident({ changes: changes(1, 3) }), anIncident({ uid: 'incident-2', name: 'other' })];
    const alerts = [anAlert({ incident: 'checkout-amber-falcon' })];
    const first = await mirror.putIncidents(batch);
    expect(first).toMatchObject([
      { uid: 'incident-1', written: true, mirroredSequence: 3 },
      { uid: 'incident-2', written: true, mirroredSequence: 0 },
    ]);
    expect(await mirror.putAlerts(alerts)).toMatchObject([{ uid: 'alert-1', written: true }]);
    const state = await everything();
    for (let time = 0; time < 2; time += 1) {
      expect(await mirror.putIncidents(batch)).toMatchObject([
        { written: false, mirroredSequence: 3 },
        { written: false, mirroredSequence: 0 },
      ]);
      expect(await mirror.putAlerts(alerts)).toMatchObject([{ written: false }]);
    }
    expect(await everything()).toEqual(state);
  });

  it('keeps the newest version, in whatever order versions come, and compares them as numbers', async () => {
    await mirror.putIncident(anIncident({ version: 1_000, title: 'new', changes: changes(1, 2) }));
    expect(await mirror.putIncident(anIncident({ version: 999, title: 'old', changes: changes(1, 1) }))).toMatchObject({
      written: false,
      mirroredSequence: 1,
    });
    expect((await queries.incidentByUid('incident-1'))?.incident.spec.title).toBe('new');
    await mirror.putAlerts([
      anAlert({ version: 10, spec: { state: 'Resolved', endsAt: minute(9) } }),
      anAlert({ version: 9 }),
    ]);
    const { rows } = await pool.query('SELECT state, resource_version::text AS version FROM alerts');
    expect(rows).toEqual([{ state: 'Resolved', version: '10' }]);
  });

  it('reports another content under the same number, keeps what it has and records nothing behind it', async () => {
    await mirror.putIncident(anIncident({ changes: changes(1, 3) }));
    const restored = [...changes(1, 2), aChange(3, { to: 'Low', by: 'bo' }), aChange(4)];
    const result = await mirror.putIncident(anIncident({ version: 101, title: 'restored', changes: restored }));
    expect(result).toMatchObject({
      written: true,
      mirroredSequence: 2,
      conflict: { sequence: 3, stored: { to: 'S3', by: 'ana' }, found: { to: 'Low', by: 'bo' }, storedSequence: 3 },
    });
    expect(await queries.changesOf('incident-1')).toMatchObject([{ to: 'S1' }, { to: 'S2' }, { to: 'S3', by: 'ana' }]);
    const renumbered = [...changes(1, 3), aChange(4, { to: 'Low', by: 'bo' })];
    expect(await mirror.putIncident(anIncident({ version: 102, changes: renumbered }))).toMatchObject({
      mirroredSequence: 4,
    });
  });

  it('holds the place of what it and the object lost, and says which numbers', async () => {
    await mirror.putIncident(anIncident({ changes: changes(1, 2) }));
    const later = anIncident({ version: 101, changes: changes(5, 6) });
    expect(await mirror.putIncident(later)).toMatchObject({ mirroredSequence: 6, lost: [{ from: 3, to: 4 }] });
    expect((await queries.changesOf('incident-1')).map(({ sequence, kind, by }) => [sequence, kind, by])).toEqual([
      [1, 'Severity', 'ana'],
      [2, 'Severity', 'ana'],
      [3, 'Lost', ''],
      [4, 'Lost', ''],
      [5, 'Severity', 'ana'],
      [6, 'Severity', 'ana'],
    ]);
    expect((await mirror.putIncident(later)).lost).toBeUndefined();
  });

  it('stores NUL and half characters as U+FFFD, in every place, and finds them the same the next time', async () => {
    const incident = anIncident({
      title: 'a\0b',
      spec: { summary: '\ud800', owner: { name: 'an\0a' } },
      changes: [aChange(1, { reason: 'x\0\udfff', by: 'b\0o' })],
    });
    expect(await mirror.putIncident(incident)).toMatchObject({ written: true, mirroredSequence: 1 });
    expect(await mirror.putIncident(incident)).toMatchObject({ mirroredSequence: 1 });
    const found = await queries.incidentByUid('incident-1');
    expect(found?.incident.spec).toMatchObject({ title: 'a\ufffdb', summary: '\ufffd', owner: { name: 'an\ufffda' } });
    expect(await queries.changesOf('incident-1')).toMatchObject([{ reason: 'x\ufffd\ufffd', by: 'b\ufffdo' }]);
    expect(await mirror.putAlerts([anAlert({ spec: { labels: { 'k\0': '\0' } } })])).toMatchObject([{ written: true }]);
  });

  it('lets the rest of a batch through when the mirror refuses one, and says which column', async () => {
    const results = await mirror.putAlerts([
      anAlert({ uid: 'a' }),
      anAlert({ uid: 'b', spec: { startsAt: 'soon' } }),
      anAlert({ uid: 'c', spec: { title: 'x'.repeat(70_000) } }),
      anAlert({ uid: 'd' }),
    ]);
    expect(results).toMatchObject([
      { uid: 'a', written: true },
      { uid: 'b', written: false, refused: { column: 'starts_at' } },
      { uid: 'c', written: false, refused: { column: 'title', reason: 'longer than 65536 bytes' } },
      { uid: 'd', written: true },
    ]);
  });

  it('lets the rest of a batch through when Postgres refuses some, and does not quote them', async () => {
    await pool.query(`ALTER TABLE alerts ADD CONSTRAINT trap CHECK (title <> 'secret')`);
    try {
      const batch = Array.from({ length: 40 }, (_, n) =>
        anAlert({ uid: `alert-${n}`, spec: { title: n % 13 === 5 ? 'secret' : 'fine' } }),
      );
      const results = await mirror.putAlerts(batch);
      expect(results.map((result) => result.uid)).toEqual(batch.map((alert) => alert.metadata.uid));
      expect(results.filter((result) => result.refused !== undefined).map((result) => result.uid)).toEqual([
        'alert-5',
        'alert-18',
        'alert-31',
      ]);
      expect(results[5]?.refused?.message).toContain(
        'outside its bounds (table alerts, constraint trap, SQLSTATE 23514)',
      );
      expect(results[5]?.refused?.message).not.toContain('secret');
      expect((await pool.query('SELECT FROM alerts')).rowCount).toBe(37);
    } finally {
      await pool.query('ALTER TABLE alerts DROP CONSTRAINT trap');
    }
  });

  it('takes what a trigger of the database will not have for refused, not for a Postgres that is away', async () => {
    await pool.query(`CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN IF NEW.title = 'secret' THEN RAISE EXCEPTION 'no %', NEW.title; END IF; RETURN NEW; END$$`);
    await pool.query('CREATE TRIGGER trap BEFORE INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION trap()');
    try {
      const results = await mirror.putAlerts([
        anAlert({ uid: 'a' }),
        anAlert({ uid: 'b', spec: { title: 'secret' } }),
        anAlert({ uid: 'c' }),
      ]);
      expect(results.map(({ written }) => written)).toEqual([true, false, true]);
      expect(results[1]?.refused?.message).toContain('SQLSTATE P0001');
      expect(results[1]?.refused?.message).not.toContain('secret');
    } finally {
      await pool.query('DROP FUNCTION trap CASCADE');
    }
  });

  it('takes the changes before one that is refused', async () => {
    const bad = anIncident({ changes: [aChange(1), aChange(2, { at: 'never' })] });
    expect(await mirror.putIncidents([bad])).toMatchObject([
      { written: true, mirroredSequence: 1, refused: { column: 'at' } },
    ]);
    await expect(mirror.putIncident(bad)).rejects.toMatchObject({ name: 'HistoryRefused', column: 'at' });
  });

  it('keeps microseconds, cuts nanoseconds and turns zones into UTC', async () => {
    const at = '2026-03-01T12:00:00.123456789+02:00';
    await mirror.putIncident(anIncident({ changes: [aChange(1, { at, recordedAt: '2026-03-01T10:00:00.000001Z' })] }));
    expect(await queries.changesOf('incident-1')).toMatchObject([
      { at: '2026-03-01T10:00:00.123456Z', recordedAt: '2026-03-01T10:00:00.000001Z' },
    ]);
  });

  it('takes 10,000 alerts, twice in one batch too', async () => {
    const batch = Array.from({ length: 10_000 }, (_, n) =>
      anAlert({ uid: `alert-${n}`, name: `prom-${n}`, version: n + 1 }),
    );
    const results = await mirror.putAlerts([...batch, ...batch.slice(0, 10)]);
    expect(results.filter((result) => result.written)).toHaveLength(10_000);
    expect(results.slice(10_000).every((result) => !result.written && result.refused === undefined)).toBe(true);
    const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM alerts');
    expect(rows).toEqual([{ n: 10_000 }]);
  });

  it('stays exact when two mirrors write the same things at once, in opposite orders', async () => {
    const secondPool = createPool(own.url);
    // Of another scope, as of one and the same only one may write.
    const second = createMirror({ pool: secondPool, clock, log: silentLog, namespace: 'shop' });
    try {
      const versions = (n: number): Incident[] =>
        [5, 3, 8, 1].map((last) =>
          anIncident({ uid: `i-${n}`, name: `i-${n}`, version: 100 + last, changes: changes(1, last) }),
        );
      const batch = Array.from({ length: 30 }, (_, n) => versions(n)).flat();
      const alerts = Array.from({ length: 600 }, (_, n) => anAlert({ uid: `alert-${n}`, incident: `i-${n % 30}` }));
      const runs = await Promise.all([
        mirror.putIncidents(batch),
        second.putIncidents(batch.toReversed()),
        mirror.putAlerts(alerts),
        second.putAlerts(alerts.toReversed()),
      ]);
      for (const result of [...runs[0], ...runs[1]])
        expect([result.conflict, result.gap, result.refused]).toEqual([undefined, undefined, undefined]);
      const { rows } = await pool.query(
        `SELECT i.change_sequence::int AS n, count(*)::int AS stored, max(c.sequence)::int AS last
         FROM incidents i JOIN incident_changes c ON c.incident_uid = i.uid GROUP BY i.uid, i.change_sequence`,
      );
      expect(rows).toEqual(Array.from({ length: 30 }, () => ({ n: 8, stored: 8, last: 8 })));
      // Whichever came first, alert or incident: each alert is found from its incident.
      await mirror.putIncidents(batch);
      expect(await queries.alertsOf('i-7')).toHaveLength(20);
    } finally {
      await secondPool.end();
    }
  });

  it('marks a deletion once, whatever comes later', async () => {
    expect(await mirror.markDeleted('Incident', 'incident-1', minute(5))).toEqual({ known: false });
    await mirror.putIncident(anIncident());
    await mirror.putAlerts([anAlert()]);
    expect(await mirror.markDeleted('Incident', 'incident-1', minute(5))).toEqual({ known: true });
    await mirror.markDeleted('Incident', 'incident-1', Temporal.Instant.from(minute(9)));
    await mirror.markDeleted('Alert', 'alert-1', minute(6));
    await mirror.putIncident(anIncident({ version: 101 }));
    expect((await queries.incidentByUid('incident-1'))?.deletedAt).toBe('2026-03-01T10:05:00.000000Z');
  });
});

describe('a name that comes back', () => {
  const first = anIncident({ uid: 'first', changes: changes(1, 2) });
  const second = anIncident({ uid: 'second', bornAt: minute(1_000), version: 500, changes: changes(1, 1) });

  it('is two incidents, each with its own history and alerts', async () => {
    await mirror.putIncident(first);
    await mirror.putAlerts([anAlert({ incident: first.metadata.name })]);
    await mirror.markDeleted('Incident', 'first', minute(500));
    // The same alert fires again, and belongs to the second, which history does not know yet.
    const again = { startsAt: minute(990), receivedAt: minute(990) };
    await mirror.putAlerts([anAlert({ version: 490, incident: first.metadata.name, episode: 2, spec: again })]);
    await mirror.putIncident(second);
    expect((await queries.incidentByName('shop', first.metadata.name))?.uid).toBe('second');
    await mirror.markDeleted('Incident', 'second', minute(2_000));
    expect(await queries.incidentByName('shop', first.metadata.name)).toMatchObject({
      uid: 'second',
      deletedAt: expect.any(String),
    });
    expect(await sequencesOf('first')).toEqual([1, 2]);
    expect(await sequencesOf('second')).toEqual([1]);
    expect(await queries.alertsOf('first')).toMatchObject([{ episodes: [{ episode: 1 }] }]);
    expect(await queries.alertsOf('second')).toMatchObject([{ episodes: [{ episode: 2 }] }]);
    const { rows } = await pool.query('SELECT incident_uid, incident_name FROM alerts');
    expect(rows).toEqual([{ incident_uid: 'second', incident_name: first.metadata.name }]);
  });
});

describe('the view of transitions', () => {
  const move = (sequence: number, from: string, to: string, at: number, by = 'ana') =>
    aChange(sequence, { kind: 'Phase', from, to, at: minute(at), by });

  it('says how long each phase took, and in which round', async () => {
    await mirror.putIncident(
      anIncident({
        changes: [
          move(1, '', 'Detection', 0, 'system:serviceaccount:funnel-system:funnelai-operator'),
          aChange(2),
          move(3, 'Detection', 'Response', 4),
          move(4, 'Response', 'Resolution', 34),
          move(5, 'Resolution', 'Detection', 40),
          move(6, 'Detection', 'Response', 41, 'bo'),
        ],
      }),
    );
    const { rows } = await pool.query(
      `SELECT from_phase, to_phase, round, by, extract(epoch FROM duration_before)::int / 60 AS minutes
       FROM incident_transitions WHERE incident_uid = 'incident-1' ORDER BY sequence`,
    );
    expect(rows).toMatchObject([
      { from_phase: null, to_phase: 'Detection', round: 1, minutes: null },
      { from_phase: 'Detection', to_phase: 'Response', round: 1, by: 'ana', minutes: 4 },
      { from_phase: 'Response', to_phase: 'Resolution', round: 1, minutes: 30 },
      { from_phase: 'Resolution', to_phase: 'Detection', round: 2, minutes: 6 },
      { from_phase: 'Detection', to_phase: 'Response', round: 2, by: 'bo', minutes: 1 },
    ]);
  });
});

describe('search', () => {
  beforeEach(async () => {
    await mirror.putIncidents(
      Array.from({ length: 25 }, (_, n) =>
        anIncident({
          uid: `i-${String(n).padStart(2, '0')}`,
          name: `incident-${n}`,
          namespace: n % 2 === 0 ? 'shop' : 'pay',
          // Several are born in one second: the page must not end between them.
          bornAt: minute(Math.floor(n / 4)),
          title: n === 7 ? '100% of payments_fail' : 'Checkout',
          spec: { severity: n % 5 === 0 ? 'Critical' : 'Low', owner: { name: n < 3 ? 'ana' : 'bo' } },
        }),
      ),
    );
  });

  it('pages through all of it, newest first, each once', async () => {
    const seen: string[] = [];
    for (let after: string | undefined, pages = 0; pages === 0 || after !== undefined; pages += 1) {
      const page = await queries.incidents({}, after === undefined ? { limit: 6 } : { limit: 6, after });
      expect(page.items.length).toBeLessThanOrEqual(6);
      seen.push(...page.items.map((item) => item.uid));
      after = page.next;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `i-${String(24 - n).padStart(2, '0')}`));
  });

  it('filters, counts and takes wildcards for what they are', async () => {
    const uids = async (filter: Parameters<Queries['incidents']>[0]) =>
      (await queries.incidents(filter)).items.map((item) => item.uid);
    expect(await uids({ owners: ['ana'], namespaces: ['shop'] })).toEqual(['i-02', 'i-00']);
    expect(await uids({ namespaces: [] })).toEqual([]);
    expect(await uids({ text: '% of PAYMENTS_' })).toEqual(['i-07']);
    expect(await uids({ text: 'payments%fail' })).toEqual([]);
    expect(await uids({ createdFrom: minute(6), severities: [] })).toEqual(['i-24']);
    expect(await queries.countIncidents({ namespaces: ['shop'] })).toEqual({
      total: 13,
      byPhase: { Detection: 13 },
      bySeverity: { Critical: 3, Low: 10 },
    });
    await mirror.markDeleted('Incident', 'i-03', minute(60));
    expect(await uids({ deleted: true })).toEqual(['i-03']);
  });

  it('says what is wrong with a cursor', async () => {
    for (const after of ['', 'x', Buffer.from('["now","x"]').toString('base64url')])
      await expect(queries.incidents({}, { after })).rejects.toThrow('after: expected the `next`');
  });
});

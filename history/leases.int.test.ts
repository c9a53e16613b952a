import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLeaseStore, INTAKE_GAP_MS, type LeaseStore, REPLICA_SILENT_MS } from './leases.ts';
import { microsOf } from './rows.ts';

const own = databasePerFile();
let pool: pg.Pool;
let store: LeaseStore;
beforeAll(() => {
  pool = own.pool;
  store = createLeaseStore({ pool, scope: 'cluster' });
});
beforeEach(async () => {
  await pool.query('TRUNCATE alert_leases, source_signs, intake_lives, intake_replicas, intake_gaps');
});

/** So many seconds after noon. */
const at = (seconds: number) =>
  microsOf(Temporal.Instant.from('2026-03-01T12:00:00Z').add({ milliseconds: Math.round(seconds * 1_000) }));
const KEY = { namespace: 'shop', source: 'prom', fingerprint: 'a'.repeat(64) };
const complete = { isComplete: true };
/** Says that it is there every five seconds. */
async function live(replica: string, from: number, to: number): Promise<void> {
  for (let second = from; second <= to; second += 5) await store.alive(replica, at(second), complete);
}

describe('what was last heard', () => {
  it('is of the newest report, in whatever order they are written', async () => {
    await store.put([{ ...KEY, lastSeen: at(60), leaseUntil: at(300) }]);
    await store.put([{ ...KEY, lastSeen: at(10) }]);
    expect(await store.find([KEY, { ...KEY, source: 'other' }])).toEqual([
      { ...KEY, lastSeen: at(60), leaseUntil: at(300) },
    ]);
    await store.put([{ ...KEY, lastSeen: at(70) }]);
    expect(await store.find([KEY])).toEqual([{ ...KEY, lastSeen: at(70) }]);
  });

  it('is nothing of another cluster’s in the same database', async () => {
    await createLeaseStore({ pool, scope: 'other' }).put([{ ...KEY, lastSeen: at(60) }]);
    expect(await store.find([KEY])).toEqual([]);
  });

  it('is forgotten in pages, and never what was heard meanwhile', async () => {
    const keys = [1, 2, 3].map((n) => ({ ...KEY, fingerprint: String(n).repeat(64) }));
    await store.put(keys.map((key) => ({ ...key, lastSeen: at(0) })));
    const first = await store.old(at(10), undefined, 2);
    expect(first).toEqual(keys.slice(0, 2));
    expect(await store.old(at(10), first.at(-1), 2)).toEqual(keys.slice(2));
    expect(await store.old(at(0), undefined, 2)).toEqual([]);
    await store.put([{ ...KEY, fingerprint: '1'.repeat(64), lastSeen: at(20) }]);
    await store.forget(keys.slice(0, 2), at(10));
    expect((await store.find(keys)).map(({ fingerprint }) => fingerprint[0])).toEqual(['1', '3']);
  });

  it('of a source begins anew when the source was made anew', async () => {
    const sign = { namespace: 'shop', source: 'prom', sourceUid: 'one', lastHeard: at(60) };
    await store.putSigns([sign]);
    await store.putSigns([{ ...sign, lastHeard: at(10) }]);
    expect(await store.signs()).toEqual([sign]);
    await store.putSigns([{ ...sign, sourceUid: 'two', lastHeard: at(20) }]);
    expect(await store.signs()).toEqual([{ ...sign, sourceUid: 'two', lastHeard: at(20) }]);
    await store.forgetSigns([sign]);
    expect(await store.signs()).toEqual([]);
  });
});

describe('what is known', () => {
  it('is nothing before a webhook has said that it is there', async () => {
    expect(await store.life(at(0))).toBeUndefined();
  });

  it('reaches to the oldest word of those that run', async () => {
    await live('a', 0, 30);
    await live('b', 10, 25);
    expect(await store.life(at(31))).toEqual({ beganAt: at(0), knownUntil: at(25), gaps: [] });
  });

  it('has a gap where no webhook ran, and none where one took over from another', async () => {
    await live('a', 0, 30);
    await live('b', 25, 60);
    await store.leave('a', at(32));
    await store.leave('b', at(61));
    await live('c', 600, 605);
    expect(await store.life(at(606))).toEqual({
      beganAt: at(0),
      knownUntil: at(605),
      gaps: [{ began: at(61), ended: at(600) }],
    });
  });

  it('has none where a webhook was restarted within moments', async () => {
    await live('a', 0, 30);
    await store.leave('a', at(31));
    await live('b', 31 + INTAKE_GAP_MS / 1_000, 50);
    expect((await store.life(at(50)))?.gaps).toEqual([]);
  });

  it('does not reach beyond the last word of one that fell silent, until it is taken for dead; then there is a gap', async () => {
    await live('killed', 0, 30);
    await live('other', 0, 60);
    expect(await store.life(at(30 + REPLICA_SILENT_MS / 1_000))).toMatchObject({ knownUntil: at(30), gaps: [] });
    await live('other', 65, 65);
    expect(await store.life(at(65))).toMatchObject({ knownUntil: at(65), gaps: [{ began: at(30), ended: at(65) }] });
  });

  it('does not reach beyond the moment from which one turns reports away, and all of that is a gap afterwards', async () => {
    await live('a', 0, 30);
    for (let second = 35; second <= 300; second += 5) await store.alive('a', at(second), { isComplete: false });
    expect(await store.life(at(301))).toMatchObject({ knownUntil: at(30), gaps: [] });
    await live('a', 305, 310);
    expect(await store.life(at(311))).toMatchObject({ knownUntil: at(310), gaps: [{ began: at(30), ended: at(305) }] });
  });

  it('has a gap for one that was taken for dead and was only cut off', async () => {
    await live('cut', 0, 30);
    await live('other', 0, 300);
    await store.life(at(300));
    await store.alive('cut', at(301), { isComplete: true, lastComplete: at(30) });
    expect((await store.life(at(301)))?.gaps).toEqual([{ began: at(30), ended: at(301) }]);
  });

  it('has a gap where the clock jumped ahead', async () => {
    await live('a', 0, 30);
    await live('a', 3_630, 3_635);
    expect((await store.life(at(3_636)))?.gaps).toEqual([{ began: at(30), ended: at(3_630) }]);
  });

  it('goes back with a clock that was set back', async () => {
    await live('a', 3_600, 3_630);
    await live('a', 35, 40);
    expect(await store.life(at(41))).toMatchObject({ knownUntil: at(40), gaps: [] });
  });

  it('counts what lies before the gaps that are remembered as one more', async () => {
    await live('a', 0, 0);
    await pool.query(
      `INSERT INTO intake_gaps SELECT 'cluster', $1::timestamptz + n * interval '1 minute', $1::timestamptz + n * interval '1 minute' + interval '1 second'
       FROM generate_series(1, 2001) n`,
      [at(0)],
    );
    const gaps = (await store.life(at(1)))?.gaps ?? [];
    expect(gaps[0]).toEqual({ began: at(0), ended: at(120) });
    expect(gaps).toHaveLength(2_001);
  });
});

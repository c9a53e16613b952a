import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAlert, anIncident, changes, minute } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { createQueries, type Queries } from './queries.ts';
import { createRepeatStore, type RepeatStore } from './repeats.ts';

const own = databasePerFile();
let pool: pg.Pool;
let mirror: Mirror;
let queries: Queries;
let repeats: RepeatStore;
beforeAll(() => {
  pool = own.pool;
  mirror = createMirror({ pool, clock: { now: () => Temporal.Instant.from(minute(0)) }, log: silentLog });
  queries = createQueries({ pool });
  repeats = createRepeatStore({ pool });
});
beforeEach(async () => {
  await pool.query('TRUNCATE incidents, incident_changes, alerts, alert_episodes');
});

const FAULT = { namespace: 'shop', source: 'prom', fingerprint: '3f9c2a7d51e08b64' };
/** The n-th episode of one alert, begun n hours after the first. */
const episode = (n: number, o: { uid?: string; state?: 'Firing' | 'Resolved' } = {}) => {
  const startsAt = minute(60 * n);
  return anAlert({
    uid: o.uid ?? 'alert-1',
    version: 200 + n,
    incident: 'checkout-amber-falcon',
    episode: n,
    spec: {
      state: o.state ?? 'Firing',
      startsAt,
      receivedAt: startsAt,
      ...(o.state && { endsAt: minute(60 * n + 5) }),
    },
  });
};

describe('episodes of alerts', () => {
  it('tell how often a fault came, whatever object stood for it, since a day', async () => {
    for (let n = 1; n <= 14; n += 1) await mirror.putAlerts([episode(n)]);
    // The alert left the cluster in between; a new object has the same fingerprint.
    await mirror.putAlerts([episode(20, { uid: 'alert-2' })]);
    expect(await queries.recurrenceOf(FAULT, minute(0))).toEqual({ episodes: 15, repeats: 0 });
    expect(await queries.recurrenceOf(FAULT, minute(60 * 10))).toEqual({ episodes: 6, repeats: 0 });
    expect(await queries.recurrenceOf({ ...FAULT, source: 'other' }, minute(0))).toEqual({ episodes: 0, repeats: 0 });
  });

  it('show a closed incident its alerts after they left the cluster', async () => {
    await mirror.putIncident(anIncident({ changes: changes(1, 1), spec: { phase: 'Closed' } }));
    await mirror.putAlerts([episode(1, { state: 'Resolved' }), episode(2, { uid: 'alert-2', state: 'Resolved' })]);
    for (const uid of ['alert-1', 'alert-2']) await mirror.markDeleted('Alert', uid, minute(2_000));
    expect(await queries.alertsOf('incident-1')).toMatchObject([
      {
        deletedAt: expect.any(String),
        episodes: [{ episode: 1, state: 'Resolved', endsAt: '2026-03-01T11:05:00.000000Z' }],
      },
      { deletedAt: expect.any(String), episodes: [{ episode: 2, state: 'Resolved' }] },
    ]);
  });

  it('count repeats, many in one write, and keep them when the alert is written again', async () => {
    await mirror.putAlerts([episode(1), episode(3, { uid: 'alert-2' })]);
    const known = await repeats.add([
      { alertUid: 'alert-1', episode: 1, repeats: 40 },
      { alertUid: 'alert-2', episode: 3, repeats: 2 },
      { alertUid: 'alert-2', episode: 4, repeats: 9 },
      { alertUid: 'nobody', episode: 1, repeats: 9 },
    ]);
    expect(known.sort((a, b) => a.episode - b.episode)).toEqual([
      { alertUid: 'alert-1', episode: 1 },
      { alertUid: 'alert-2', episode: 3 },
    ]);
    await repeats.add([{ alertUid: 'alert-1', episode: 1, repeats: 2 }]);
    await mirror.putAlerts([{ ...episode(1, { state: 'Resolved' }), metadata: { ...episode(9).metadata } }]);
    expect(await queries.recurrenceOf(FAULT, minute(0))).toEqual({ episodes: 2, repeats: 44 });
  });
});

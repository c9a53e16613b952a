import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { minute } from './builders.ts';
import {
  createSourceTrafficStore,
  type RejectionRow,
  type SourceTrafficStore,
  type TrafficRow,
} from './source-traffic.ts';

const own = databasePerFile();
let pool: pg.Pool;
let store: SourceTrafficStore;
beforeAll(() => {
  pool = own.pool;
  store = createSourceTrafficStore({ pool, scope: 'cluster' });
});

const counted = (source: string, at: number, o: Partial<TrafficRow> = {}): TrafficRow => ({
  namespace: 'shop',
  source,
  startsAt: minute(at),
  outcome: '',
  bodies: 1,
  alerts: 3,
  stored: 3,
  ...o,
});
const refused = (source: string, message: string, at: number, o: Partial<RejectionRow> = {}): RejectionRow => ({
  namespace: 'shop',
  source,
  reason: 'Invalid',
  message,
  status: 400,
  isKnown: true,
  count: 1,
  firstAt: minute(at),
  lastAt: minute(at),
  path: '',
  body: `body of ${at}`,
  ...o,
});

describe('the traffic of sources in Postgres', () => {
  it('is the sum of what all replicas saw, the newest buckets apart', async () => {
    await Promise.all(
      Array.from({ length: 8 }, () =>
        store.add([counted('sums', 5), counted('sums', 0), counted('sums', 0, { outcome: 'Invalid', stored: 1 })]),
      ),
    );
    await store.add([counted('sums', 10)]);
    const rows = (await store.read(minute(0), minute(5))).filter((row) => row.source === 'sums');
    const at = (m: number) => minute(m).replace('Z', '.000000Z');
    expect(rows).toHaveLength(4);
    expect(rows).toEqual(
      expect.arrayContaining([
        { ...counted('sums', 0), startsAt: at(0), bodies: 8, alerts: 24, stored: 24 },
        { ...counted('sums', 0), startsAt: at(0), outcome: 'Invalid', bodies: 8, alerts: 24, stored: 8 },
        { ...counted('sums', 0), startsAt: at(5), bodies: 8, alerts: 24, stored: 24 },
        { ...counted('sums', 0), startsAt: at(10) },
      ]),
    );
    const older = (await store.read(minute(0), minute(20))).filter((row) => row.source === 'sums');
    expect(older.find((row) => row.outcome === '')).toMatchObject({ bodies: 17 });
  });

  it('keeps of what was refused the newest few, each once, and never lets strangers push out the rest', async () => {
    const most = { known: 3, strangers: 2 };
    for (let at = 0; at < 10; at += 1) {
      await store.reject(
        [refused('few', `own ${at % 5}`, at), refused('few', `noise ${at}`, at, { isKnown: false })],
        most,
      );
    }
    const kept = await store.rejectionsOf('shop', 'few');
    expect(kept.map((row) => row.message).sort()).toEqual(['noise 8', 'noise 9', 'own 2', 'own 3', 'own 4']);
    expect(kept.find((row) => row.message === 'own 4')).toMatchObject({
      body: 'body of 9',
      lastAt: '2026-03-01T10:09:00.000000Z',
    });
  });

  it('counts the same words of two replicas together, whoever writes last', async () => {
    const most = { known: 3, strangers: 2 };
    await store.reject([refused('same', 'x', 9, { count: 5 })], most);
    await store.reject([refused('same', 'x', 2, { count: 2 })], most);
    expect(await store.rejectionsOf('shop', 'same')).toEqual([
      refused('same', 'x', 9, {
        count: 7,
        firstAt: '2026-03-01T10:02:00.000000Z',
        lastAt: '2026-03-01T10:09:00.000000Z',
      }),
    ]);
  });

  it('forgets what is old', async () => {
    await store.add([counted('old', 0), counted('old', 60)]);
    await store.reject([refused('old', 'a', 0), refused('old', 'b', 60)], { known: 9, strangers: 9 });
    await store.prune(minute(30), minute(30));
    expect((await store.read(minute(0), minute(0))).filter((row) => row.source === 'old')).toHaveLength(1);
    expect(await store.rejectionsOf('shop', 'old')).toHaveLength(1);
  });
});

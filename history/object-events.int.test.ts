import { databasePerFile } from '@funnelai/test/harness/own-database';
import type pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import { beforeAll, describe, expect, it } from 'vitest';
import { minute } from './builders.ts';
import { silentLog } from './log.ts';
import { createMirror, type Mirror } from './mirror.ts';
import { EVENTS_PER_OBJECT, type ObjectEvent } from './object-events.ts';
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

const said = (objectUid: string, note: string, at = 0): ObjectEvent => ({
  objectUid,
  kind: 'Incident',
  namespace: 'shop',
  name: 'checkout',
  type: 'Warning',
  reason: 'HistoryRefused',
  note,
  at: Temporal.Instant.from(minute(at)),
});

describe('what was said of an object', () => {
  it('is kept once, with how often and when first and last', async () => {
    await mirror.putEvents([said('a', 'too long\0', 1), said('a', 'too long\0', 2), said('a', 'other', 3)]);
    await mirror.putEvents([said('a', 'too long\0', 9)]);
    expect(await queries.eventsOf('a')).toMatchObject([
      {
        note: 'too long\ufffd',
        count: 3,
        firstAt: '2026-03-01T10:01:00.000000Z',
        lastAt: '2026-03-01T10:09:00.000000Z',
      },
      { note: 'other', count: 1 },
    ]);
  });

  it('never fills the table: of one object so many different things are kept, and repeats of these still counted', async () => {
    for (let n = 0; n < EVENTS_PER_OBJECT + 20; n += 1) await mirror.putEvents([said('b', `thing ${n}`, n)]);
    await mirror.putEvents([said('b', 'thing 0', 500)]);
    const events = await queries.eventsOf('b');
    expect(events).toHaveLength(EVENTS_PER_OBJECT);
    expect(events[0]).toMatchObject({ note: 'thing 0', count: 2 });
  });
});

import type { IntakeSpare } from '@funnelai/domain/wire';
import type { InboxDepth } from '@funnelai/history/inbox';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { createTurnedAway } from '../intake/turned-away.ts';
import { DATABASE_AWAY_SAID_AFTER_MS, INBOX_LOOK_MS, SCHEMA_LOOK_MS, TURNED_AWAY_SAID_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { MemoryInbox } from '../testing/memory-inbox.ts';
import { createInbox } from './inbox.ts';
import { createReceiptClock } from './receipt-clock.ts';
import { createSchemaWatch, noSchemaWatch } from './schema-watch.ts';
import { createSpare, createSpareWithoutDatabase } from './spare.ts';

it('people are told when alerts begin to take the long way, how it stands, and when that is over', async () => {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  let isAway = false;
  let takes = true;
  let depth: InboxDepth | undefined;
  let look = () => {};
  const spare = createSpare({
    api: {
      isAway: () => isAway,
      subscribe: (fn) => {
        look = fn;
        return () => {};
      },
    },
    inbox: { depth: () => depth, takes: () => takes, isAway: () => false, subscribe: () => () => {} },
    turnedAway: createTurnedAway(clock),
    schema: noSchemaWatch,
    clock,
  });
  const told: (IntakeSpare | undefined)[] = [];
  spare.subscribe((now) => told.push(now));
  look();
  depth = { rows: 3, oldestAgeMs: 1_000, setAside: 0 };
  look();
  expect([told, spare.now()]).toEqual([[], undefined]);

  isAway = true;
  look();
  for (let n = 0; n < 12; n += 1) {
    await clock.advance(1_000);
    depth = { rows: 10 + n, oldestAgeMs: 1_000 * n, setAside: 0 };
    look();
  }
  takes = false;
  await clock.advance(1_000);
  look();
  takes = true;
  await clock.advance(1_000);
  look();
  isAway = false;
  look();
  depth = { rows: 0, oldestAgeMs: 0, setAside: 0 };
  look();
  const since = '2026-01-01T12:00:00Z';
  expect(told).toEqual([
    { why: 'apiServerAway', waiting: 3, since },
    { why: 'apiServerAway', waiting: 14, since },
    { why: 'apiServerAway', waiting: 19, since },
    { why: 'bothAway', waiting: 21, since: '2026-01-01T12:00:13Z' },
    { why: 'apiServerAway', waiting: 21, since: '2026-01-01T12:00:14Z' },
    { why: 'late', waiting: 21, since: '2026-01-01T12:00:14Z' },
    undefined,
  ]);
});

/** With an inbox in a Postgres in memory, and an API server that is there. */
function aPlace() {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const log = silentLog();
  const postgres = new MemoryInbox();
  const metrics = createWebhookMetrics(createRegistry());
  const inbox = createInbox({ clock, receipt: createReceiptClock({ clock, log }), log, metrics });
  const turnedAway = createTurnedAway(clock);
  const api = { isAway: () => false, subscribe: () => () => {} };
  const tables = { found: 14, known: 14 };
  const read = async () => {
    if (postgres.isAway) throw new Error('away');
    return { ...tables };
  };
  const schema = createSchemaWatch({ read, clock, log, metrics });
  const spare = createSpare({ api, inbox, turnedAway, schema, clock });
  const told: (IntakeSpare | undefined)[] = [];
  spare.subscribe((now) => told.push(now));
  schema.start();
  inbox.open(postgres.store);
  return { clock, postgres, tables, turnedAway, spare, told, whys: () => told.map((one) => one?.why) };
}

it('people are told that Postgres is away though nothing is sent, since when, and that it is back', async () => {
  const { clock, postgres, told, whys } = aPlace();
  await clock.advance(10 * INBOX_LOOK_MS);
  postgres.isAway = true;
  await clock.advance(DATABASE_AWAY_SAID_AFTER_MS);
  // A connection that broke and was made anew is no news.
  expect(told).toEqual([]);
  await clock.advance(3 * INBOX_LOOK_MS);
  expect(whys()).toEqual(['databaseAway']);
  const since = Date.parse(told[0]?.since ?? '') - Date.parse('2026-01-01T12:00:00Z');
  expect(since).toBeGreaterThanOrEqual(10 * INBOX_LOOK_MS);
  expect(since).toBeLessThanOrEqual(12 * INBOX_LOOK_MS);
  postgres.isAway = false;
  await clock.advance(3 * INBOX_LOOK_MS);
  expect(whys()).toEqual(['databaseAway', undefined]);
});

it('people are told that alerts are turned away with it, at once, and for a while after the last', async () => {
  const { clock, postgres, turnedAway, spare, told } = aPlace();
  postgres.isAway = true;
  await clock.advance(DATABASE_AWAY_SAID_AFTER_MS + 3 * INBOX_LOOK_MS);
  expect(spare.now()).not.toHaveProperty('isRefusing');
  turnedAway.note();
  expect(told.at(-1)).toMatchObject({ why: 'databaseAway', isRefusing: true });
  await clock.advance(TURNED_AWAY_SAID_MS - INBOX_LOOK_MS);
  turnedAway.note();
  await clock.advance(TURNED_AWAY_SAID_MS - INBOX_LOOK_MS);
  expect(spare.now()).toMatchObject({ why: 'databaseAway', isRefusing: true });
  await clock.advance(2 * INBOX_LOOK_MS);
  expect(spare.now()).not.toHaveProperty('isRefusing');
});

it('people are told that it lacks tables of this version, until it has them; while it is away, that it is', async () => {
  const { clock, postgres, tables, whys } = aPlace();
  tables.found = 13;
  await clock.advance(SCHEMA_LOOK_MS);
  postgres.isAway = true;
  await clock.advance(SCHEMA_LOOK_MS + DATABASE_AWAY_SAID_AFTER_MS);
  postgres.isAway = false;
  await clock.advance(SCHEMA_LOOK_MS + INBOX_LOOK_MS);
  tables.found = 14;
  await clock.advance(SCHEMA_LOOK_MS + INBOX_LOOK_MS);
  const news = whys().filter((why, n, all) => why !== all[n - 1]);
  expect(news.slice(0, 2)).toEqual(['databaseOld', 'databaseAway']);
  expect(news.slice(-2)).toEqual(['databaseOld', undefined]);
});

it('people are told that alerts are turned away where there is no database, and when that is over', async () => {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const turnedAway = createTurnedAway(clock);
  const spare = createSpareWithoutDatabase({ turnedAway, clock });
  const told: (IntakeSpare | undefined)[] = [];
  spare.subscribe((now) => told.push(now));
  turnedAway.note();
  turnedAway.note();
  await clock.advance(TURNED_AWAY_SAID_MS);
  expect(told).toEqual([{ why: 'full', waiting: 0, since: '2026-01-01T12:00:00Z' }, undefined]);
});

/** A program that is newer than the tables it finds: it knows that, and does what can be done. */
import { databasePerTest } from '@funnelai/test/harness/own-database';
import { expect, it } from 'vitest';
import { minute } from './builders.ts';
import { HistoryUnavailable } from './errors.ts';
import { createFoldStore } from './folded.ts';
import { createInboxStore, FIRSTS_MIGRATION } from './inbox.ts';
import { silentLog } from './log.ts';
import { migrate, readMigrations } from './migrate.ts';
import { schemaOf } from './schema.ts';

const own = databasePerTest();
const migrateTo = async (last: number) =>
  migrate(own.pool, silentLog, { migrations: (await readMigrations()).slice(0, last) });

it('it is known how far a database is, also before it has any table', async () => {
  const known = (await readMigrations()).length;
  expect(await schemaOf(own.pool)).toEqual({ found: 0, known });
  await migrateTo(13);
  expect(await schemaOf(own.pool)).toEqual({ found: 13, known });
  await migrate(own.pool, silentLog);
  expect(await schemaOf(own.pool)).toEqual({ found: known, known });
});

it('an inbox from before the first of a kind was marked takes alerts, and gives them to be drained', async () => {
  await migrateTo(FIRSTS_MIGRATION - 1);
  let hasFirsts = false;
  const inbox = createInboxStore({ pool: own.pool, scope: 'east', hasFirsts: () => hasFirsts });
  const row = (source: string) => ({
    ...{ namespace: 'pay', source, fingerprint: 'f', demo: false },
    ...{ receivedAt: minute(0), reports: '[]', isFirst: true },
  });
  const page = async (firsts = false) =>
    (await inbox.page({ after: '0', limit: 10, without: [], firsts })).map(({ source }) => source);
  await inbox.append([row('prom'), row('other')]);
  expect([await page(), await page(true), (await inbox.depth()).rows]).toEqual([['prom', 'other'], [], 2]);
  await migrate(own.pool, silentLog);
  hasFirsts = true;
  await inbox.append([row('later')]);
  expect([await page(), await page(true)]).toEqual([['prom', 'other', 'later'], ['later']]);
});

it('what needs a column that is not there yet fails by saying who makes it, and works once it is there', async () => {
  await migrateTo(13);
  const folds = createFoldStore({ pool: own.pool, scope: 'east' });
  const failure = await folds.list({}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HistoryUnavailable);
  expect(String(failure)).toContain('the operator of the newest version brings them up to date when it starts');
  await migrate(own.pool, silentLog);
  expect(await folds.list({})).toEqual({ items: [], total: 0 });
});

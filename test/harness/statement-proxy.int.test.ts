import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { createDatabase } from './database.ts';
import { type StatementProxy, startStatementProxy } from './statement-proxy.ts';
import { until } from './wait.ts';

const DEADLINE_MS = 10_000;
let database: Awaited<ReturnType<typeof createDatabase>>;
let direct: pg.Client;
let proxy: StatementProxy;
let through: pg.Client;

beforeAll(async () => {
  database = await createDatabase(inject('databaseUrl'));
  direct = new pg.Client({ connectionString: database.url });
  await direct.connect();
  await direct.query('create table told (word text)');
});
beforeEach(async () => {
  await direct.query('truncate told');
  proxy = await startStatementProxy(database.url);
  through = new pg.Client({ connectionString: proxy.url });
  // Its connection ends with the proxy.
  through.on('error', () => {});
  await through.connect();
});
afterEach(async () => {
  await proxy.stop();
});
afterAll(async () => {
  await direct.end();
  await database.drop();
});

const words = async () => (await direct.query<{ word: string }>('select word from told')).rows.map(({ word }) => word);
const tell = (word: string) => through.query('insert into told values ($1)', [word]);
/** Whether it has an answer by now, and a moment later. */
async function isAnswered(asked: Promise<unknown>): Promise<boolean> {
  let answered = false;
  asked.then(
    () => {
      answered = true;
    },
    () => {},
  );
  await direct.query('select pg_sleep(0.1)');
  return answered;
}

it('lets through what no test stops, long and short', async () => {
  const long = 'x'.repeat(300_000);
  await tell(long);
  expect(await words()).toEqual([long]);
});

it('stops a statement before Postgres hears of it', async () => {
  const stop = proxy.stopAt(({ text }) => text.startsWith('insert'), 'before');
  const told = tell('before');
  await until('it to come there', DEADLINE_MS, () => stop.isReached);
  expect(await isAnswered(told)).toBe(false);
  expect(await words()).toEqual([]);
});

it('lets a statement that was held back go on after all', async () => {
  const stop = proxy.stopAt(({ text }) => text.startsWith('insert'), 'before');
  const told = tell('late');
  await until('it to come there', DEADLINE_MS, () => stop.isReached);
  stop.release();
  await told;
  expect(await words()).toEqual(['late']);
});

it('stops the answer to a statement that Postgres has done, with values and without', async () => {
  const stop = proxy.stopAt(({ text }) => text.startsWith('insert'), 'after');
  const told = tell('after');
  await until('it to come there', DEADLINE_MS, () => stop.isReached);
  expect(await isAnswered(told)).toBe(false);
  expect(await words()).toEqual(['after']);
});

it('tells one COMMIT from another by what came before it in the transaction, and stops one statement only', async () => {
  const stop = proxy.stopAt(
    ({ text, before }) => text === 'COMMIT' && before.some((one) => /insert/.test(one)),
    'after',
  );
  await through.query('BEGIN');
  await through.query('select 1');
  await through.query('COMMIT');
  await through.query('BEGIN');
  await tell('kept');
  const committed = through.query('COMMIT');
  await until('it to come there', DEADLINE_MS, () => stop.isReached);
  expect(await isAnswered(committed)).toBe(false);
  expect(await words()).toEqual(['kept']);
  const other = new pg.Client({ connectionString: proxy.url });
  other.on('error', () => {});
  await other.connect();
  await other.query("BEGIN; insert into told values ('other')");
  await other.query('COMMIT');
  expect(await words()).toEqual(['kept', 'other']);
});

/** A webhook that runs before the operator of its version has brought the database up to date. */
import type { Log } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { SCHEMA_LOOK_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { createSchemaWatch } from './schema-watch.ts';

async function aWatch(found: number) {
  const clock = new FakeClock();
  const registry = createRegistry();
  const database = { found, isAway: false };
  const said: string[] = [];
  const say = (level: string) => (_: object, text: string) => said.push(`${level}: ${text}`);
  const log = { error: say('error'), warn: say('warn'), info: say('info') } as unknown as Log;
  const read = async () => {
    if (database.isAway) throw new Error('no answer');
    return { found: database.found, known: 14 };
  };
  const watch = createSchemaWatch({ read, clock, log, metrics: createWebhookMetrics(registry) });
  watch.start();
  const looks = (n: number) => clock.advance(n * SCHEMA_LOOK_MS);
  await looks(1);
  const metric = async () => /^funnelai_webhook_schema_behind (\d+)$/m.exec(await registry.metrics())?.[1];
  return { watch, database, said, looks, metric };
}

it('what is missing is said once and in a metric, and that it is there, however often it is looked at', async () => {
  const { watch, database, said, looks, metric } = await aWatch(11);
  await looks(5);
  expect([watch.isBehind(), watch.has(11), watch.has(12), await metric()]).toEqual([true, true, false, '3']);
  expect(said).toEqual([expect.stringMatching(/^error: .*has migration 11 and this webhook needs 14.*answered 503/)]);
  database.found = 14;
  await looks(2);
  expect([watch.isBehind(), watch.has(12), await metric()]).toEqual([false, true, '0']);
  expect(said.slice(1)).toEqual([expect.stringMatching(/^info: .*has all migrations/)]);
});

it('nothing is said of a database that has all, or more', async () => {
  for (const found of [14, 15]) {
    const { watch, said, metric } = await aWatch(found);
    expect([watch.isBehind(), watch.has(14), said, await metric()]).toEqual([false, true, [], '0']);
  }
});

it('while it is away nobody says that it is old, and what was known of its tables is still gone by', async () => {
  const { watch, database, said, looks } = await aWatch(11);
  database.isAway = true;
  await looks(3);
  expect([watch.isBehind(), watch.has(12)]).toEqual([false, false]);
  expect(said.slice(1)).toEqual(['warn: which migrations the history database has cannot be read']);
  database.isAway = false;
  await looks(1);
  expect([watch.isBehind(), said.length]).toEqual([true, 2]);
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient, type KubeClient } from './client.ts';
import type { KubeError } from './errors.ts';
import { createRegistry, type Metrics } from './metrics.ts';
import { FakeClock } from './test-clock.ts';
import {
  aConfigMap,
  aList,
  CONFIG_MAPS,
  type Reply,
  type ScriptedServer,
  startScriptedServer,
  status,
} from './testing/scripted-server.ts';
import { until } from './testing/until.ts';
import { createWriteBudget } from './write-budget.ts';

let server: ScriptedServer;
let clock: FakeClock;
let client: KubeClient;
let metrics: Metrics;
/** Writes that the server has taken and not answered. */
let open: Reply[];

beforeEach(async () => {
  server = await startScriptedServer();
  clock = new FakeClock();
  metrics = createRegistry();
  client = createKubeClient(server.connection(), { clock, budget: createWriteBudget({ clock, metrics }) });
  open = [];
  server.answer((seen, reply) => {
    if (seen.method === 'GET') reply.json(200, aList([], '1'));
    else open.push(reply);
  });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

const value = async (name: string, priority?: string) =>
  (await metrics.getSingleMetric(name)?.get())?.values.find(
    (v) => priority === undefined || v.labels.priority === priority,
  )?.value;
const create = (o: Parameters<KubeClient['create']>[2] = {}) =>
  client.create(CONFIG_MAPS, aConfigMap(), o).catch((e: unknown) => e as KubeError);
const flood = async (count: number) => {
  const all = Array.from({ length: count }, () => create());
  await until('the budget is used up', () => open.length === 16);
  return all;
};

describe('the write budget', () => {
  it('holds machines back at the limit, lets people through at once, and reads always', async () => {
    const all = await flood(40);
    expect(await value('funnelai_write_budget_waiting', '0')).toBe(24);
    const mine = create({ lane: 'human' });
    await until('it is sent', () => open.length === 17);
    await client.list(CONFIG_MAPS, {});
    open.pop()?.json(201, aConfigMap());
    expect(await mine).toMatchObject({ kind: 'ConfigMap' });
    for (let done = 0; done < 40; done++) {
      const next = await until('the next is sent', () => open.shift());
      next.json(201, aConfigMap());
    }
    await Promise.all(all);
    expect(await value('funnelai_write_budget_in_flight', '0')).toBe(0);
  });

  it('says of a write that it held back for too long that it was not stored', async () => {
    await flood(16);
    const late = create({ timeoutMs: 1_000 });
    await until('it waits', async () => (await value('funnelai_write_budget_waiting', '0')) === 1);
    await clock.advance(1_000);
    expect(await late).toMatchObject({ reason: 'Timeout', perhapsStored: false });
    expect(await value('funnelai_write_budget_waiting', '0')).toBe(0);
  });

  it('pauses machines as long as a 429 asks, and not people', async () => {
    const first = create();
    const refused = await until('it is sent', () => open.shift());
    refused.json(429, status(429, 'TooManyRequests', 'later'), { 'retry-after': '2' });
    await until('the limit is halved', async () => (await value('funnelai_write_budget_limit')) === 8);
    const second = create();
    const mine = create({ lane: 'human' });
    (await until('the person is heard', () => open.shift())).json(201, aConfigMap());
    await mine;
    expect(open).toHaveLength(0);
    await clock.advance(2_000);
    for (const one of [first, second]) {
      (await until('they go on', () => open.shift())).json(201, aConfigMap());
      await Promise.race([one, first, second]);
    }
    expect(await Promise.all([first, second])).toMatchObject([{ kind: 'ConfigMap' }, { kind: 'ConfigMap' }]);
  });

  it('holds nobody back where none is given', async () => {
    const free = createKubeClient(server.connection(), { clock });
    const all = Array.from({ length: 30 }, () => free.create(CONFIG_MAPS, aConfigMap()));
    await until('all are sent', () => open.length === 30);
    for (const reply of open) reply.json(201, aConfigMap());
    await Promise.all(all);
    await free.close();
  });
});

/**
 * What lies between the parts fails while all of them live: answers are lost, watches fall silent or come garbled, Postgres is away, slow
 * or full. The operator says so, nothing is lost or doubled, and all has converged within thirty seconds of the end.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDice } from '../harness/dice.ts';
import { type FaultProxy, matching, refusal } from '../harness/fault-proxy.ts';
import { until } from '../harness/wait.ts';
import { busy, CONVERGED_MS, type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => {
  stage?.operatorApi.heal();
  stage?.webhookApi.heal();
  stage?.postgres.set();
});
afterAll(() => stage?.stop());

const isLease = matching('leases');
/** All but the lease: the operator that the story is about shall live through it. */
const work: Parameters<FaultProxy['fault']>[0] = (asked) => !isLease(asked) && asked.path.includes('funnelai.dev');
const writes = (asked: Parameters<typeof work>[0]) => work(asked) && asked.method !== 'GET';

describe('the API server, as the operator sees it,', () => {
  it('is away for ten seconds', () =>
    stage.underLoad(21, async () => {
      const away = stage.operatorApi.fault(() => true, { cut: 'before' });
      stage.operatorApi.cut();
      await busy(10_000);
      away.clear();
    }));

  it('loses every third answer to a write that it has stored', () =>
    stage.underLoad(22, async () => {
      const dice = createDice(22);
      const fault = stage.operatorApi.fault((asked) => writes(asked) && dice.oneIn(3), { cut: 'after' });
      await busy(6_000);
      fault.clear();
      expect(fault.hits).toBeGreaterThan(3);
    }));

  it('answers writes late, and some with 429, 500 and 503', () =>
    stage.underLoad(23, async () => {
      const dice = createDice(23);
      const { operatorApi } = stage;
      const faults = [
        operatorApi.fault((asked) => writes(asked) && dice.oneIn(2), { delayMs: 400 }),
        operatorApi.fault((asked) => writes(asked) && dice.oneIn(5), {
          answer: { status: 429, headers: { 'retry-after': '1' }, body: refusal(429, 'TooManyRequests', 'slow down') },
        }),
        operatorApi.fault((asked) => writes(asked) && dice.oneIn(6), { answer: { status: 500 } }),
        operatorApi.fault((asked) => writes(asked) && dice.oneIn(6), { answer: { status: 503 } }),
      ];
      await busy(6_000);
      for (const fault of faults) fault.clear();
      expect(faults.reduce((sum, { hits }) => sum + hits, 0)).toBeGreaterThan(5);
    }));

  it('lets watches break off within a line, come in pieces, end with errors and carry nonsense', () =>
    stage.underLoad(24, async () => {
      const { operatorApi } = stage;
      const pieces = operatorApi.fault(matching('alerts', { watch: true }), { split: 5 });
      const damages: ((watch: ReturnType<FaultProxy['watches']>[number]) => void)[] = [
        (watch) => watch.truncate(),
        (watch) => watch.inject({ type: 'ERROR', object: refusal(410, 'Expired', 'too old resource version') }),
        (watch) => watch.inject({ type: 'ERROR', object: refusal(500, 'InternalError', 'etcdserver: no leader') }),
        (watch) => watch.garble('{"type":"ADDED","object":\n'),
        (watch) => watch.end(),
      ];
      for (const damage of damages) {
        for (const plural of ['alerts', 'incidents']) {
          const watches = await until('a watch', CONVERGED_MS, async () => {
            const open = operatorApi.watches(plural);
            return open.length > 0 && open;
          });
          for (const watch of watches) damage(watch);
        }
        await busy(700);
      }
      pieces.clear();
    }));
});

describe('the API server, as the webhook sees it,', () => {
  it('is away, hangs, and loses answers: what is not stored is not answered 2xx', async () => {
    const { failures } = await stage.underLoad(25, async () => {
      const { webhookApi, postgres } = stage;
      const away = webhookApi.fault(() => true, { cut: 'before' });
      // Else the inbox would take them.
      postgres.set({ refuse: true });
      postgres.cut();
      await busy(3_000);
      postgres.set();
      away.clear();
      const lost = webhookApi.fault(writes, { cut: 'after' });
      await busy(2_000);
      lost.clear();
      const hanging = webhookApi.fault(writes, { hang: true });
      await busy(3_000);
      hanging.clear();
    });
    expect(failures).toBeGreaterThan(3);
  });

  it('gives it old news: its watches fall silent while alerts come and go', () =>
    stage.underLoad(26, async () => {
      for (const watch of stage.webhookApi.watches('alerts')) watch.mute();
      await busy(5_000);
    }));
});

describe('Postgres', () => {
  it('is away', () =>
    stage.underLoad(27, async () => {
      stage.postgres.set({ refuse: true });
      stage.postgres.cut();
      await busy(8_000);
      stage.postgres.set();
    }));

  it('falls silent with statements under way, then cuts them', () =>
    stage.underLoad(28, async () => {
      stage.postgres.set({ silent: true });
      await busy(4_000);
      stage.postgres.cut();
      stage.postgres.set();
    }));

  it('breaks connections off again and again, wherever a transaction stands', () =>
    stage.underLoad(29, async () => {
      const dice = createDice(29);
      for (let time = 0; time < 25; time += 1) {
        stage.postgres.cut();
        await busy(50 + dice.roll(250));
      }
    }));

  it('has no room left on its disk', () =>
    stage.underLoad(30, async () => {
      const tables = ['incidents', 'incident_changes', 'alerts'];
      await stage.pool.query(`CREATE OR REPLACE FUNCTION pg_temp_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
      for (const table of tables)
        await stage.pool.query(
          `CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION pg_temp_full()`,
        );
      await busy(5_000);
      for (const table of tables) await stage.pool.query(`DROP TRIGGER no_room ON ${table}`);
    }));
});

it('all that the incidents of these stories count is there in the end', () => stage.allCounted());

/**
 * Ten minutes without Postgres, by the operator's own clock: it opens, moves and answers as ever, says that history is behind, holds what
 * is deleted, and history has all of it once Postgres is back.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { silentLog } from '@funnelai/history/log';
import { createMirror } from '@funnelai/history/mirror';
import { prepareHistory } from '@funnelai/history/months';
import { createPool } from '@funnelai/history/pool';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { type Running, runOperator } from '@funnelai/operator/testing/run';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFastClock } from '../harness/fast-clock.ts';
import { until } from '../harness/wait.ts';
import { busy, CONVERGED_MS, type Stage, startStage } from './stage.ts';

const AWAY_MS = 600_000;
/** Ten minutes pass within twenty seconds. */
const SPEED = 30;

const clock = createFastClock();
let stage: Stage;
let client: KubeClient;
let pool: pg.Pool;
let operator: Running;

/** The operator runs in this process, as only here its clock can be moved; all else is as in every story. */
beforeAll(async () => {
  stage = await startStage();
  for (const other of stage.operators) await other.kill();
  client = createKubeClient(await stage.operatorApi.connection('operator'));
  pool = createPool(stage.postgres.url, { log: silentLog });
  const prepare = () => prepareHistory(pool, silentLog, clock.now());
  const openMirror = () => createMirror({ pool, clock, log: silentLog, prepare });
  operator = runOperator({ client, clock, openMirror });
  await until('it to lead', CONVERGED_MS, () => operator.leading());
});
afterAll(async () => {
  clock.run(1);
  stage?.postgres.set();
  await operator?.stop();
  await pool?.end();
  await client?.close();
  await stage?.stop();
});

async function metric(name: string): Promise<number> {
  const { values } = (await operator.registry.getSingleMetric(name)?.get()) ?? { values: [] };
  return values.reduce((sum, { value }) => sum + value, 0);
}

it('Postgres is away for ten minutes: nothing stands still, and history has all of it within thirty seconds', async () => {
  await stage.underLoad(61, async (namespace) => {
    stage.postgres.set({ refuse: true });
    stage.postgres.cut();
    clock.run(SPEED);
    const beganMs = clock.monotonicMs();
    await busy(AWAY_MS / 2 / SPEED);
    const midway = (await stage.client.list<Incident>(INCIDENTS, { namespace })).items;
    await until('the ten minutes to be over', CONVERGED_MS, () => clock.monotonicMs() - beganMs >= AWAY_MS);

    const { items } = await stage.client.list<Incident>(INCIDENTS, { namespace });
    const reasons = items.map(
      ({ status }) => status?.conditions?.find(({ type }) => type === 'HistoryMirrored')?.reason,
    );
    expect(reasons).toContain('Behind');
    expect(await metric('funnelai_history_available')).toBe(0);
    expect(await metric('funnelai_history_lag_seconds')).toBeGreaterThan((AWAY_MS * 0.9) / 1_000);
    // Incidents went on: acts of people were numbered to the end of it.
    const numbered = (all: Incident[]) => all.reduce((sum, { status }) => sum + (status?.changeSequence ?? 0), 0);
    expect(numbered(items)).toBeGreaterThan(numbered(midway));
    clock.run(1);
    stage.postgres.set();
  });
  expect(await metric('funnelai_history_available')).toBe(1);
  expect(await metric('funnelai_reflector_missed_events_total')).toBe(0);
});

it('all that the incidents of these stories count is there in the end', () => stage.allCounted());

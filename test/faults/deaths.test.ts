/**
 * Parts die with kill -9 while alerts come and people work. After each death the oracle judges: nothing that was answered is lost,
 * nothing is there twice, and all has converged within thirty seconds of the end of the fault.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDice } from '../harness/dice.ts';
import { busy, type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

describe('under load, kill -9 of', () => {
  it('nobody leaves nothing to say', () => stage.underLoad(1, () => busy(2_000)));

  it('the operator, several times', () =>
    stage.underLoad(2, async () => {
      const dice = createDice(2);
      for (let death = 0; death < 3; death += 1) {
        await stage.killOperator();
        await busy(500 + dice.roll(1_500));
      }
    }));

  it('the webhook', async () => {
    const { failures } = await stage.underLoad(3, async () => {
      await stage.killWebhook();
      await busy(500);
      await stage.killWebhook();
    });
    expect(failures).toBeGreaterThan(0);
  });

  it('Postgres', () =>
    stage.underLoad(4, async () => {
      await stage.killPart('postgres');
      await busy(1_000);
      await stage.killPart('postgres');
    }));

  it('the API server', () => stage.underLoad(5, () => stage.killPart('apiserver')));

  it('etcd', () => stage.underLoad(6, () => stage.killPart('etcd')));

  it('any of them, at random', () =>
    stage.underLoad(7, async () => {
      const dice = createDice(7);
      const deaths = [
        stage.killOperator,
        stage.killWebhook,
        ...(['postgres', 'apiserver', 'etcd'] as const).map((name) => () => stage.killPart(name)),
      ];
      for (let death = 0; death < 5; death += 1) {
        await dice.pick(deaths)();
        await busy(dice.roll(1_000));
      }
    }));
});

it('all that the incidents of these stories count is there in the end', () => stage.allCounted());

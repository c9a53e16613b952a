/**
 * The mirror's way, step by step, and at each of them somebody dies by kill -9: the operator, Postgres, the API server or etcd. What a
 * person did is in history once, what was deleted is let go once history has it, and all has converged within thirty seconds.
 */
import { LEASES } from '@funnelai/kube/leader';
import { LEASE_NAME } from '@funnelai/operator/manager';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ByHand, byHand } from '../harness/by-hand.ts';
import { type Asked, matching } from '../harness/fault-proxy.ts';
import { read, verdict } from '../harness/oracle-reader.ts';
import { type OurProcess, startOperator } from '../harness/processes.ts';
import { type Statement, type StatementProxy, startStatementProxy } from '../harness/statement-proxy.ts';
import { until } from '../harness/wait.ts';
import { CONVERGED_MS, type Stage, startStage } from './stage.ts';

/** So soon a step is reached, or it is none of the mirror's. */
const REACHED_MS = 20_000;
const NAME = 'outage';
const NEW_SEVERITY = 'Medium';

type Victim = 'operator' | 'postgres' | 'apiserver' | 'etcd';
interface Step {
  name: string;
  /** Stops the mirror there. */
  arm(): { readonly isReached: boolean; clear(): void };
}

let stage: Stage;
let statements: StatementProxy;
let operator: OurProcess;

beforeAll(async () => {
  stage = await startStage();
  statements = await startStatementProxy(stage.postgres.url);
  for (const one of stage.operators) await one.kill();
  await lead();
});
afterEach(() => {
  stage?.operatorApi.heal();
});
afterAll(async () => {
  await operator?.kill();
  await statements?.stop();
  await stage?.stop();
});

/** One new operator that leads as soon as it is ready: how long a Lease lasts is another story's. */
async function lead(): Promise<void> {
  await stage.client.delete(LEASES, { namespace: 'funnel-system', name: LEASE_NAME }).catch(() => undefined);
  operator = await startOperator({ kubeconfig: stage.operatorApi.kubeconfig, databaseUrl: statements.url });
}

async function kill(victim: Victim): Promise<void> {
  if (victim === 'operator') {
    await operator.kill();
    await lead();
    return;
  }
  await stage.killPart(victim);
  // What the proxy holds back would be held back by nobody now.
  stage.operatorApi.cut();
}

const inPostgres = (name: string, when: 'before' | 'after', match: (statement: Statement) => boolean): Step => ({
  name,
  arm: () => statements.stopAt(match, when),
});
const atApi = (name: string, when: 'before' | 'after', match: (asked: Asked) => boolean): Step => ({
  name,
  arm() {
    const fault = stage.operatorApi.fault(match, when === 'before' ? { hang: true } : { swallow: true }, { times: 1 });
    return {
      get isReached() {
        return (when === 'before' ? fault.hits : fault.answered) > 0;
      },
      clear: () => fault.clear(),
    };
  },
});

const isCommit = ({ text }: Statement) => text === 'COMMIT';
const has =
  (words: RegExp) =>
  ({ text }: Statement): boolean =>
    words.test(text);
const commitOf = (words: RegExp) => (statement: Statement) =>
  isCommit(statement) && statement.before.some((text) => words.test(text));
const INCIDENT_ROW = /INSERT INTO incidents /;
const CHANGE_ROWS = /INSERT INTO incident_changes /;
const DELETED_MARK = /UPDATE incidents SET deleted_at/;
/** The second: the first is made before the finalizer goes. */
const secondTime = (match: (statement: Statement) => boolean) => {
  let times = 0;
  return (statement: Statement) => match(statement) && ++times === 2;
};
const writesStatus = (asked: Asked) => matching('incidents')(asked) && asked.path.endsWith('/status') && isWrite(asked);
const takesFinalizer = (asked: Asked) =>
  matching('incidents', { method: 'PATCH' })(asked) && !asked.path.endsWith('/status');
const isWrite = ({ method }: Asked) => method !== 'GET';

const OF_AN_ACT: Step[] = [
  atApi('before the status is written that numbers it', 'before', writesStatus),
  atApi('once that status is written, which nobody heard', 'after', writesStatus),
  inPostgres('before the transaction begins', 'before', has(/^BEGIN/)),
  inPostgres('once the transaction holds its epoch', 'after', has(/FOR SHARE/)),
  inPostgres('once the row of the incident is written', 'after', has(INCIDENT_ROW)),
  inPostgres('once the change is written', 'after', has(CHANGE_ROWS)),
  inPostgres('before COMMIT', 'before', commitOf(CHANGE_ROWS)),
  inPostgres('after COMMIT, which nobody heard', 'after', commitOf(CHANGE_ROWS)),
];
const OF_A_DELETION: Step[] = [
  inPostgres('once the last row of the incident is written', 'after', has(INCIDENT_ROW)),
  inPostgres('after its COMMIT, which nobody heard', 'after', commitOf(INCIDENT_ROW)),
  inPostgres('before its end is marked', 'before', has(DELETED_MARK)),
  inPostgres('once its end is marked', 'after', has(DELETED_MARK)),
  inPostgres('after COMMIT of the mark, which nobody heard', 'after', commitOf(DELETED_MARK)),
  atApi('before the finalizer comes off', 'before', takesFinalizer),
  atApi('once the finalizer is off, which nobody heard', 'after', takesFinalizer),
];
const OF_ITS_END: Step = {
  name: 'once it is gone, before that is noted',
  arm: () => statements.stopAt(secondTime(has(DELETED_MARK)), 'before'),
};
const ofPostgres = (steps: Step[]) => steps.filter((step) => !ofApi(step));
const ofApi = ({ name }: Step) => /status|finalizer/.test(name);

const EPOCH_TAKEN = /INSERT INTO history_epochs/;
const FAILOVER_MS = 20_000;

/** Somebody dies there, and the oracle judges; what was done is told to it by who did it. */
async function story(step: Step, victim: Victim, cause: (hand: ByHand) => Promise<void>): Promise<void> {
  const namespace = await stage.aNamespace();
  const hand = byHand({ client: stage.client, namespace, by: 'admin' });
  await until('the API server to take incidents', CONVERGED_MS, () => hand.mayDeclare());
  await hand.declare(NAME);
  expect(await verdict({ ...stage, namespace }, hand.told(), CONVERGED_MS)).toEqual([]);
  const stop = step.arm();
  await cause(hand);
  await until(step.name, REACHED_MS, () => stop.isReached);
  await kill(victim);
  stop.clear();
  expect(await verdict({ ...stage, namespace }, hand.told(), CONVERGED_MS)).toEqual([]);
  // What the oracle cannot see: that the act itself is there, and that what was deleted is gone.
  const { incidents, rows } = await read({ ...stage, namespace });
  const { deleted } = hand.told();
  expect(incidents).toHaveLength(1 - deleted.length);
  expect(rows.incidents.map(({ deleted_at }) => deleted_at !== null)).toEqual([deleted.length > 0]);
  if (deleted.length === 0) expect(incidents[0]?.status?.observed?.severity).toBe(NEW_SEVERITY);
}

async function lastEpoch(): Promise<number> {
  const { rows } = await stage.pool.query<{ epoch: number }>('SELECT max(epoch)::int AS epoch FROM history_epochs');
  return rows[0]?.epoch ?? 0;
}
const act = (hand: ByHand) => hand.rate(NAME, NEW_SEVERITY);
const removal = (hand: ByHand) => hand.remove(NAME);

describe('an act of a person is in history once, though the operator dies', () => {
  it.each(OF_AN_ACT)('$name', (step) => story(step, 'operator', act));
});

describe('an act of a person is in history once, though Postgres dies', () => {
  it.each(ofPostgres(OF_AN_ACT))('$name', (step) => story(step, 'postgres', act));
});

describe('what was deleted is let go, and history has it, though the operator dies', () => {
  it.each([...OF_A_DELETION, OF_ITS_END])('$name', (step) => story(step, 'operator', removal));
});

describe('what was deleted is let go, and history has it, though Postgres dies', () => {
  it.each([...ofPostgres(OF_A_DELETION), OF_ITS_END])('$name', (step) => story(step, 'postgres', removal));
});

describe.each(['apiserver', 'etcd'] as const)('what a step writes is there once, though the %s dies', (victim) => {
  it.each(OF_AN_ACT.filter(ofApi))('$name', (step) => story(step, victim, act));
  it.each(OF_A_DELETION.filter(ofApi))('$name', (step) => story(step, victim, removal));
});

describe('a leader that was paused before it took its epoch, and takes it when another has long taken over,', () => {
  it('stops the mirror of the other for moments, and all is in history within thirty seconds', async () => {
    const namespace = await stage.aNamespace();
    const hand = byHand({ client: stage.client, namespace, by: 'admin' });
    await until('the API server to take incidents', CONVERGED_MS, () => hand.mayDeclare());
    await operator.kill();
    const taken = statements.stopAt(has(EPOCH_TAKEN), 'before');
    await lead();
    const paused = operator;
    await until('it to be about to take its epoch', REACHED_MS, () => taken.isReached);
    paused.running.signal('SIGSTOP');
    try {
      operator = await startOperator({ kubeconfig: stage.operatorApi.kubeconfig, databaseUrl: statements.url });
      await hand.declare(NAME);
      const isKept = async () => {
        const { rows } = await read({ ...stage, namespace });
        return rows.incidents.length === 1;
      };
      await until('the other to write history', FAILOVER_MS + CONVERGED_MS, isKept);
      const epoch = await lastEpoch();
      taken.release();
      await until('the late one to have its epoch', REACHED_MS, async () => (await lastEpoch()) > epoch);
      await hand.rate(NAME, NEW_SEVERITY);
      expect(await verdict({ ...stage, namespace }, hand.told(), CONVERGED_MS)).toEqual([]);
      const metrics = await (await fetch(operator.metricsUrl)).text();
      expect(metrics).toMatch(/^funnelai_history_fenced_total 1$/m);
    } finally {
      await paused.kill();
    }
  });
});

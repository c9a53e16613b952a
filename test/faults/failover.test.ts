/** Two operators, one Lease: how long nobody leads after the leader was killed, and after it was stopped. */
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { LEASES, type Lease } from '@funnelai/kube/leader';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { metricOf } from '../harness/metrics.ts';
import { type OurProcess, startOperator } from '../harness/processes.ts';
import { until } from '../harness/wait.ts';
import { aNamespace } from './mirror-of.ts';

const AFTER_KILL_MS = 20_000;
const AFTER_STOP_MS = 3_000;
const START_MS = 60_000;

let environment: Environment;
let direct: KubeClient;
let namespace: string;
let operators: OurProcess[];

beforeAll(async () => {
  environment = await startEnvironment({ say: () => {} });
  direct = createKubeClient(await loadConnection({ kubeconfigPath: environment.kubeconfig }));
});
beforeEach(async () => {
  namespace = await aNamespace(direct);
  operators = [];
});
afterEach(async () => {
  await Promise.all(operators.map((operator) => operator.kill()));
});
afterAll(async () => {
  await direct?.close();
  await environment?.stop();
});

async function begin(): Promise<OurProcess> {
  const extraArgs = ['--namespace', namespace, '--lease-namespace', namespace];
  const operator = await startOperator({ kubeconfig: environment.kubeconfig, context: 'admin', extraArgs });
  operators.push(operator);
  return operator;
}
/** True once its controllers run: to hold the Lease is not enough. */
const leads = async (operator: OurProcess): Promise<boolean> => (await metricOf(operator, 'funnelai_leader')) === 1;
const lease = () => direct.get<Lease>(LEASES, { namespace, name: 'funnelai-operator' });

/** A leader, and one on standby. */
async function two(): Promise<{ leader: OurProcess; standby: OurProcess }> {
  const leader = await begin();
  await until('the first to lead', START_MS, () => leads(leader));
  const standby = await begin();
  expect(await leads(standby)).toBe(false);
  return { leader, standby };
}

it('after kill -9 the other leads within 20 s, under another name', { timeout: 120_000 }, async () => {
  const { leader, standby } = await two();
  const before = await lease();
  const began = performance.now();
  await leader.kill();
  await until('the other to lead', AFTER_KILL_MS, () => leads(standby), { everyMs: 50 });
  const ms = performance.now() - began;
  console.log(`failover after kill -9: ${Math.round(ms)} ms`);
  expect(ms).toBeLessThanOrEqual(AFTER_KILL_MS);
  const after = await lease();
  expect(after.spec?.holderIdentity).not.toBe(before.spec?.holderIdentity);
  expect(after.spec?.leaseTransitions).toBe((before.spec?.leaseTransitions ?? 0) + 1);
});

it('after a clean stop the other leads within 3 s', { timeout: 120_000 }, async () => {
  const { leader, standby } = await two();
  const began = performance.now();
  await leader.stop();
  await until('the other to lead', AFTER_STOP_MS, () => leads(standby), { everyMs: 50 });
  const ms = performance.now() - began;
  console.log(`failover after a clean stop: ${Math.round(ms)} ms`);
  expect(ms).toBeLessThanOrEqual(AFTER_STOP_MS);
});

it('a restarted leader does not take itself for the holder, and a deleted Lease leaves one leader', {
  timeout: 120_000,
}, async () => {
  const { leader, standby } = await two();
  await direct.delete(LEASES, { namespace, name: 'funnelai-operator' });
  await until(
    'the Lease to be there again',
    AFTER_KILL_MS,
    async () => (await lease().catch(() => undefined))?.spec?.holderIdentity,
  );
  await until('one to lead', AFTER_KILL_MS, async () => (await leads(leader)) !== (await leads(standby)), {
    everyMs: 50,
  });
});

/**
 * Parts die with kill -9 while alerts come and people work. After each death the oracle judges: nothing that was answered is lost,
 * nothing is there twice, and all has converged within thirty seconds of the end of the fault.
 */
import { randomBytes } from 'node:crypto';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDice } from '../harness/dice.ts';
import { type Environment, type PartName, startEnvironment } from '../harness/environment.ts';
import { createKubectl, type Kubectl } from '../harness/kubectl.ts';
import { type Load, startLoad } from '../harness/load.ts';
import type { Told } from '../harness/oracle.ts';
import { verdict } from '../harness/oracle-reader.ts';
import { type OurProcess, startOperator, startWebhook, type WebhookProcess } from '../harness/processes.ts';
import { until } from '../harness/wait.ts';

const CONVERGED_MS = 30_000;
const ACTS_BEFORE = 3;
const TOKEN = 'deaths-token-3f9c2a7d51e0';

let environment: Environment;
let client: KubeClient;
let kubectl: Kubectl;
let pool: pg.Pool;
const operators: OurProcess[] = [];
let webhook: WebhookProcess;

const common = () => ({ kubeconfig: environment.kubeconfig, databaseUrl: environment.databaseUrl });
const anOperator = async (waitReady = true): Promise<OurProcess> => {
  const operator = await startOperator({ ...common(), waitReady });
  operators.push(operator);
  return operator;
};
const noOperator = async () => {
  for (const operator of operators.splice(0)) await operator.kill();
};

beforeAll(async () => {
  environment = await startEnvironment({ say: () => undefined, fsync: true });
  kubectl = createKubectl(environment);
  client = createKubeClient(await loadConnection({ kubeconfigPath: environment.kubeconfig, context: 'admin' }));
  pool = new pg.Pool({ connectionString: environment.databaseUrl, max: 4 });
  pool.on('error', () => undefined);
  await anOperator();
  webhook = await startWebhook(common());
});

afterAll(async () => {
  await noOperator();
  await webhook?.kill();
  await client?.close();
  await pool?.end();
  await environment?.stop();
});

const basics = (namespace: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: responders, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: funnelai-responder}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: responders}]
---
apiVersion: v1
kind: Secret
metadata: {name: prom-token, namespace: ${namespace}}
stringData: {token: ${TOKEN}}
---
apiVersion: funnelai.dev/v1alpha1
kind: AlertSource
metadata: {name: prom, namespace: ${namespace}}
spec: {format: Alertmanager, auth: {bearer: {secretRef: {name: prom-token, key: token}}}}
---
apiVersion: funnelai.dev/v1alpha1
kind: CorrelationRule
metadata: {name: pods, namespace: ${namespace}}
spec: {match: ['alertname="KubePodCrashLooping"'], groupBy: [{label: cluster}], resolve: {when: Unacknowledged, after: 1s}}
`;

async function aNamespace(): Promise<string> {
  const namespace = `deaths-${randomBytes(3).toString('hex')}`;
  await kubectl.run(['apply', '--server-side', '-f', '-'], { input: basics(namespace) });
  return namespace;
}

const loadOn = (namespace: string, seed: number): Load =>
  startLoad({
    namespace,
    url: () => `${webhook.url}/alerts/${namespace}/prom`,
    token: TOKEN,
    kubectl,
    seed,
    groups: 6,
    faults: 5,
  });

const busy = (ms: number) => systemClock.sleep(ms);

/** Runs the load, does the damage in its midst, and asks the oracle. `damage` ends when the fault ends. */
async function underLoad(seed: number, damage: () => Promise<void>): Promise<{ told: Told; failures: number }> {
  const namespace = await aNamespace();
  const load = loadOn(namespace, seed);
  try {
    // Without people at work there would be nothing of theirs to lose.
    await until('people to work', CONVERGED_MS, async () => load.acts() >= ACTS_BEFORE);
    await damage();
  } catch (error) {
    void load.finish().catch(() => undefined);
    throw error;
  }
  const endedMs = systemClock.monotonicMs();
  await busy(1_000);
  const told = await load.finish();
  const leftMs = CONVERGED_MS - (systemClock.monotonicMs() - endedMs);
  expect(leftMs, 'senders and people are answered again').toBeGreaterThan(0);
  const found = await verdict({ client, pool, namespace }, told, leftMs);
  const tookMs = Math.round(systemClock.monotonicMs() - endedMs);
  console.log(
    `seed ${seed}: ${told.faults.length} faults, ${told.acts.length} acts, ${told.deleted.length} deletions, ${load.failures()} sends failed, converged in ${tookMs} ms`,
  );
  expect(found).toEqual([]);
  expect(told.faults.length).toBeGreaterThan(10);
  return { told, failures: load.failures() };
}

async function killOperator(): Promise<void> {
  await noOperator();
  await anOperator();
}
async function killWebhook(): Promise<void> {
  await webhook.kill();
  await busy(500);
  webhook = await startWebhook({ ...common(), port: webhook.port });
}
async function killPart(name: PartName): Promise<void> {
  await environment.parts[name].kill();
  await busy(500);
  await environment.restart(name);
  // What needed it may not have outlived it.
  for (const other of ['apiserver', 'controllerManager'] as const) {
    if (environment.parts[other].exit !== undefined) await environment.restart(other);
  }
}

describe('under load, kill -9 of', () => {
  it('nobody leaves nothing to say', () => underLoad(1, () => busy(2_000)));

  it('the operator, several times', () =>
    underLoad(2, async () => {
      const dice = createDice(2);
      for (let death = 0; death < 3; death += 1) {
        await killOperator();
        await busy(500 + dice.roll(1_500));
      }
    }));

  it('the webhook', async () => {
    const { failures } = await underLoad(3, async () => {
      await killWebhook();
      await busy(500);
      await killWebhook();
    });
    expect(failures).toBeGreaterThan(0);
  });

  it('Postgres', () =>
    underLoad(4, async () => {
      await killPart('postgres');
      await busy(1_000);
      await killPart('postgres');
    }));

  it('the API server', async () => {
    const { failures } = await underLoad(5, () => killPart('apiserver'));
    expect(failures).toBeGreaterThan(0);
  });

  it('etcd', () => underLoad(6, () => killPart('etcd')));

  it('any of them, at random', () =>
    underLoad(7, async () => {
      const dice = createDice(7);
      const deaths = [
        killOperator,
        killWebhook,
        ...(['postgres', 'apiserver', 'etcd'] as const).map((n) => () => killPart(n)),
      ];
      for (let death = 0; death < 5; death += 1) {
        await dice.pick(deaths)();
        await busy(dice.roll(1_000));
      }
    }));
});

/**
 * A whole funnelAI of real processes for tests that break it: its own control plane and Postgres, operator and webhook each behind
 * proxies that can make faults, and namespaces full of senders and people. What was promised is judged by the oracle.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import pg from 'pg';
import { type Environment, type PartName, startEnvironment } from '../harness/environment.ts';
import { type FaultProxy, startFaultProxy } from '../harness/fault-proxy.ts';
import { createKubectl, type Kubectl } from '../harness/kubectl.ts';
import { type Load, type Pace, startLoad } from '../harness/load.ts';
import { namespaceYaml } from '../harness/namespace-yaml.ts';
import { brokenPromises, miscounted, type Told } from '../harness/oracle.ts';
import { judged } from '../harness/oracle-reader.ts';
import { type OurProcess, startOperator, startWebhook, type WebhookProcess } from '../harness/processes.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { until } from '../harness/wait.ts';

/** So soon after a fault has ended every promise holds again. */
export const CONVERGED_MS = 30_000;
const ACTS_BEFORE = 3;
const TOKEN = 'faults-token-3f9c2a7d51e0';
const GROUPS = 6;
const FAULTS_PER_GROUP = 5;

export interface Stage {
  readonly environment: Environment;
  /** As administrator, past the proxies; as `kubectl` and `pool`. */
  readonly client: KubeClient;
  readonly kubectl: Kubectl;
  readonly pool: pg.Pool;
  /** Between the operator and the API server; between the webhook and the API server; between both and Postgres. */
  readonly operatorApi: FaultProxy;
  readonly webhookApi: FaultProxy;
  readonly postgres: TcpProxy;
  readonly operators: readonly OurProcess[];
  readonly webhook: WebhookProcess;
  /** One more, beside those that run. */
  anOperator(o?: { waitReady?: boolean; extraArgs?: string[] }): Promise<OurProcess>;
  /** kill -9 of all of them, then one new. */
  killOperator(): Promise<void>;
  /** kill -9, then a new one at the same address. */
  killWebhook(): Promise<void>;
  /** kill -9, then the same part again where it stood. */
  killPart(name: PartName): Promise<void>;
  /** A namespace with a source, a rule that groups by `cluster`, and responders. */
  aNamespace(): Promise<string>;
  /** Senders and people at work in a namespace, for stories that judge by themselves. */
  load(namespace: string, seed: number, pace?: Pace): Load;
  /** Load, the damage in its midst, and the oracle, which leaves the counts of alerts to `allCounted`. `damage` ends when the fault ends. */
  underLoad(seed: number, damage: (namespace: string) => Promise<void>): Promise<Outcome>;
  /** What the incidents of all stories count is there: once for all of them, for counts are written at most every ten seconds. */
  allCounted(): Promise<void>;
  stop(): Promise<void>;
}

export interface Outcome {
  namespace: string;
  told: Told;
  /** Sends that were not answered 2xx. */
  failures: number;
  /** From the end of the fault until all was well. */
  convergedMs: number;
}

/** Waits, for stories in which time itself is part of what happens. */
export const busy = (ms: number): Promise<void> => systemClock.sleep(ms);

const basics = (namespace: string) => `${namespaceYaml({ namespace, token: TOKEN, groups: ['responders'] })}---
apiVersion: funnelai.dev/v1alpha1
kind: CorrelationRule
metadata: {name: pods, namespace: ${namespace}}
spec: {match: ['alertname="KubePodCrashLooping"'], groupBy: [{label: cluster}], resolve: {when: Unacknowledged, after: 1s}}
`;

export async function startStage(): Promise<Stage> {
  const environment = await startEnvironment({ say: () => undefined, fsync: true });
  const { kubeconfig, databaseUrl } = environment;
  const kubectl = createKubectl(environment);
  const client = createKubeClient(await loadConnection({ kubeconfigPath: kubeconfig, context: 'admin' }));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on('error', () => undefined);
  const [operatorApi, webhookApi, postgres] = await Promise.all([
    startFaultProxy(kubeconfig),
    startFaultProxy(kubeconfig),
    startTcpProxy(databaseUrl),
  ]);
  const operators: OurProcess[] = [];
  const namespaces: string[] = [];
  const anOperator = async (o: { waitReady?: boolean; extraArgs?: string[] } = {}) => {
    const operator = await startOperator({ kubeconfig: operatorApi.kubeconfig, databaseUrl: postgres.url, ...o });
    operators.push(operator);
    return operator;
  };
  const aWebhook = (port?: number) =>
    startWebhook({
      kubeconfig: webhookApi.kubeconfig,
      databaseUrl: postgres.url,
      ...(port !== undefined && { port }),
    });
  let webhook = await aWebhook();
  await anOperator();

  async function aNamespace(): Promise<string> {
    const namespace = `faults-${randomBytes(3).toString('hex')}`;
    await kubectl.run(['apply', '--server-side', '-f', '-'], { input: basics(namespace) });
    namespaces.push(namespace);
    return namespace;
  }
  const load = (namespace: string, seed: number, pace?: Pace) =>
    startLoad({
      namespace,
      url: () => `${webhook.url}/alerts/${namespace}/prom`,
      token: TOKEN,
      kubectl,
      seed,
      groups: GROUPS,
      faults: FAULTS_PER_GROUP,
      ...pace,
    });

  async function underLoad(seed: number, damage: (namespace: string) => Promise<void>): Promise<Outcome> {
    const namespace = await aNamespace();
    const work = load(namespace, seed);
    try {
      // Without people at work there would be nothing of theirs to lose.
      await until('people to work', CONVERGED_MS, async () => work.acts() >= ACTS_BEFORE);
      await damage(namespace);
    } catch (error) {
      void work.finish().catch(() => undefined);
      throw error;
    }
    const endedMs = systemClock.monotonicMs();
    await busy(1_000);
    const told = await work.finish();
    const leftMs = CONVERGED_MS - (systemClock.monotonicMs() - endedMs);
    assert.ok(leftMs > 0, `senders and people were not answered again within ${CONVERGED_MS} ms`);
    const found = await judged({ client, pool, namespace }, leftMs, (seen) => brokenPromises(told, seen));
    const convergedMs = Math.round(systemClock.monotonicMs() - endedMs);
    console.log(
      `seed ${seed}: ${told.faults.length} faults, ${told.acts.length} acts, ${told.deleted.length} deletions, ${work.failures()} sends failed, converged in ${convergedMs} ms`,
    );
    assert.deepEqual(found, []);
    assert.ok(told.faults.length > 10, `only ${told.faults.length} faults were sent`);
    return { namespace, told, failures: work.failures(), convergedMs };
  }

  return {
    environment,
    client,
    kubectl,
    pool,
    operatorApi,
    webhookApi,
    postgres,
    operators,
    get webhook() {
      return webhook;
    },
    anOperator,
    async killOperator() {
      for (const operator of operators.splice(0)) await operator.kill();
      await anOperator();
    },
    async killWebhook() {
      await webhook.kill();
      await busy(500);
      webhook = await aWebhook(webhook.port);
    },
    async killPart(name) {
      await environment.parts[name].kill();
      await busy(500);
      await environment.restart(name);
      // What needed it may not have outlived it.
      for (const other of ['apiserver', 'controllerManager'] as const) {
        if (environment.parts[other].exit !== undefined) await environment.restart(other);
      }
    },
    aNamespace,
    load,
    underLoad,
    async allCounted() {
      assert.ok(namespaces.length > 0, 'there was no story');
      const found = await Promise.all(
        namespaces.map((namespace) => judged({ client, pool, namespace }, CONVERGED_MS, miscounted)),
      );
      assert.deepEqual(found.flat(), []);
    },
    async stop() {
      for (const operator of operators.splice(0)) await operator.kill();
      await webhook.kill();
      await client.close();
      await pool.end();
      await Promise.all([operatorApi.stop(), webhookApi.stop(), postgres.stop()]);
      await environment.stop();
    },
  };
}

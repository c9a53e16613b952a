/** What the benchmarks stand on: a durable control plane and Postgres, the real webhook, and the real operator when asked for. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Alert } from '@funnelai/crds/generated/types';
import { DEFAULT_MAX_LIVE_ALERTS } from '@funnelai/domain/folding';
import { createDatabase } from '@funnelai/test/harness/database';
import { startEnvironment } from '@funnelai/test/harness/environment';
import { writesIn } from '@funnelai/test/harness/etcd';
import { createKubectl } from '@funnelai/test/harness/kubectl';
import { metricOf, sumOf } from '@funnelai/test/harness/metrics';
import { type OurProcess, startOperator, startWebhook } from '@funnelai/test/harness/processes';
import { userOf } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import pg from 'pg';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import { type BareApi, bareApi } from './api.ts';
import { clearSeeded, seedAlerts } from './seed.ts';

const TOKEN = 'bench-token-9a1c';
/** The most that the schema allows. */
const UNBOUNDED = 50_000;
const DEADLINE_MS = 300_000;
/** How often a body that was answered 503 is sent. */
const ATTEMPTS = 5;

export interface BenchAlert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt?: string;
  generatorURL: string;
}

export interface Bench {
  readonly api: BareApi;
  readonly kubeconfig: string;
  /** The owner's, of the durable Postgres: for databases of one's own. */
  readonly databaseUrl: string;
  /** Of every source. */
  readonly token: string;
  /** A new namespace with the source `prom`, which folds nothing unless a bound is named. */
  namespace(maxLiveAlerts?: number): Promise<string>;
  /** A fault of ordinary size, the i-th of its name. */
  alert(i: number, name?: string): BenchAlert;
  /** One more source in the namespace, with the same token and the usual bound. */
  addSource(namespace: string, name: string): Promise<void>;
  /** One Alertmanager body; throws unless answered 200. By `prom` when no source is named. */
  post(namespace: string, alerts: BenchAlert[], attempt?: number, source?: string): Promise<void>;
  kubectl(args: string[]): Promise<string>;
  /** What a person's page asks of the API; throws unless answered 200. */
  page(path: string): Promise<void>;
  /** Of the database that webhook and operator write. */
  rows<T extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<T[]>;
  alerts(namespace: string): Promise<Alert[]>;
  /** Puts so many alerts of about that size straight into etcd, where the API server finds them. Resolves their names. */
  seed(namespace: string, count: number, bytes: number): Promise<string[]>;
  /** Takes them away again: more than the API server deletes within the time of one request. */
  clearSeeded(namespace: string): Promise<void>;
  /** How many bodies were answered without an alert in etcd: from the inbox, out of which each is written to etcd later. */
  answeredByInbox(): number;
  /** How many answers the operator has given to alerts since it was started, as it says itself. */
  answered(): Promise<number>;
  /** Resolves once `count` alerts of the namespace carry the answer of correlation. */
  correlated(namespace: string, count: number): Promise<void>;
  /** Resolves once etcd has counted no further write to the namespace's alerts for a while. */
  settled(namespace: string): Promise<void>;
  writes(namespace: string): Promise<Map<string, number>>;
  pids(): { operator: number; webhook: number };
  startOperator(): Promise<void>;
  stopOperator(): Promise<void>;
  stop(): Promise<void>;
}

const source = (namespace: string, maxLiveAlerts: number) => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: Secret
metadata: {name: prom-token, namespace: ${namespace}}
stringData: {token: ${TOKEN}}
---${sourceNamed(namespace, 'prom', maxLiveAlerts)}`;
const sourceNamed = (namespace: string, name: string, maxLiveAlerts = DEFAULT_MAX_LIVE_ALERTS) => `
apiVersion: funnelai.dev/v1alpha1
kind: AlertSource
metadata: {name: ${name}, namespace: ${namespace}}
spec: {format: Alertmanager, auth: {bearer: {secretRef: {name: prom-token, key: token}}}, limits: {maxLiveAlerts: ${maxLiveAlerts}}}
`;

interface KubeconfigFile {
  clusters: { cluster: { 'certificate-authority-data': string } }[];
}

export async function openStage(): Promise<Bench> {
  const environment = await startEnvironment({ say: (line) => console.log(line), fsync: true });
  const { kubeconfig } = environment;
  const database = await createDatabase(environment.databaseUrl);
  const kubectl = createKubectl({ assets: environment.assets, kubeconfig });
  const webhook = await startWebhook({ kubeconfig, databaseUrl: database.url });
  const [local] = (parse(readFileSync(kubeconfig, 'utf8')) as KubeconfigFile).clusters;
  const api = bareApi({
    server: environment.server,
    certificateAuthority: Buffer.from(local?.cluster['certificate-authority-data'] ?? '', 'base64'),
    token: userOf('admin').token,
    connections: 32,
  });
  const agent = new Agent({ connections: 32 });
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('error', () => undefined);
  let operator: OurProcess | undefined;
  let byInbox = 0;
  const startsAt = new Date().toISOString();
  const alerts = async (namespace: string) =>
    (JSON.parse(await kubectl.run(['get', 'alerts.funnelai.dev', '-n', namespace, '-o', 'json'])) as { items: Alert[] })
      .items;
  const writes = (namespace: string) => writesIn(environment.etcdUrl, 'alerts', namespace);

  const post: Bench['post'] = async (namespace, batch, attempt = 1, source = 'prom') => {
    const { statusCode, headers, body } = await request(`${webhook.url}/alerts/${namespace}/${source}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ version: '4', receiver: 'funnelai', status: 'firing', alerts: batch }),
      dispatcher: agent,
    });
    const text = await body.text();
    if (statusCode === 200) {
      if (headers['funnelai-stored-in'] === 'inbox') byInbox += 1;
      return;
    }
    // As Alertmanager does: 503 means "keep it and send it again".
    if (statusCode !== 503 || attempt >= ATTEMPTS)
      throw new Error(`the webhook answered ${statusCode}: ${text.slice(0, 300)}`);
    await post(namespace, batch, attempt + 1, source);
  };

  const known = (namespace: string, name: string) =>
    until('the webhook to know the source', DEADLINE_MS, async () => {
      const { statusCode, body } = await request(`${webhook.url}/alerts/${namespace}/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ version: '4', alerts: [] }),
        dispatcher: agent,
      });
      await body.dump();
      return statusCode === 200;
    });

  return {
    api,
    kubeconfig,
    kubectl: (args) => kubectl.run(args),
    async page(path) {
      const { statusCode, body } = await request(webhook.url + path, {
        headers: { authorization: `Bearer ${userOf('admin').token}` },
        dispatcher: agent,
      });
      await body.dump();
      if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`);
    },
    rows: async <T extends pg.QueryResultRow>(sql: string, values: unknown[]) =>
      (await pool.query<T>(sql, values)).rows,
    async addSource(namespace, name) {
      await kubectl.run(['apply', '--server-side', '-f', '-'], { input: sourceNamed(namespace, name) });
      await known(namespace, name);
    },
    databaseUrl: environment.databaseUrl,
    token: TOKEN,
    alerts,
    writes,
    clearSeeded: (namespace) => clearSeeded(environment.etcdUrl, namespace),
    seed: (namespace, count, bytes) => seedAlerts(environment.etcdUrl, namespace, count, bytes),
    async namespace(maxLiveAlerts = UNBOUNDED) {
      const name = `bench-${randomBytes(4).toString('hex')}`;
      await kubectl.run(['apply', '--server-side', '-f', '-'], { input: source(name, maxLiveAlerts) });
      // The webhook's cache has to have seen the source.
      await known(name, 'prom');
      return name;
    },
    alert(i, name = 'KubePodCrashLooping') {
      const pod = `checkout-7d9f8c6b5-${String(i).padStart(5, '0')}`;
      return {
        status: 'firing',
        labels: {
          alertname: name,
          namespace: 'checkout',
          pod,
          container: 'app',
          job: 'kube-state-metrics',
          instance: '10.0.3.17:8080',
          prometheus: 'monitoring/k8s',
          severity: 'warning',
          uid: `b1d5a3c0-${i}`,
        },
        annotations: {
          summary: 'Pod is crash looping.',
          description: `Pod checkout/${pod} (app) is in waiting state (reason: "CrashLoopBackOff") on cluster eu-1.`,
          runbook_url: 'https://runbooks.example/kubernetes/kubepodcrashlooping',
        },
        startsAt,
        generatorURL: 'http://prometheus.example/graph?g0.expr=kube_pod_container_status_waiting_reason&g0.tab=1',
      };
    },
    post,
    answeredByInbox: () => byInbox,
    answered() {
      if (operator === undefined) throw new Error('the operator is not running');
      return sumOf(operator, 'funnelai_alerts_answered_total');
    },
    async correlated(namespace, count) {
      await until(
        `${count} correlated alerts`,
        DEADLINE_MS,
        async () => {
          const found = await alerts(namespace);
          return found.filter((a) => a.status?.conditions?.some((c) => c.type === 'Correlated')).length >= count;
        },
        { everyMs: 1_000 },
      );
    },
    async settled(namespace) {
      let last = '';
      await until(
        'no further writes',
        DEADLINE_MS,
        async () => {
          const now = JSON.stringify([...(await writes(namespace))]);
          const same = now === last;
          last = now;
          return same;
        },
        { everyMs: 3_000 },
      );
    },
    pids: () => ({ operator: operator?.pid ?? 0, webhook: webhook.pid }),
    async startOperator() {
      operator = await startOperator({ kubeconfig, databaseUrl: database.url });
      // The first one makes the tables: before the webhook has looked for them it marks no row of the inbox as new, and what is new waits there.
      await until(
        'the webhook to know the tables',
        DEADLINE_MS,
        async () => (await metricOf(webhook, 'funnelai_webhook_schema_behind')) === 0,
      );
    },
    async stopOperator() {
      await operator?.stop();
      operator = undefined;
    },
    async stop() {
      await api.close();
      await agent.close();
      await pool.end();
      await operator?.stop();
      await webhook.stop();
      await database.drop();
      await environment.stop();
    },
  };
}

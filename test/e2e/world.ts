/**
 * A whole funnelAI for one story: operator and webhook as processes on the run's control plane, a database of its own, one
 * namespace with people, a source and rules. Stories speak in alerts, incidents and rows.
 */
import { randomBytes } from 'node:crypto';
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import pg from 'pg';
import { inject } from 'vitest';
import { createDatabase } from '../harness/database.ts';
import { createKubectl, type Kubectl } from '../harness/kubectl.ts';
import { namespaceYaml } from '../harness/namespace-yaml.ts';
import { type OurProcess, startOperator, startWebhook, type WebhookProcess } from '../harness/processes.ts';
import { userOf } from '../harness/users.ts';

export const SOURCE_TOKEN = 'story-token-3f9c2a7d51e0';

export interface ChangeRow {
  sequence: number;
  kind: string;
  from_value: string | null;
  to_value: string | null;
  by: string;
  reason: string | null;
}

export interface World {
  readonly namespace: string;
  readonly kubectl: Kubectl;
  readonly databaseUrl: string;
  operator: OurProcess;
  webhook: WebhookProcess;
  /** Applies YAML into the namespace. */
  apply(yaml: string): Promise<void>;
  incidents(): Promise<Incident[]>;
  incident(name: string): Promise<Incident>;
  alerts(): Promise<Alert[]>;
  /** Posts a body to the intake of source `prom`; resolves status and text. */
  post(body: unknown, path?: string): Promise<{ status: number; text: string }>;
  rows<T extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<T[]>;
  changes(uid: string): Promise<ChangeRow[]>;
  restartOperator(): Promise<void>;
  restartWebhook(): Promise<void>;
  stop(): Promise<void>;
}

const basics = (
  namespace: string,
) => `${namespaceYaml({ namespace, token: SOURCE_TOKEN, groups: ['responders', 'viewers'] })}---
apiVersion: funnelai.dev/v1alpha1
kind: CorrelationRule
metadata: {name: watchdog, namespace: ${namespace}}
spec: {order: 10, match: ['alertname="Watchdog"'], action: Record}
---
apiVersion: funnelai.dev/v1alpha1
kind: CorrelationRule
metadata: {name: pods, namespace: ${namespace}}
spec:
  order: 100
  match: ['alertname=~"Kube(Pod|Deployment).+"']
  groupBy: [{label: namespace}, {label: cluster, missing: Empty}]
  resolve: {when: Unacknowledged, after: 1s}
  incident: {title: "Pods of {{ group.namespace }} are in trouble"}
`;

/** Starts one. `uiDirectory` serves the built pages; the others are more flags of each. */
export async function createWorld(
  o: { uiDirectory?: string; operatorArgs?: string[]; webhookArgs?: string[] } = {},
): Promise<World> {
  const kubeconfig = inject('kubeconfig');
  const kubectl = createKubectl({ assets: inject('assets'), kubeconfig });
  const namespace = `story-${randomBytes(3).toString('hex')}`;
  const database = await createDatabase(inject('databaseUrl'));
  await kubectl.run(['apply', '--server-side', '-f', '-'], { input: basics(namespace) });
  const common = { kubeconfig, databaseUrl: database.url };
  const operatorOptions = { ...common, extraArgs: o.operatorArgs ?? [] };
  const operator = await startOperator(operatorOptions);
  const webhookOptions = {
    ...common,
    extraArgs: o.webhookArgs ?? [],
    ...(o.uiDirectory ? { uiDirectory: o.uiDirectory } : {}),
  };
  const webhook = await startWebhook(webhookOptions);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  const json = async <T>(args: string[]) =>
    JSON.parse(await kubectl.run([...args, '-n', namespace, '-o', 'json'])) as T;
  const world: World = {
    namespace,
    kubectl,
    databaseUrl: database.url,
    operator,
    webhook,
    apply: async (yaml) =>
      void (await kubectl.run(['apply', '--server-side', '-n', namespace, '-f', '-'], { input: yaml })),
    incidents: async () => (await json<{ items: Incident[] }>(['get', 'incidents.funnelai.dev'])).items,
    incident: (name) => json<Incident>(['get', 'incidents.funnelai.dev', name]),
    alerts: async () => (await json<{ items: Alert[] }>(['get', 'alerts.funnelai.dev'])).items,
    async post(body, path = '') {
      const response = await fetch(`${world.webhook.url}/alerts/${namespace}/prom${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${SOURCE_TOKEN}` },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    },
    rows: async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool.query<T>(sql, values)).rows,
    changes: (uid) =>
      world.rows<ChangeRow>(
        'select sequence::int, kind, from_value, to_value, "by", reason from incident_changes where incident_uid = $1 order by sequence',
        [uid],
      ),
    async restartOperator() {
      world.operator = await startOperator(operatorOptions);
    },
    async restartWebhook() {
      world.webhook = await startWebhook({ ...webhookOptions, port: world.webhook.port });
    },
    async stop() {
      await pool.end();
      await world.webhook.stop();
      await world.operator.stop();
      await kubectl.try(['delete', 'namespace', namespace, '--wait=false']);
      await database.drop();
    },
  };
  return world;
}

/** The bearer token of a test user, to sign in with. */
export const tokenOf = (context: Parameters<typeof userOf>[0]): string => userOf(context).token;

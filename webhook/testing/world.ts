/** A webhook in this process on a real API server, and a namespace with a source to send to: the stage of the integration tests. */
import { randomBytes } from 'node:crypto';
import type { AlertSourceSpec } from '@funnelai/crds/generated/types';
import type { FoldStore } from '@funnelai/history/folded';
import { createInboxPool } from '@funnelai/history/pool';
import type { Queries } from '@funnelai/history/queries';
import type { RepeatStore } from '@funnelai/history/repeats';
import type { SourceTrafficStore } from '@funnelai/history/source-traffic';
import { createKubeClient } from '@funnelai/kube/client';
import { type Clock, systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { createKubectl, type Kubectl } from '@funnelai/test/harness/kubectl';
import { type Context, userOf } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import type { SourceFormat } from '../receivers/receiver.ts';
import { createWebhook, type Webhook, type WebhookParts } from '../wiring.ts';

export interface Running {
  url: string;
  webhook: Webhook;
  stop(): Promise<void>;
}

const READY_MS = 20_000;

/** Starts one on a free port and waits until its caches are in. `server` is another address of the same API server. */
export async function startInProcess(
  kubeconfig: string,
  o: {
    server?: string;
    /** The one that it serves; all when absent. */
    namespace?: string;
    queries?: Queries;
    /** Where its inbox lies; the tables have to be there. */
    databaseUrl?: string;
    /** By which it keeps all else in Postgres, under the scope of what it serves; goes with `databaseUrl`. */
    pool?: WebhookParts['pool'];
    clock?: Clock;
    repeats?: RepeatStore;
    traffic?: SourceTrafficStore;
    leases?: WebhookParts['leases'];
    folds?: FoldStore;
    signInFile?: string;
    welcomeFile?: string;
    uiDir?: string;
  } = {},
): Promise<Running> {
  const connection = await loadConnection({ kubeconfigPath: kubeconfig, context: 'webhook' });
  const { server = connection.server } = o;
  // A kubeconfig that names the true server would lead it around what stands in between.
  const credentials: typeof connection.credentials = {
    current: async () => ({ ...(await connection.credentials.current()), server }),
    refresh: () => connection.credentials.refresh(),
    movedFrom: async () => false,
  };
  const client = createKubeClient({ ...connection, server, credentials }, { userAgent: 'funnelai-webhook' });
  const inboxPool = o.databaseUrl === undefined ? undefined : createInboxPool(o.databaseUrl);
  const webhook = await createWebhook({
    client,
    inboxPool,
    pool: o.pool,
    namespace: o.namespace,
    queries: o.queries,
    repeats: o.repeats,
    folds: o.folds,
    traffic: o.traffic,
    leases: o.leases,
    clock: o.clock ?? systemClock,
    log: silentLog(),
    registry: createRegistry(),
    host: '127.0.0.1',
    uiDir: o.uiDir,
    signInFile: o.signInFile,
    welcomeFile: o.welcomeFile,
  });
  webhook.start();
  const url = await webhook.server.listen({ host: '127.0.0.1', port: 0 });
  await until('the webhook to be ready', READY_MS, () => webhook.readiness.missing().length === 0);
  return {
    url,
    webhook,
    async stop() {
      await webhook.stop();
      await client.close();
      await inboxPool?.end();
    },
  };
}

/** API server that a kubeconfig names. */
export async function serverOf(kubeconfig: string): Promise<string> {
  return (await loadConnection({ kubeconfigPath: kubeconfig, context: 'webhook' })).server;
}

export interface Team {
  namespace: string;
  kubectl: Kubectl;
  /** Token of its AlertSource `prom`. */
  token: string;
  /** Gives the source's Secret another value. */
  setToken(value: string): Promise<void>;
}

/** Makes a namespace in which ana and bo respond, vera looks on, nadia administers and sam is a stranger. */
export async function aTeam(o: { assets: string; kubeconfig: string }): Promise<Team> {
  const kubectl = createKubectl(o);
  const namespace = `team-${randomBytes(4).toString('hex')}`;
  const token = randomBytes(16).toString('hex');
  const bind = (role: string, ...users: Context[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: role, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: users.map((user) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userOf(user).name })),
  });
  const apply = (...items: object[]) =>
    kubectl.run(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
      input: items.map((item) => JSON.stringify(item)).join('\n---\n'),
    });
  const secret = (value: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'prom', namespace },
    stringData: { token: value },
  });
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await apply(
    bind('funnelai-responder', 'ana', 'bo'),
    bind('funnelai-viewer', 'viewer'),
    bind('funnelai-admin', 'nsadmin'),
    secret(token),
    {
      apiVersion: 'funnelai.dev/v1alpha1',
      kind: 'AlertSource',
      metadata: { name: 'prom', namespace },
      spec: { format: 'Alertmanager', auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } } },
    },
  );
  return {
    namespace,
    kubectl,
    token,
    async setToken(value) {
      await apply(secret(value));
    },
  };
}

/** Adds a source of another format to the team, with the token of `prom`. */
export async function aSource(
  team: Team,
  o: { name: string; format: SourceFormat; limits?: AlertSourceSpec['limits'] },
): Promise<void> {
  const { name, format, limits } = o;
  const input = JSON.stringify({
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'AlertSource',
    metadata: { name, namespace: team.namespace },
    spec: { format, auth: { bearer: { secretRef: { name: 'prom', key: 'token' } } }, limits },
  });
  await team.kubectl.run(['apply', '--server-side', '-f', '-'], { input });
}

/** Waits until the webhook has heard of the team's source: until then it is unknown. */
export async function untilKnown(url: string, team: Team, source = 'prom'): Promise<void> {
  await until(
    'the source to be known',
    READY_MS,
    async () => (await send(url, team, [], { token: 'none', source })).status === 401,
  );
}

export interface Sent {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what came is what the test looks into
  body: any;
}

/** Sends alerts as Alertmanager's webhook does; `body` instead of them is sent as it is. */
export async function send(
  url: string,
  team: Team,
  alerts: unknown[],
  o: {
    token?: string;
    source?: string;
    path?: string;
    body?: string | Uint8Array<ArrayBuffer>;
    headers?: Record<string, string>;
  } = {},
): Promise<Sent> {
  const response = await fetch(`${url}/alerts/${team.namespace}/${o.source ?? 'prom'}${o.path ?? ''}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${o.token ?? team.token}`, 'content-type': 'application/json', ...o.headers },
    body: o.body ?? JSON.stringify(o.path === undefined ? { version: '4', alerts } : alerts),
  });
  return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
}

/** Asks the API as one of the test users. */
export async function ask(
  url: string,
  who: Context,
  path: string,
  o: { method?: string; body?: unknown } = {},
): Promise<Sent> {
  const response = await fetch(`${url}${path}`, {
    method: o.method ?? 'GET',
    headers: {
      authorization: `Bearer ${userOf(who).token}`,
      ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
  });
  return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

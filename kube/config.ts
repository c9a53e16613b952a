/**
 * Which API server, and as whom: from a kubeconfig that was named, or from the pod's service account. Ambient settings (KUBECONFIG,
 * ~/.kube/config, proxies, NODE_TLS_REJECT_UNAUTHORIZED) are never read. Parsing and the ways to log in are client-node's.
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { type Cluster, KubeConfig, loadYaml, type User } from '@kubernetes/client-node';
import { type Credentials, createCredentials } from './credentials.ts';

export interface ConnectionOptions {
  /** Path of a kubeconfig. */
  kubeconfigPath?: string | undefined;
  /** One of its contexts; its current-context when absent. */
  context?: string | undefined;
  /** The pod's service account; also the meaning of no kubeconfigPath. */
  inCluster?: boolean | undefined;
}

export interface Connection {
  /** Base URL, without a slash at its end. */
  server: string;
  context: string;
  /** Namespace of the context, `default` when it names none. */
  namespace: string;
  /** http(s) proxy that the kubeconfig names for this cluster. */
  proxyUrl?: string;
  credentials: Credentials;
}

/** The connection could not be described: which file or value, what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What client-node's parser drops or misreads. */
interface RawUser {
  tokenFile?: string;
  'as-uid'?: string;
  'as-groups'?: string[];
  exec?: { command?: string; apiVersion?: string; env?: { name: string; value: string }[] };
}

/** Reads the connection and, once, its credentials, so that what is wrong with either is said at start. Throws ConfigError. */
export async function loadConnection(o: ConnectionOptions): Promise<Connection> {
  if (o.kubeconfigPath !== undefined && o.inCluster) {
    throw new ConfigError('expected a kubeconfig or the service account of the pod, found both; drop one of them');
  }
  const path = o.kubeconfigPath;
  const load = path === undefined ? loadInCluster : () => loadFile(path, o.context);
  const kc = await load();
  const cluster = kc.getCurrentCluster();
  if (!cluster) throw new ConfigError(`context ${kc.currentContext} names a cluster that the kubeconfig does not have`);
  if (!/^https?:\/\//.test(cluster.server)) {
    throw new ConfigError(`server of cluster ${cluster.name}: expected an http or https URL, found ${cluster.server}`);
  }
  if (cluster.proxyUrl && !/^https?:\/\//.test(cluster.proxyUrl)) {
    throw new ConfigError(`proxy-url of cluster ${cluster.name}: only http and https proxies are supported`);
  }
  const credentials = createCredentials({ load, initial: kc });
  await credentials.current().catch((cause: unknown) => {
    throw new ConfigError(
      `credentials of context ${kc.currentContext}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  });
  return {
    server: cluster.server.replace(/\/+$/, ''),
    context: kc.currentContext,
    namespace: kc.getContextObject(kc.currentContext)?.namespace?.trim() || 'default',
    ...(cluster.proxyUrl ? { proxyUrl: cluster.proxyUrl } : {}),
    credentials,
  };
}

async function loadInCluster(): Promise<KubeConfig> {
  if (!process.env.KUBERNETES_SERVICE_HOST || !process.env.KUBERNETES_SERVICE_PORT) {
    throw new ConfigError(
      'not in a pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig given; name one with --kubeconfig FILE',
    );
  }
  const kc = new KubeConfig();
  kc.loadFromCluster();
  return kc;
}

async function loadFile(path: string, wanted: string | undefined): Promise<KubeConfig> {
  const file = resolve(path);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`kubeconfig ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const kc = new KubeConfig();
  let raw: { users?: { name?: string; user?: RawUser | null }[] };
  try {
    raw = loadYaml(text) ?? {};
    kc.loadFromString(text);
  } catch (cause) {
    throw new ConfigError(`kubeconfig ${file} is not valid: ${(cause as Error).message}`, { cause });
  }
  kc.makePathsAbsolute(dirname(file));
  const names = kc.getContexts().map((c) => c.name);
  const name = wanted ?? kc.currentContext;
  const context = kc.getContextObject(name ?? '');
  if (!context) {
    throw new ConfigError(
      `kubeconfig ${file} has no context ${name ?? '(and no current-context)'}; it has: ${names.join(', ') || 'none'}`,
    );
  }
  const cluster = kc.getCluster(context.cluster);
  if (!cluster)
    throw new ConfigError(`kubeconfig ${file}: context ${name} names cluster ${context.cluster}, not there`);
  if (context.user && !kc.getUser(context.user)) {
    throw new ConfigError(`kubeconfig ${file}: context ${name} names user ${context.user}, not there`);
  }
  // Without a user client-node drops the cluster's CA, too.
  const user: User = kc.getUser(context.user) ?? { name: 'anonymous' };
  const rawUser = raw.users?.find((u) => u.name === user.name)?.user ?? {};
  kc.loadFromOptions({
    clusters: [withoutTls(cluster)],
    users: [completeUser(user, rawUser, dirname(file), cluster)],
    contexts: [{ ...context, user: user.name }],
    currentContext: name,
  });
  return kc;
}

/** client-node refuses plain http unless told that TLS does not matter: where there is none, it does not. */
function withoutTls(cluster: Cluster): Cluster {
  return cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;
}

function completeUser(user: User, raw: RawUser, folder: string, cluster: Cluster): User {
  const at = (p: string) => (isAbsolute(p) ? p : resolve(folder, p));
  const groups = raw['as-groups'];
  if (groups?.length || raw['as-uid']) {
    throw new ConfigError(`user ${user.name}: as-groups and as-uid are not supported; use a context without them`);
  }
  if (raw.tokenFile && !user.token) {
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: at(raw.tokenFile) } } };
  }
  if (raw.exec?.command) {
    const command = raw.exec.command.includes('/') ? at(raw.exec.command) : raw.exec.command;
    const info = {
      apiVersion: raw.exec.apiVersion ?? 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: cluster.server } },
    };
    const env = [...(raw.exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
    return { ...user, exec: { ...user.exec, command, env } };
  }
  return user;
}

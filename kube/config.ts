/**
 * Which API server, and as whom: from a kubeconfig that was named, or from the pod's service account. Ambient settings (KUBECONFIG,
 * ~/.kube/config, proxies, NODE_TLS_REJECT_UNAUTHORIZED) are never read.
 */
import { type Credentials, createCredentials } from './credentials.ts';
import { ConfigError } from './errors.ts';
import { identitySource } from './identity.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { readServiceAccount } from './service-account.ts';

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

/** Reads the connection and, once, its credentials, so that what is wrong with either is said at start. Throws ConfigError. */
export async function loadConnection(o: ConnectionOptions): Promise<Connection> {
  const path = o.kubeconfigPath;
  if (path !== undefined && o.inCluster) {
    throw new ConfigError('expected a kubeconfig or the service account of the pod, found both; drop one of them');
  }
  const load = () => (path === undefined ? readServiceAccount() : readKubeconfig(path, o.context));
  const settings = await load();
  const { server, context, namespace, proxyUrl } = settings;
  const credentials = createCredentials({
    load: async () => identitySource(await load()),
    initial: identitySource(settings),
  });
  await credentials.current().catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`credentials of context ${context}: ${message}`, { cause });
  });
  return { server, context, namespace, ...(proxyUrl === undefined ? {} : { proxyUrl }), credentials };
}

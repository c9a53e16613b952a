/** The pod's service account, as the kubelet mounts it: where the API server is, whom to trust, who we are. */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from './errors.ts';
import type { Settings } from './kubeconfig.ts';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Throws ConfigError outside of a pod. */
export async function readServiceAccount(folder = FOLDER): Promise<Settings> {
  const host = process.env.KUBERNETES_SERVICE_HOST;
  const port = process.env.KUBERNETES_SERVICE_PORT;
  if (!host || !port) {
    throw new ConfigError(
      'not in a pod (KUBERNETES_SERVICE_HOST is not set) and no kubeconfig given; name one with --kubeconfig FILE',
    );
  }
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(server)) {
    throw new ConfigError(
      `KUBERNETES_SERVICE_HOST and _PORT: expected an address and a port, found ${host} and ${port}`,
    );
  }
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => '');
  return {
    context: 'inClusterContext',
    namespace: namespace.trim() || 'default',
    server,
    ca: { field: 'the service account', file: join(folder, 'ca.crt') },
    skipVerify: false,
    user: { name: 'inClusterUser', tokenFile: join(folder, 'token') },
  };
}

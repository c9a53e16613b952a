/** The bare API server as the benchmarks' baseline: one keep-alive client, no runtime of ours in between. */
import type { Alert, AlertStatus } from '@funnelai/crds/generated/types';
import { ALERTS, API_VERSION } from '@funnelai/crds/meta';
import { Agent, request } from 'undici';

/** For the deletion of some thousand objects in one call. */
const CLEAR_MS = 120_000;

export interface BareApi {
  create(namespace: string, alert: Alert): Promise<void>;
  /** Any object of ours, as a person would make it. */
  post(plural: string, namespace: string, object: unknown): Promise<void>;
  /** A merge-patch, as `kubectl patch` sends it. */
  patch(plural: string, namespace: string, name: string, body: unknown): Promise<void>;
  /** A merge-patch of an alert's status. */
  patchStatus(namespace: string, name: string, status: AlertStatus): Promise<void>;
  /** Deletes all objects of `plural` in the namespace. */
  clear(plural: string, namespace: string): Promise<void>;
  /** How many there are, as the API server counts them. */
  count(plural: string, namespace: string): Promise<number>;
  /** Calls `seen` for each object of `plural` in the namespace that the API server announces from now on. Resolves once it listens. */
  watch(plural: string, namespace: string, seen: (type: string, object: Alert) => void): Promise<() => void>;
  close(): Promise<void>;
}

/** `certificateAuthority` is the PEM that the kubeconfig carries; `token` is the identity that creates. */
export function bareApi(o: {
  server: string;
  certificateAuthority: Buffer;
  token: string;
  connections: number;
}): BareApi {
  const agent = new Agent({ connections: o.connections, connect: { ca: o.certificateAuthority }, bodyTimeout: 0 });
  const headers = {
    authorization: `Bearer ${o.token}`,
    'content-type': 'application/json',
    accept: 'application/json',
  };
  const url = (plural: string, namespace: string) =>
    `${o.server}/apis/${API_VERSION}/namespaces/${namespace}/${plural}`;
  const send = async (method: 'POST' | 'PATCH', to: string, object: unknown, type: string) => {
    const { statusCode, body } = await request(to, {
      method,
      headers: { ...headers, 'content-type': type },
      body: JSON.stringify(object),
      dispatcher: agent,
    });
    const text = await body.text();
    if (statusCode >= 300) throw new Error(`${method} answered ${statusCode}: ${text.slice(0, 300)}`);
  };
  return {
    post: (plural, namespace, object) => send('POST', url(plural, namespace), object, 'application/json'),
    patch: (plural, namespace, name, body) =>
      send('PATCH', `${url(plural, namespace)}/${name}`, body, 'application/merge-patch+json'),
    create: (namespace, alert) => send('POST', url(ALERTS.plural, namespace), alert, 'application/json'),
    patchStatus: (namespace, name, status) =>
      send('PATCH', `${url(ALERTS.plural, namespace)}/${name}/status`, { status }, 'application/merge-patch+json'),
    async clear(plural, namespace) {
      const { statusCode, body } = await request(url(plural, namespace), {
        method: 'DELETE',
        headers,
        dispatcher: agent,
        headersTimeout: CLEAR_MS,
        bodyTimeout: CLEAR_MS,
      });
      await body.dump();
      if (statusCode !== 200) throw new Error(`the deletion of all ${plural} in ${namespace} answered ${statusCode}`);
    },
    async count(plural, namespace) {
      const { statusCode, body } = await request(`${url(plural, namespace)}?limit=1`, { headers, dispatcher: agent });
      const list = (await body.json()) as { items: unknown[]; metadata: { remainingItemCount?: number } };
      if (statusCode !== 200) throw new Error(`the list of ${plural} in ${namespace} answered ${statusCode}`);
      return list.items.length + (list.metadata.remainingItemCount ?? 0);
    },
    async watch(plural, namespace, seen) {
      const abort = new AbortController();
      const list = await request(`${url(plural, namespace)}?limit=1`, { headers, dispatcher: agent });
      const { metadata } = (await list.body.json()) as { metadata: { resourceVersion: string } };
      let version = metadata.resourceVersion;
      const follow = async () => {
        const { body } = await request(`${url(plural, namespace)}?watch=true&resourceVersion=${version}`, {
          headers,
          dispatcher: agent,
          signal: abort.signal,
        });
        let rest = '';
        body.setEncoding('utf8');
        body.on('error', () => undefined);
        // The API server closes watches that cannot keep up; nothing is missed by going on where it ended.
        body.on('close', () => void (abort.signal.aborted || follow()));
        body.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const event = JSON.parse(line) as { type: string; object: Alert };
            version = event.object.metadata.resourceVersion ?? version;
            seen(event.type, event.object);
          }
        });
      };
      await follow();
      return () => abort.abort();
    },
    close: () => agent.close(),
  };
}

/** A client of a process that dies: at its n-th write, before or after the API server has taken it, and from then on for good. */
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';

export class ProcessDied extends Error {
  constructor() {
    super('process died');
  }
}

export interface Mortal {
  client: KubeClient;
  /** Resolves at its death. */
  died: Promise<void>;
  dead(): boolean;
  /** Writes begun so far. */
  writes(): number;
}

/** Counts writes of our own kinds; Leases and Events come as they like. */
const OURS = 'funnelai.dev';

export function mortal(client: KubeClient, o: { atWrite: number; when: 'before' | 'after' }): Mortal {
  const { promise: died, resolve } = Promise.withResolvers<void>();
  let writes = 0;
  let dead = false;
  const alive = () => {
    if (dead) throw new ProcessDied();
  };
  async function write<T>(r: Resource, work: () => Promise<T>): Promise<T> {
    alive();
    if (r.group !== OURS) return work();
    writes += 1;
    if (writes < o.atWrite) {
      const answer = await work();
      // The answer came to a process that is no more.
      alive();
      return answer;
    }
    dead = true;
    resolve();
    if (o.when === 'after') await work().catch(() => undefined);
    throw new ProcessDied();
  }
  async function read<T>(work: () => Promise<T>): Promise<T> {
    alive();
    const answer = await work();
    alive();
    return answer;
  }
  return {
    died,
    dead: () => dead,
    writes: () => writes,
    client: {
      server: client.server,
      get: (r, key, options) => read(() => client.get(r, key, options)),
      list: (r, options) => read(() => client.list(r, options)),
      raw: (options) => read(() => client.raw(options)),
      watch: (r, options, signal) => client.watch(r, options, signal),
      create: <T extends KubeObject>(r: Resource, object: T, options?: Parameters<KubeClient['create']>[2]) =>
        write(r, () => client.create<T>(r, object, options)),
      replace: (r, object, options) => write(r, () => client.replace(r, object, options)),
      mergePatch: (r, key, patch, options) => write(r, () => client.mergePatch(r, key, patch, options)),
      jsonPatch: (r, key, ops, options) => write(r, () => client.jsonPatch(r, key, ops, options)),
      apply: (r, object, options) => write(r, () => client.apply(r, object, options)),
      delete: (r, key, options) => write(r, () => client.delete(r, key, options)),
      withToken: (token) => client.withToken(token),
      close: async () => {},
    },
  };
}

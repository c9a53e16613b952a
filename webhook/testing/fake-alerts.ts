/** An API server for Alerts in memory, with its refusals, and ways to make it lose answers: for stories about storing. */
import type { Alert } from '@funnelai/crds/generated/types';
import type { Cache, CacheEvent } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';
import { merged } from './merged.ts';

export type Fault = 'lostAnswer' | 'refusedConnection' | 'invalid' | 'terminating' | 'forbidden';

export class FakeAlerts {
  readonly stored = new Map<string, Alert>();
  readonly calls: string[] = [];
  /** Taken one by one by the next writes. */
  faults: Fault[] = [];
  /** Runs before each write: someone else is quicker. */
  beforeWrite: (() => void) | undefined;
  /** Reads fail, too. */
  isAway = false;
  /** What the cache holds; a copy of `stored` unless a test makes it lag. */
  cached: Map<string, Alert> | undefined;
  isFresh = true;
  #version = 1;
  readonly #listeners = new Set<(e: CacheEvent<Alert>) => unknown>();

  put(alert: Alert): void {
    this.#version += 1;
    const object = { ...alert, metadata: { ...alert.metadata, resourceVersion: String(this.#version) } };
    this.stored.set(alert.metadata.name, object);
    for (const listener of this.#listeners) listener({ type: 'updated', object, initial: false });
  }

  get client(): KubeClient {
    const fake = {
      get: async (_r: unknown, key: { name: string }) => {
        this.calls.push('get');
        if (this.isAway) throw failure(0);
        return this.#held(key.name) ?? refuse(404, 'NotFound');
      },
      create: async (_r: unknown, alert: Alert) =>
        this.#write('create', () => {
          if (this.stored.has(alert.metadata.name)) refuse(409, 'AlreadyExists');
          this.put(alert);
          return alert.metadata.name;
        }),
      mergePatch: async (
        _r: unknown,
        key: { name: string },
        patch: { metadata: { resourceVersion: string; annotations?: object }; spec?: object },
      ) =>
        this.#write('patch', () => {
          const held = this.#held(key.name) ?? refuse(404, 'NotFound');
          if (held.metadata.resourceVersion !== patch.metadata.resourceVersion) refuse(409, 'Conflict');
          const { annotations = {} } = patch.metadata;
          const metadata = { ...held.metadata, annotations: merged(held.metadata.annotations ?? {}, annotations) };
          this.put({ ...held, metadata, spec: merged(held.spec, patch.spec ?? {}) } as Alert);
          return key.name;
        }),
    };
    return fake as unknown as KubeClient;
  }

  get cache(): Cache<Alert> {
    const fake = {
      get: (_namespace: string, name: string) => (this.cached ?? this.stored).get(name),
      fresh: () => this.isFresh,
      observe: () => {},
      subscribe: (fn: (e: CacheEvent<Alert>) => unknown) => {
        this.#listeners.add(fn);
        return () => this.#listeners.delete(fn);
      },
    };
    return fake as unknown as Cache<Alert>;
  }

  #held(name: string): Alert | undefined {
    return this.stored.get(name);
  }

  #write(verb: string, work: () => string): Alert {
    this.calls.push(verb);
    this.beforeWrite?.();
    const fault = this.faults.shift();
    if (this.isAway || fault === 'refusedConnection') throw failure(0);
    if (fault === 'invalid') refuse(422, 'Invalid');
    if (fault === 'terminating') refuse(403, 'Forbidden', 'because it is being terminated');
    if (fault === 'forbidden') refuse(403, 'Forbidden', 'cannot create resource');
    const name = work();
    if (fault === 'lostAnswer') throw failure(0, true);
    return this.#held(name) ?? refuse(404, 'NotFound');
  }
}

function refuse(status: number, reason: string, message = reason): never {
  throw new KubeError({ status, reason, message, transient: reason === 'Conflict' });
}

function failure(status: number, perhapsStored = false): KubeError {
  return new KubeError({ status, reason: 'ConnectionFailed', message: 'no answer', transient: true, perhapsStored });
}

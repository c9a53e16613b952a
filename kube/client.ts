/**
 * The typed client: JSON in and out, a deadline for each call, failures as KubeError. It repeats a call only where that cannot do
 * anything twice. What the objects mean is the caller's.
 */
import type { KubeList, KubeObject, Resource } from '@funnelai/crds/meta';
import { errorOfFailure } from './answers.ts';
import { Caller, type CallerParts, type CallOptions, type Request } from './calls.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Connection } from './config.ts';
import { tokenInstead } from './credentials.ts';
import type { Lane } from './lanes.ts';
import { type Metrics, noMetrics } from './metrics.ts';
import { collectionPath, type ObjectKey, objectPath, query } from './paths.ts';
import { createTransport } from './transport.ts';
import { runWatch, type WatchEvent } from './watch.ts';
import type { WriteBudget } from './write-budget.ts';

export interface GetOptions extends CallOptions {
  subresource?: string | undefined;
}

export interface ListOptions extends CallOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface WriteOptions extends CallOptions {
  dryRun?: boolean | undefined;
  fieldManager?: string | undefined;
  /** Who waits for it, where writes are held back. */
  lane?: Lane | undefined;
}

export interface PatchOptions extends WriteOptions {
  subresource?: 'status' | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Preconditions: a Conflict when the object there is another one, or has changed. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  lane?: Lane | undefined;
}

/** What a deletion came to: the uid of what is gone, or the object as it waits for its finalizers. */
export interface Deleted {
  gone?: string;
  waiting?: KubeObject;
}

export type JsonPatchOp =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

export interface RawOptions extends CallOptions {
  method: string;
  /** As in `/apis/authentication.k8s.io/v1/selfsubjectreviews`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  headers?: Record<string, string> | undefined;
  contentType?: string | undefined;
}

export interface WatchOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Empty, with `sendInitialEvents`: as of now. */
  resourceVersion: string;
  /** First all that is there, as ADDED, then a bookmark for which {@link isListEnd} holds. A server without it answers 400 or 422. */
  sendInitialEvents?: boolean | undefined;
  /** After this the server ends the watch, in good order. */
  timeoutSeconds?: number | undefined;
  /** No byte for this long is an error; 90 s when absent: a bookmark comes every 60 to 75 s. */
  silenceMs?: number | undefined;
  /** The server has accepted the watch. */
  onOpen?: (() => void) | undefined;
}

/** All methods throw KubeError. */
export interface KubeClient {
  readonly server: string;
  get<T extends KubeObject>(r: Resource, key: ObjectKey, o?: GetOptions): Promise<T>;
  list<T extends KubeObject>(r: Resource, o?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(r: Resource, object: T, o?: WriteOptions): Promise<T>;
  replace<T extends KubeObject>(r: Resource, object: T, o?: PatchOptions): Promise<T>;
  mergePatch<T extends KubeObject>(r: Resource, key: ObjectKey, patch: unknown, o?: PatchOptions): Promise<T>;
  jsonPatch<T extends KubeObject>(r: Resource, key: ObjectKey, ops: JsonPatchOp[], o?: PatchOptions): Promise<T>;
  apply<T extends KubeObject>(
    r: Resource,
    object: T,
    o: PatchOptions & { fieldManager: string; force?: boolean | undefined },
  ): Promise<T>;
  delete(r: Resource, key: ObjectKey, o?: DeleteOptions): Promise<Deleted>;
  /** Any path. Answers of any status are returned; only a missing answer throws. JSON bodies are parsed. */
  raw(o: RawOptions): Promise<{ status: number; body: unknown }>;
  /**
   * Events after `resourceVersion`, on a connection of its own. Ends quietly when the server ends it in good order or `signal` aborts;
   * throws KubeError otherwise (ERROR events included: {@link isGone} means list again).
   */
  watch<T extends KubeObject>(r: Resource, o: WatchOptions, signal?: AbortSignal): AsyncIterable<WatchEvent<T>>;
  /** The same server and trust, another person: no client certificate or header of ours, only this bearer token. */
  withToken(token: string): KubeClient;
  /** Ends all connections; those of withToken clients too, for they are the same. */
  close(): Promise<void>;
}

export interface ClientOptions {
  clock?: Clock | undefined;
  /** Most connections for calls (per TLS identity); watches are beside it. */
  poolSize?: number | undefined;
  /** Its part before the slash is the default field manager. */
  userAgent?: string | undefined;
  metrics?: Metrics | undefined;
  /** What holds its writes back; nothing when absent. */
  budget?: WriteBudget | undefined;
}

const DEFAULT_POOL_SIZE = 32;

const CONTENT = {
  merge: 'application/merge-patch+json',
  jsonPatch: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A client for the connection. Opens nothing before the first call. */
export function createKubeClient(connection: Connection, o: ClientOptions = {}): KubeClient {
  const transport = createTransport({
    server: connection.server,
    proxyUrl: connection.proxyUrl,
    poolSize: o.poolSize ?? DEFAULT_POOL_SIZE,
  });
  return new PooledClient({
    server: connection.server,
    transport,
    credentials: connection.credentials,
    clock: o.clock ?? systemClock,
    userAgent: o.userAgent ?? 'funnelai',
    metrics: o.metrics ?? noMetrics(),
    load: { pending: 0 },
    budget: o.budget,
  });
}

class PooledClient implements KubeClient {
  readonly server: string;
  readonly #parts: CallerParts;
  readonly #calls: Caller;

  constructor(parts: CallerParts) {
    this.#parts = parts;
    this.#calls = new Caller(parts);
    this.server = parts.server;
  }

  get<T extends KubeObject>(r: Resource, key: ObjectKey, o: GetOptions = {}): Promise<T> {
    return this.#json<T>(() => ({ ...o, method: 'GET', path: objectPath(r, key, o.subresource) }));
  }

  async list<T extends KubeObject>(r: Resource, o: ListOptions = {}): Promise<KubeList<T>> {
    const { namespace, signal, timeoutMs, ...rest } = o;
    const path = () => collectionPath(r, namespace) + query(rest as Record<string, string | number | undefined>);
    const list = await this.#json<KubeList<T>>(() => ({ signal, timeoutMs, method: 'GET', path: path() }));
    list.items ??= [];
    const apiVersion = r.group === '' ? r.version : `${r.group}/${r.version}`;
    for (const item of list.items) {
      // Lists of built-in kinds leave these out of their items.
      item.apiVersion ??= apiVersion;
      item.kind ??= r.kind;
    }
    return list;
  }

  create<T extends KubeObject>(r: Resource, object: T, o: WriteOptions = {}): Promise<T> {
    return this.#json<T>(() => ({
      ...o,
      method: 'POST',
      path: collectionPath(r, namespaceOf(r, object)) + writeQuery(o),
      body: object,
    }));
  }

  replace<T extends KubeObject>(r: Resource, object: T, o: PatchOptions = {}): Promise<T> {
    return this.#json<T>(() => ({
      ...o,
      method: 'PUT',
      path: objectPath(r, object.metadata, o.subresource) + writeQuery(o),
      body: object,
    }));
  }

  mergePatch<T extends KubeObject>(r: Resource, key: ObjectKey, patch: unknown, o: PatchOptions = {}): Promise<T> {
    return this.#patch<T>(r, key, patch, CONTENT.merge, o);
  }

  jsonPatch<T extends KubeObject>(r: Resource, key: ObjectKey, ops: JsonPatchOp[], o: PatchOptions = {}): Promise<T> {
    return this.#patch<T>(r, key, ops, CONTENT.jsonPatch, o);
  }

  apply<T extends KubeObject>(
    r: Resource,
    object: T,
    o: PatchOptions & { fieldManager: string; force?: boolean | undefined },
  ): Promise<T> {
    const { managedFields: _, ...metadata } = object.metadata;
    return this.#patch<T>(r, object.metadata, { ...object, metadata }, CONTENT.apply, o);
  }

  #patch<T extends KubeObject>(
    r: Resource,
    key: ObjectKey,
    body: unknown,
    contentType: string,
    o: PatchOptions & { force?: boolean | undefined },
  ): Promise<T> {
    return this.#json<T>(() => ({
      ...o,
      method: 'PATCH',
      path: objectPath(r, key, o.subresource) + writeQuery(o),
      body,
      contentType,
    }));
  }

  async delete(r: Resource, key: ObjectKey, o: DeleteOptions = {}): Promise<Deleted> {
    const { uid, resourceVersion, propagationPolicy = 'Background', ...call } = o;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy,
      ...(uid || resourceVersion
        ? { preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) } }
        : {}),
    };
    type Answer = KubeObject & { details?: { uid?: string } };
    const answer = await this.#json<Answer>(() => ({ ...call, method: 'DELETE', path: objectPath(r, key), body }));
    if (answer.kind !== 'Status') return { waiting: answer };
    return answer.details?.uid === undefined ? {} : { gone: answer.details.uid };
  }

  async raw(o: RawOptions): Promise<{ status: number; body: unknown }> {
    const { query: search, ...rest } = o;
    const answer = await this.#calls.call({ ...rest, path: o.path + query(search ?? {}) }, { throwOnStatus: false });
    return { status: answer.status, body: parseMaybe(answer.text) };
  }

  watch<T extends KubeObject>(r: Resource, o: WatchOptions, signal?: AbortSignal): AsyncIterable<WatchEvent<T>> {
    const { namespace, silenceMs, onOpen, ...rest } = o;
    const list = rest.sendInitialEvents ? { resourceVersionMatch: 'NotOlderThan' } : {};
    return runWatch<T>({
      path: () => collectionPath(r, namespace) + query({ ...rest, ...list, watch: 1, allowWatchBookmarks: true }),
      open: (path, stop) => this.#calls.open(path, stop),
      clock: this.#parts.clock,
      silenceMs,
      onOpen,
      signal,
    });
  }

  withToken(token: string): KubeClient {
    return new PooledClient({ ...this.#parts, credentials: tokenInstead(this.#parts.credentials, token) });
  }

  close(): Promise<void> {
    return this.#parts.transport.close();
  }

  /** `make` runs inside the promise, so that a path that cannot be is a rejection like any other. */
  async #json<T>(make: () => Request): Promise<T> {
    const request = make();
    const answer = await this.#calls.call(request, { throwOnStatus: true });
    try {
      return JSON.parse(answer.text) as T;
    } catch (cause) {
      throw errorOfFailure(request, cause, true);
    }
  }
}

function namespaceOf(r: Resource, object: KubeObject): string | undefined {
  if (!r.namespaced) return undefined;
  // An empty one is refused by the path builder, which says so better than the API server does.
  return object.metadata.namespace ?? '';
}

function writeQuery(o: WriteOptions & { force?: boolean | undefined }): string {
  return query({ dryRun: o.dryRun ? 'All' : undefined, fieldManager: o.fieldManager, force: o.force });
}

function parseMaybe(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

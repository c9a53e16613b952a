/**
 * The typed client: JSON in and out, a deadline for each call, failures as KubeError. It repeats a call only where that cannot do
 * anything twice. What the objects mean is the caller's.
 */
import type { KubeList, KubeObject, Resource } from '@funnelai/crds/meta';
import { errorOfAnswer, errorOfFailure, isRead, isStaleConnection, ownError, retryAfterMs } from './answers.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Connection } from './config.ts';
import { type Credentials, staticCredentials } from './credentials.ts';
import { KubeError } from './errors.ts';
import { counter, histogram, type Metrics, noMetrics } from './metrics.ts';
import { collectionPath, type ObjectKey, objectPath, query } from './paths.ts';
import { createTransport, type Exchange, type Transport } from './transport.ts';
import { asKubeError, decodeWatch, type WatchEvent, watchdog } from './watch.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Deadline of the whole call, repeats included; 15 s when absent. */
  timeoutMs?: number | undefined;
}

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
}

export interface PatchOptions extends WriteOptions {
  subresource?: 'status' | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Preconditions: a Conflict when the object there is another one, or has changed. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
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
  resourceVersion: string;
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
  delete(r: Resource, key: ObjectKey, o?: DeleteOptions): Promise<void>;
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
}

const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_POOL_SIZE = 32;
const DEFAULT_SILENCE_MS = 90_000;
/** The server accepts a watch at once, or something is wrong. */
const WATCH_OPEN_MS = 30_000;
/** A page of 500 large objects with managed fields. */
const LARGEST_BODY = 256 * 1024 * 1024;
/** How often one call may be sent in all. */
const MOST_ATTEMPTS = 4;
/** A call waits this long for a server that asks for patience; if it asks for more, the caller hears so. */
const LONGEST_WAIT_MS = 5_000;
/** Calls in flight and waiting for a connection; past it new ones fail at once. */
const MOST_PENDING = 4_096;

const CONTENT = {
  json: 'application/json',
  merge: 'application/merge-patch+json',
  jsonPatch: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface Request extends CallOptions {
  method: string;
  path: string;
  body?: unknown;
  contentType?: string | undefined;
  headers?: Record<string, string> | undefined;
}

interface Answer {
  status: number;
  text: string;
  retryAfter: number | undefined;
}

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
  });
}

interface Parts {
  server: string;
  transport: Transport;
  credentials: Credentials;
  clock: Clock;
  userAgent: string;
  metrics: Metrics;
  /** Shared with the withToken clients. */
  load: { pending: number };
}

class PooledClient implements KubeClient {
  readonly server: string;
  readonly #parts: Parts;
  readonly #requests;
  readonly #seconds;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.server = parts.server;
    this.#requests = counter(parts.metrics, {
      name: 'rest_client_requests_total',
      help: 'Answers of the API server, by code (0: none) and method.',
      labelNames: ['code', 'method'],
    });
    this.#seconds = histogram(parts.metrics, {
      name: 'rest_client_request_duration_seconds',
      help: 'Time of a call, repeats included.',
      labelNames: ['verb'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    });
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

  async delete(r: Resource, key: ObjectKey, o: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagationPolicy = 'Background', ...call } = o;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy,
      ...(uid || resourceVersion
        ? { preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) } }
        : {}),
    };
    await this.#json<unknown>(() => ({ ...call, method: 'DELETE', path: objectPath(r, key), body }));
  }

  async raw(o: RawOptions): Promise<{ status: number; body: unknown }> {
    const { query: search, ...rest } = o;
    const answer = await this.#call({ ...rest, path: o.path + query(search ?? {}) }, { throwOnStatus: false });
    return { status: answer.status, body: parseMaybe(answer.text) };
  }

  async *watch<T extends KubeObject>(
    r: Resource,
    o: WatchOptions,
    signal?: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, silenceMs = DEFAULT_SILENCE_MS, onOpen, ...rest } = o;
    const path = collectionPath(r, namespace) + query({ ...rest, watch: 1, allowWatchBookmarks: true });
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) stop.abort();
    let silent: KubeError | undefined;
    const fall = (reason: string, what: string) => () => {
      silent = ownError({ method: 'GET', path }, reason, what);
      stop.abort();
    };
    let dog = watchdog(this.#parts.clock, WATCH_OPEN_MS, fall('Timeout', `not accepted within ${WATCH_OPEN_MS} ms`));
    let exchange: Exchange | undefined;
    try {
      exchange = await this.#open(path, stop.signal);
      dog.stop();
      dog = watchdog(this.#parts.clock, silenceMs, fall('WatchSilent', `no byte for ${silenceMs} ms`));
      onOpen?.();
      yield* decodeWatch<T>(path, touching(exchange.body, dog.touch));
      if (silent) throw silent;
    } catch (error) {
      if (silent) throw silent;
      if (signal?.aborted) return;
      throw asKubeError(path, error);
    } finally {
      dog.stop();
      signal?.removeEventListener('abort', onAbort);
      stop.abort();
      exchange?.destroy();
    }
  }

  async #open(path: string, signal: AbortSignal): Promise<Exchange> {
    const { credentials, transport, userAgent } = this.#parts;
    const headers = { accept: CONTENT.json, 'user-agent': userAgent };
    for (let attempt = 1; ; attempt++) {
      const identity = await withAbort(credentials.current(), signal);
      const exchange = await transport.stream(identity, { method: 'GET', path, headers, signal });
      this.#requests.inc({ code: String(exchange.status), method: 'WATCH' });
      if (exchange.status === 200) return exchange;
      try {
        const text = await readAll(exchange, 1024 * 1024);
        const error = errorOfAnswer({ method: 'GET', path }, exchange.status, text, this.#retryAfter(exchange));
        if (exchange.status !== 401 || attempt > 1 || !(await credentials.refresh())) throw error;
      } finally {
        exchange.destroy();
      }
    }
  }

  withToken(token: string): KubeClient {
    const { credentials } = this.#parts;
    const own: Credentials = {
      async current() {
        const { tls } = await credentials.current();
        const { cert: _cert, key: _key, passphrase: _passphrase, ...trust } = tls;
        return { headers: { authorization: `Bearer ${token}` }, tls: trust };
      },
      refresh: async () => false,
    };
    if (!/^[\x21-\x7e]+$/.test(token)) {
      // Never sent: what cannot stand in a header is no token, and the server's answer to it is known.
      own.current = async () => {
        throw new KubeError({ status: 401, reason: 'Unauthorized', transient: false, message: 'not a bearer token' });
      };
    }
    return new PooledClient({ ...this.#parts, credentials: own });
  }

  close(): Promise<void> {
    return this.#parts.transport.close();
  }

  /** `make` runs inside the promise, so that a path that cannot be is a rejection like any other. */
  async #json<T>(make: () => Request): Promise<T> {
    const request = make();
    const answer = await this.#call(request, { throwOnStatus: true });
    try {
      return JSON.parse(answer.text) as T;
    } catch (cause) {
      throw errorOfFailure(request, cause, true);
    }
  }

  async #call(request: Request, o: { throwOnStatus: boolean }): Promise<Answer> {
    const { clock, load } = this.#parts;
    if (load.pending >= MOST_PENDING) {
      throw ownError(request, 'TooManyPending', `${MOST_PENDING} calls are waiting already`, { sent: false });
    }
    load.pending++;
    const started = clock.monotonicMs();
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const stop = new AbortController();
    let late = false;
    const cancel = clock.after(timeoutMs, () => {
      late = true;
      stop.abort();
    });
    const onAbort = () => stop.abort();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    if (request.signal?.aborted) stop.abort();
    const progress = { sent: false };
    try {
      return await this.#attempts(request, o, stop.signal, () => timeoutMs - (clock.monotonicMs() - started), progress);
    } catch (error) {
      if (error instanceof KubeError && error.reason !== 'ConnectionFailed') throw error;
      if (late) {
        throw ownError(request, 'Timeout', `no answer within ${timeoutMs} ms`, { sent: progress.sent, cause: error });
      }
      if (request.signal?.aborted) {
        throw ownError(request, 'Aborted', 'given up by the caller', { sent: progress.sent, cause: error });
      }
      throw error instanceof KubeError ? error : errorOfFailure(request, error, false);
    } finally {
      cancel();
      request.signal?.removeEventListener('abort', onAbort);
      load.pending--;
      this.#seconds.observe({ verb: request.method }, (clock.monotonicMs() - started) / 1000);
    }
  }

  /** Repeats where it is safe: the server certainly refused (429, 503 with Retry-After, 401 with older credentials), or a read met a dead connection. */
  async #attempts(
    request: Request,
    o: { throwOnStatus: boolean },
    signal: AbortSignal,
    leftMs: () => number,
    progress: { sent: boolean },
  ): Promise<Answer> {
    const { clock, credentials } = this.#parts;
    let refreshed = false;
    for (let attempt = 1; ; attempt++) {
      let answer: Answer;
      try {
        answer = await this.#once(request, signal, progress);
      } catch (error) {
        if (attempt === 1 && isRead(request.method) && isStaleConnection(error) && !signal.aborted) continue;
        throw error;
      }
      if (answer.status >= 200 && answer.status < 300) return answer;
      const error = errorOfAnswer(request, answer.status, answer.text, answer.retryAfter);
      if (answer.status === 401 && !refreshed && (await withAbort(credentials.refresh(), signal))) {
        refreshed = true;
        continue;
      }
      const wait = answer.status === 429 || answer.status === 503 ? error.retryAfterMs : undefined;
      if (wait !== undefined && attempt < MOST_ATTEMPTS && wait <= LONGEST_WAIT_MS && wait < leftMs()) {
        // Nothing is on its way while we wait.
        progress.sent = false;
        await clock.sleep(wait, signal);
        continue;
      }
      if (o.throwOnStatus) throw error;
      return answer;
    }
  }

  async #once(request: Request, signal: AbortSignal, progress: { sent: boolean }): Promise<Answer> {
    const { credentials, transport, userAgent } = this.#parts;
    const identity = await withAbort(credentials.current(), signal);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: Record<string, string> = { accept: CONTENT.json, 'user-agent': userAgent, ...request.headers };
    if (body !== undefined) headers['content-type'] = request.contentType ?? CONTENT.json;
    let exchange: Exchange;
    progress.sent = true;
    try {
      exchange = await transport.call(identity, { method: request.method, path: request.path, headers, body, signal });
    } catch (error) {
      this.#requests.inc({ code: '0', method: request.method });
      throw errorOfFailure(request, error, false);
    }
    this.#requests.inc({ code: String(exchange.status), method: request.method });
    try {
      return {
        status: exchange.status,
        text: await readAll(exchange, LARGEST_BODY),
        retryAfter: this.#retryAfter(exchange),
      };
    } catch (error) {
      exchange.destroy();
      throw errorOfFailure(request, error, true);
    }
  }

  #retryAfter(exchange: Exchange): number | undefined {
    return retryAfterMs(exchange.headers['retry-after'], this.#parts.clock.now().epochMilliseconds);
  }
}

/** Credentials for tests and tools that hold a token already. */
export function tokenConnection(server: string, token: string, insecure = false): Connection {
  return {
    server,
    context: 'token',
    namespace: 'default',
    credentials: staticCredentials({
      headers: { authorization: `Bearer ${token}` },
      tls: { rejectUnauthorized: !insecure },
    }),
  };
}

function namespaceOf(r: Resource, object: KubeObject): string | undefined {
  if (!r.namespaced) return undefined;
  // An empty one is refused by the path builder, which says so better than the API server does.
  return object.metadata.namespace ?? '';
}

function writeQuery(o: WriteOptions & { force?: boolean | undefined }): string {
  return query({ dryRun: o.dryRun ? 'All' : undefined, fieldManager: o.fieldManager, force: o.force });
}

async function readAll(exchange: Exchange, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.body) {
    size += chunk.length;
    if (size > limit) throw new Error(`the body is longer than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function* touching(body: AsyncIterable<Buffer>, touch: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    touch();
    yield chunk;
  }
}

/** The promise, or a rejection when the signal aborts first: for work that takes no signal. */
function withAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(new Error('aborted'));
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function parseMaybe(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

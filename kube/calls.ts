/**
 * One call to the API server: credentials, deadline, repeats where repeating is safe, and a failure judged. Knows nothing of objects; the
 * client above it does.
 */
import {
  errorOfAnswer,
  errorOfFailure,
  isDistrusted,
  isRead,
  isStaleConnection,
  ownError,
  retryAfterMs,
} from './answers.ts';
import type { Outcome } from './budget.ts';
import type { Clock } from './clock.ts';
import type { Credentials, Identity } from './credentials.ts';
import { KubeError } from './errors.ts';
import type { Lane } from './lanes.ts';
import { counter, histogram, type Metrics } from './metrics.ts';
import type { Exchange, Transport } from './transport.ts';
import type { WriteBudget } from './write-budget.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Deadline of the whole call, repeats included; 15 s when absent. */
  timeoutMs?: number | undefined;
}

export interface Request extends CallOptions {
  method: string;
  path: string;
  body?: unknown;
  contentType?: string | undefined;
  headers?: Record<string, string> | undefined;
  /** Of a write, where writes are held back: who waits for it; `news` when absent. */
  lane?: Lane | undefined;
}

export interface Answer {
  status: number;
  text: string;
  retryAfter: number | undefined;
}

interface Progress {
  /** A write may be on its way. */
  sent: boolean;
  /** Whom was asked last, where its address is not fixed. */
  server: string | undefined;
}

export interface CallerParts {
  server: string;
  transport: Transport;
  credentials: Credentials;
  clock: Clock;
  userAgent: string;
  metrics: Metrics;
  /** Shared by all callers of one pool. */
  load: { pending: number };
  /** What holds writes back; nothing when absent. */
  budget?: WriteBudget | undefined;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** A page of 500 large objects with managed fields. */
const LARGEST_BODY = 256 * 1024 * 1024;
const LARGEST_ERROR_BODY = 1024 * 1024;
/** How often one call may be sent in all. */
const MOST_ATTEMPTS = 4;
/** A call waits this long for a server that asks for patience; if it asks for more, the caller hears so. */
const LONGEST_WAIT_MS = 5_000;
/** Calls in flight and waiting for a connection; past it new ones fail at once. */
const MOST_PENDING = 4_096;
const JSON_TYPE = 'application/json';

export class Caller {
  readonly #parts: CallerParts;
  readonly #requests;
  readonly #seconds;

  constructor(parts: CallerParts) {
    this.#parts = parts;
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

  /** The answer; of any status unless `throwOnStatus`. Throws KubeError. */
  async call(request: Request, o: { throwOnStatus: boolean }): Promise<Answer> {
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
    const progress: Progress = { sent: false, server: undefined };
    try {
      return await this.#attempts(request, o, stop.signal, () => timeoutMs - (clock.monotonicMs() - started), progress);
    } catch (error) {
      if (error instanceof KubeError && error.reason !== 'ConnectionFailed') throw error;
      if (late) {
        // Whoever comes next shall find it, if it is elsewhere.
        void this.#parts.credentials.movedFrom(progress.server);
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

  /**
   * Repeats where it is safe: the server certainly refused (429, 503 with Retry-After, 401 with older credentials, a certificate that an
   * older authority signed), a read met a dead connection, or nobody was there and the configuration names another address by now.
   */
  async #attempts(
    request: Request,
    o: { throwOnStatus: boolean },
    signal: AbortSignal,
    leftMs: () => number,
    progress: Progress,
  ): Promise<Answer> {
    const { clock, credentials } = this.#parts;
    let refreshed = false;
    for (let attempt = 1; ; attempt++) {
      let answer: Answer;
      try {
        answer = await this.#once(request, signal, progress);
      } catch (error) {
        if (attempt === 1 && isRead(request.method) && isStaleConnection(error) && !signal.aborted) continue;
        // Nothing was sent: the handshake came first.
        if (isDistrusted(error) && !refreshed && (await withAbort(credentials.refresh(), signal))) {
          refreshed = true;
          continue;
        }
        const isElsewhere = await withAbort(credentials.movedFrom(progress.server), signal);
        if (!isElsewhere || attempt >= MOST_ATTEMPTS || (error instanceof KubeError && error.perhapsStored))
          throw error;
        continue;
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

  async #once(request: Request, signal: AbortSignal, progress: Progress): Promise<Answer> {
    const { credentials, userAgent } = this.#parts;
    const identity = await withAbort(credentials.current(), signal);
    progress.server = identity.server;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: Record<string, string> = { accept: JSON_TYPE, 'user-agent': userAgent, ...request.headers };
    if (body !== undefined) headers['content-type'] = request.contentType ?? JSON_TYPE;
    const ticket = isRead(request.method) ? undefined : await this.#parts.budget?.enter(request.lane ?? 'news', signal);
    let outcome: Outcome = { kind: 'failed' };
    try {
      progress.sent = true;
      const answer = await this.#exchange(request, { identity, headers, body, signal });
      outcome = outcomeOf(answer);
      return answer;
    } finally {
      ticket?.leave(outcome);
    }
  }

  async #exchange(
    request: Request,
    o: { identity: Identity; headers: Record<string, string>; body: string | undefined; signal: AbortSignal },
  ): Promise<Answer> {
    const { identity, ...send } = o;
    const { method, path } = request;
    let exchange: Exchange;
    try {
      exchange = await this.#parts.transport.call(identity, { method, path, ...send });
    } catch (error) {
      this.#requests.inc({ code: '0', method });
      throw errorOfFailure(request, error, false);
    }
    this.#requests.inc({ code: String(exchange.status), method });
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

  /** An accepted watch, on a connection of its own. Throws KubeError for an answer other than 200; other errors as they come. */
  async open(path: string, signal: AbortSignal): Promise<Exchange> {
    const { credentials, transport, userAgent } = this.#parts;
    const headers = { accept: JSON_TYPE, 'user-agent': userAgent };
    for (let attempt = 1; ; attempt++) {
      const identity = await withAbort(credentials.current(), signal);
      let exchange: Exchange;
      try {
        exchange = await transport.stream(identity, { method: 'GET', path, headers, signal });
      } catch (error) {
        if (attempt > 1) throw error;
        const isNews = isDistrusted(error) ? credentials.refresh() : credentials.movedFrom(identity.server);
        if (signal.aborted || !(await isNews)) throw error;
        continue;
      }
      this.#requests.inc({ code: String(exchange.status), method: 'WATCH' });
      if (exchange.status === 200) return exchange;
      try {
        const text = await readAll(exchange, LARGEST_ERROR_BODY);
        const error = errorOfAnswer({ method: 'GET', path }, exchange.status, text, this.#retryAfter(exchange));
        if (exchange.status !== 401 || attempt > 1 || !(await credentials.refresh())) throw error;
      } finally {
        exchange.destroy();
      }
    }
  }
}

/** What an answer says of how the server bears our writes. Conflicts and refusals of content say nothing. */
function outcomeOf({ status, retryAfter }: Answer): Outcome {
  if (status === 429) return { kind: 'refused', retryAfterMs: retryAfter };
  return status >= 500 ? { kind: 'failed' } : { kind: 'answered' };
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

/** The promise, or a rejection when the signal aborts first: for work that takes no signal. */
function withAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(new Error('aborted'));
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** One watch, from its opening to its end: lines however they were cut, ERROR events as KubeError, silence as an error. Resuming is the reflector's. */
import type { KubeObject } from '@funnelai/crds/meta';
import { errorOfEvent, ownError } from './answers.ts';
import type { Clock } from './clock.ts';
import { KubeError } from './errors.ts';
import type { Exchange } from './transport.ts';

export interface WatchEvent<T extends KubeObject = KubeObject> {
  /** A BOOKMARK's object holds nothing but the resourceVersion up to which all was sent. */
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

const LIST_END = 'k8s.io/initial-events-end';

/** True for the bookmark that ends the list of a watch opened with `sendInitialEvents`. */
export const isListEnd = ({ type, object }: WatchEvent): boolean =>
  type === 'BOOKMARK' && object.metadata.annotations?.[LIST_END] === 'true';

/** Above etcd's limit for one object, escaped and with managed fields. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** No byte for this long is an error: a bookmark comes every 60 to 75 s. */
const DEFAULT_SILENCE_MS = 90_000;
/** The server accepts a watch at once, or something is wrong. */
const OPEN_MS = 30_000;

export interface WatchRun {
  /** Throws KubeError when it cannot be a path. */
  path: () => string;
  open(path: string, stop: AbortSignal): Promise<Exchange>;
  clock: Clock;
  silenceMs?: number | undefined;
  /** The server has accepted the watch. */
  onOpen?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Its events, until the server ends it in good order or `signal` aborts. Throws KubeError otherwise. */
export async function* runWatch<T extends KubeObject>(o: WatchRun): AsyncGenerator<WatchEvent<T>> {
  const { clock, silenceMs = DEFAULT_SILENCE_MS, signal } = o;
  const path = o.path();
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) stop.abort();
  let silent: KubeError | undefined;
  const fall = (reason: string, what: string) => () => {
    silent = ownError({ method: 'GET', path }, reason, what);
    stop.abort();
  };
  let dog = watchdog(clock, OPEN_MS, fall('Timeout', `not accepted within ${OPEN_MS} ms`));
  let exchange: Exchange | undefined;
  try {
    exchange = await o.open(path, stop.signal);
    dog.stop();
    dog = watchdog(clock, silenceMs, fall('WatchSilent', `no byte for ${silenceMs} ms`));
    o.onOpen?.();
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

async function* touching(body: AsyncIterable<Buffer>, touch: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    touch();
    yield chunk;
  }
}

/** Splits a byte stream into lines; a character cut in two by a chunk's end comes out whole. Throws RangeError past `longest`. */
async function* lines(chunks: AsyncIterable<Buffer>, longest = LONGEST_LINE): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      const line = parts.length === 1 && parts[0] ? parts[0].toString('utf8') : Buffer.concat(parts).toString('utf8');
      parts = [];
      held = 0;
      from = at + 1;
      if (line.trim() !== '') yield line;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      held += chunk.length - from;
      if (held > longest) throw new RangeError(`a line of the watch is longer than ${longest} bytes`);
    }
  }
  if (held > 0) throw new RangeError(`the watch broke off within a line, after ${held} bytes of it`);
}

/** Parses the lines of a watch. Throws KubeError on an ERROR event and on a line that is none. */
async function* decodeWatch<T extends KubeObject>(
  path: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<WatchEvent<T>> {
  const asked = { method: 'GET', path };
  try {
    for await (const line of lines(chunks)) {
      const event = parse(line) as WatchEvent<T> | { type: 'ERROR'; object: unknown } | undefined;
      if (event?.type === 'ERROR') throw errorOfEvent(asked, event.object);
      if (!event || typeof event.object?.metadata?.resourceVersion !== 'string' || !TYPES.has(event.type)) {
        throw ownError(asked, 'WatchGarbled', `expected a watch event, found ${JSON.stringify(line.slice(0, 120))}`);
      }
      yield event;
    }
  } catch (error) {
    if (error instanceof RangeError) throw ownError(asked, 'WatchGarbled', error.message, { cause: error });
    throw error;
  }
}

const TYPES = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function parse(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return value !== null && typeof value === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Calls `onSilence` when `touch` was not called for `ms`. */
function watchdog(clock: Clock, ms: number, onSilence: () => void): { touch(): void; stop(): void } {
  let last = clock.monotonicMs();
  let cancel = () => {};
  const arm = (left: number) => {
    cancel = clock.after(left, () => {
      const rest = last + ms - clock.monotonicMs();
      if (rest > 0) arm(rest);
      else onSilence();
    });
  };
  arm(ms);
  return {
    touch: () => {
      last = clock.monotonicMs();
    },
    stop: () => cancel(),
  };
}

/** Narrowing for callers that treat all failures of a watch alike. */
const asKubeError = (path: string, error: unknown): KubeError =>
  error instanceof KubeError
    ? error
    : ownError({ method: 'GET', path }, 'ConnectionFailed', String((error as Error)?.message ?? error), {
        cause: error,
      });

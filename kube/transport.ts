/**
 * Bytes to and from one API server, wherever it is by now: one bounded keep-alive pool for calls, a connection of its own for each watch. Knows TLS and
 * proxies; leaves meaning (Status, JSON, retries, deadlines) to the client. HTTP/1.1 only: with HTTP/2 all watches and calls would
 * share the fate of a single half-open connection.
 */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Identity, TlsMaterial } from './credentials.ts';

/** Idle connections go before the API server closes them (after 90 s), which could cut a request just sent. */
const KEEP_ALIVE_MS = 45_000;
/** TCP keep-alive probes start after this: finds dead peers under a quiet watch, and keeps NAT entries alive. */
const PROBE_AFTER_MS = 15_000;
/** TCP and TLS handshake together. */
const CONNECT_TIMEOUT_MS = 5_000;
/** TLS identities in use at once: ours and people's, before and after a rotation. */
const MOST_POOLS = 4;

export interface Exchange {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: AsyncIterable<Buffer>;
  /** Gives the connection up; for what is not read to its end. */
  destroy(): void;
}

export interface SendOptions {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  signal: AbortSignal;
}

export interface Transport {
  call(identity: Identity, o: SendOptions): Promise<Exchange>;
  /** As call, on a new connection that ends with the exchange. */
  stream(identity: Identity, o: SendOptions): Promise<Exchange>;
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Base URL, where an identity names none. */
  server: string;
  proxyUrl?: string | undefined;
  poolSize: number;
}

/** Nothing is opened before the first call. */
export function createTransport({ server, proxyUrl, poolSize }: TransportOptions): Transport {
  const pools = new Map<string, Dispatcher>();
  const ids = new WeakMap<TlsMaterial, string>();
  const streams = new Set<Dispatcher>();

  const make = (tls: TlsMaterial, connections: number): Dispatcher => {
    const tcp = { keepAlive: true, keepAliveInitialDelay: PROBE_AFTER_MS, timeout: CONNECT_TIMEOUT_MS };
    const common = {
      connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // Deadlines are the caller's, on its clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    if (proxyUrl) return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: { ...tls, ...tcp } });
    return new Agent({ ...common, connect: { ...tls, ...tcp } });
  };
  /** One pool per TLS identity: callers without a client certificate may not ride on a connection that has one. */
  const poolFor = (tls: TlsMaterial): Dispatcher => {
    let id = ids.get(tls);
    if (id === undefined) {
      id = JSON.stringify(tls);
      ids.set(tls, id);
    }
    let pool = pools.get(id);
    if (!pool) {
      pool = make(tls, poolSize);
      pools.set(id, pool);
      retire();
    }
    return pool;
  };
  /** A certificate that was replaced leaves its pool behind: calls on it end, then it goes. */
  const retire = () => {
    for (const [id, old] of pools) {
      if (pools.size <= MOST_POOLS) return;
      pools.delete(id);
      old.close().catch(() => {});
    }
  };
  const send = async (dispatcher: Dispatcher, identity: Identity, o: SendOptions): Promise<Exchange> => {
    const { origin, pathname } = new URL(identity.server ?? server);
    const request = dispatcher.request({
      origin,
      path: pathname.replace(/\/$/, '') + o.path,
      method: o.method as Dispatcher.HttpMethod,
      headers: { ...o.headers, ...identity.headers },
      ...(o.body === undefined ? {} : { body: o.body }),
      signal: o.signal,
    });
    const { statusCode, headers, body } = await orAborted(request, o.signal);
    // An abort after the last read would otherwise surface as an uncaught 'error' event.
    body.on('error', () => {});
    return { status: statusCode, headers, body, destroy: () => body.destroy() };
  };
  return {
    call: (identity, o) => send(poolFor(identity.tls), identity, o),
    async stream(identity, o) {
      const own = make(identity.tls, 1);
      streams.add(own);
      const drop = () => {
        streams.delete(own);
        own.destroy().catch(() => {});
      };
      try {
        const exchange = await send(own, identity, o);
        return { ...exchange, destroy: drop };
      } catch (error) {
        drop();
        throw error;
      }
    },
    async close() {
      const all = [...pools.values(), ...streams];
      pools.clear();
      streams.clear();
      await Promise.all(all.map((d) => d.destroy().catch(() => {})));
    },
  };
}

/**
 * The dispatcher hears of an abort only once it has a connection: a server that hangs, or a full pool, would hold up whoever has given
 * up. What it still gets then is dropped before anything is sent.
 */
async function orAborted(
  request: Promise<Dispatcher.ResponseData>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const giveUp = () => {
    request.then(
      ({ body }) => body.on('error', () => {}).destroy(),
      () => {},
    );
    reject(signal.reason);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([request, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

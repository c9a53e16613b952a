/**
 * An API server that misbehaves on command: the test says how each request is answered, byte by byte if need be. It knows nothing of
 * objects beyond builders for what it sends.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeObject, Resource } from '@funnelai/crds/meta';
import type { Connection } from '../config.ts';
import { type Credentials, staticCredentials } from '../credentials.ts';

export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  isWatch: boolean;
  /** A watch that asks for a list as its beginning. */
  isStreamedList: boolean;
  socket: Socket;
  /** False once the client has gone. */
  open: boolean;
}

export interface Reply {
  json(status: number, body: unknown, headers?: Record<string, string>): void;
  /** Headers of an accepted watch. */
  accept(): void;
  /** A whole event, with its newline. */
  line(event: unknown): void;
  /** Whatever bytes; as one chunk. */
  bytes(data: string | Buffer): void;
  /** Ends in good order. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

export type Handler = (seen: Seen, reply: Reply) => void | Promise<void>;

export interface ScriptedServer {
  readonly url: string;
  /** All requests, in order. */
  readonly seen: Seen[];
  readonly watches: Seen[];
  readonly lists: Seen[];
  /** Connections ever opened, and open now. */
  readonly connections: { total: number; open: number };
  connection(credentials?: Credentials): Connection;
  /** How the next requests are answered. */
  /** Answers whoever asks for a list of one, to see which version it is now, with this one; they are not among the requests seen. */
  standAt(version: string | undefined): void;
  answer(handler: Handler): void;
  /** From now on shows this certificate; connections that are open break. */
  present(certificate: { key: string; cert: string }): void;
  /** Streams of accepted watches that are open, oldest first. */
  readonly streams: Reply[];
  close(): Promise<void>;
}

/** Starts on loopback, at a free port; refuses all with 404 until told otherwise. */
export async function startScriptedServer(tls?: ServerOptions): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const streams: Reply[] = [];
  const sockets = new Set<Socket>();
  const connections = { total: 0, open: 0 };
  let ground: string | undefined;
  let handler: Handler = (_, reply) => reply.json(404, status(404, 'NotFound', 'nothing is scripted'));

  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://scripted');
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const entry: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(parts).toString('utf8'),
      isWatch: url.searchParams.get('watch') === '1' && !url.searchParams.has('sendInitialEvents'),
      isStreamedList: url.searchParams.has('sendInitialEvents'),
      open: true,
      socket: request.socket,
    };
    const reply: Reply = {
      json(code, body, headers = {}) {
        response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      },
      accept() {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.flushHeaders();
        streams.push(reply);
      },
      line: (event) => void response.write(`${JSON.stringify(event)}\n`),
      bytes: (data) => void response.write(data),
      end: () => void response.end(),
      cut: () => void response.destroy(),
    };
    response.on('close', () => {
      entry.open = false;
      const at = streams.indexOf(reply);
      if (at >= 0) streams.splice(at, 1);
    });
    if (ground !== undefined && entry.query.get('limit') === '1') {
      reply.json(200, aList([], ground));
      return;
    }
    seen.push(entry);
    await handler(entry, reply);
  };
  const server: Server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    connections.total++;
    connections.open++;
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      connections.open--;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    connections,
    streams,
    get watches() {
      return seen.filter((s) => s.isWatch);
    },
    get lists() {
      return seen.filter((s) => !s.isWatch && !s.isStreamedList && s.method === 'GET');
    },
    connection: (credentials = staticCredentials()) => ({
      server: url,
      context: 'scripted',
      namespace: 'default',
      credentials,
    }),
    answer(next) {
      handler = next;
    },
    standAt(version) {
      ground = version;
    },
    present(certificate) {
      if (!(server instanceof TlsServer)) throw new Error('expected a server with TLS');
      server.setSecureContext(certificate);
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers in turn; the last one for all the rest. */
export function inTurn(...handlers: [Handler, ...Handler[]]): Handler {
  let next = 0;
  return (seen, reply) => handlers[Math.min(next++, handlers.length - 1)]?.(seen, reply);
}

/** Lists by one handler, watches by another; streamed lists are refused unless there is a handler for them. */
export function listsAndWatches(list: Handler, watch: Handler, streamed: Handler = doesNotStream): Handler {
  return (seen, reply) => (seen.isStreamedList ? streamed : seen.isWatch ? watch : list)(seen, reply);
}

/** As an API server whose gate WatchList is off. */
export const doesNotStream: Handler = (_, reply) =>
  reply.json(
    422,
    status(
      422,
      'Invalid',
      'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    ),
  );

/** Accepts the watch and leaves it to the test, by `server.streams`. */
export const acceptWatch: Handler = (_, reply) => reply.accept();

export const CONFIG_MAPS: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** A ConfigMap as a server would have stored it. */
export function aConfigMap(
  o: { name?: string; rv?: string; uid?: string; data?: Record<string, string>; namespace?: string } = {},
): ConfigMap {
  const { name = 'a', rv = '1', namespace = 'default' } = o;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, uid: o.uid ?? `uid-${name}`, resourceVersion: rv },
    ...(o.data ? { data: o.data } : {}),
  };
}

export function aList(items: KubeObject[], resourceVersion: string, next?: string): unknown {
  return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion, ...(next ? { continue: next } : {}) }, items };
}

export const answerList =
  (items: KubeObject[], resourceVersion: string): Handler =>
  (_, reply) =>
    reply.json(200, aList(items, resourceVersion));

export function event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): unknown {
  return { type, object };
}

/** The bookmark that ends a streamed list. */
export function listEnd(resourceVersion: string): unknown {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  return {
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion, annotations } },
  };
}

export function bookmark(resourceVersion: string): unknown {
  return { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion } } };
}

/** A Status as the API server sends it. */
export function status(code: number, reason: string, message: string, details?: unknown): unknown {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message,
    ...(details ? { details } : {}),
  };
}

export function errorEvent(code: number, reason: string, message: string): unknown {
  return { type: 'ERROR', object: status(code, reason, message) };
}

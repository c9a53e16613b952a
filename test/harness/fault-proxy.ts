/**
 * A proxy in front of the API server that understands requests and watches, so that a test can answer, cut, hold or garble just the ones
 * that it means. It ends TLS with a certificate of its own; whom a request is from (its bearer token) goes through. For faults of whole
 * connections see tcp-proxy.ts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, loadConnection } from '@funnelai/kube/config';
import { selfSigned } from '@funnelai/kube/testing/certificates';
import { parse, stringify } from 'yaml';
import { createLiveWatch, type LiveWatch } from './live-watch.ts';

export interface Asked {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  /** Streamed lists included. */
  isWatch: boolean;
  userAgent: string;
}

export type Match = (asked: Asked) => boolean;

/** One of these, for each request that matches. */
export type Fault =
  /** Answered here; the API server never hears of it. A string is sent as it is, anything else as JSON. */
  | { answer: { status: number; body?: unknown; headers?: Record<string, string> } }
  /** Taken and never answered; the API server never hears of it. */
  | { hang: true }
  /** The connection breaks: before the API server hears of it, or after it has answered, so that a write is stored and nobody knows. */
  | { cut: 'before' | 'after' }
  /** Passed on and done; the answer never comes, and the connection stays open. */
  | { swallow: true }
  /** Passed on after so long. */
  | { delayMs: number }
  /** The answer's body breaks off after so many bytes. */
  | { truncateAfter: number }
  /** The answer's body comes in pieces of so many bytes. */
  | { split: number };

export interface FaultHandle {
  /** How many requests it has hit. */
  readonly hits: number;
  /** Of those that were passed on, how many the API server has answered, whoever got to hear it. */
  readonly answered: number;
  clear(): void;
}

interface Rule {
  match: Match;
  fault: Fault;
  left: number;
  hits: number;
  answered: number;
}

export interface FaultProxy {
  readonly url: string;
  /** Path of a kubeconfig with the same contexts, by way of the proxy. */
  readonly kubeconfig: string;
  /** The same for a client in this process. */
  connection(context?: string): Promise<Connection>;
  /** From now on requests for which `match` holds fail so, at most `times` of them. The newest fault that matches counts. */
  fault(match: Match, fault: Fault, o?: { times?: number }): FaultHandle;
  /** All requests, in order. */
  readonly seen: Asked[];
  /** Watches that are open now, of the resource with that plural. */
  watches(plural: string): LiveWatch[];
  /** Ends all faults; what is muted stays so until its watch is opened anew. */
  heal(): void;
  /** Breaks every connection. */
  cut(): void;
  stop(): Promise<void>;
}

/** A body as the API server words a refusal. */
export function refusal(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
}

/** Requests for a resource, by plural: `matching('incidents', { method: 'PUT' })`. */
export function matching(plural: string, o: { method?: string; watch?: boolean } = {}): Match {
  return ({ method, path, isWatch }) =>
    path.split('/').includes(plural) &&
    (o.method === undefined || o.method === method) &&
    (o.watch === undefined || o.watch === isWatch);
}

/** Listens on loopback at a free port, in front of the API server that the kubeconfig names. */
export async function startFaultProxy(kubeconfig: string): Promise<FaultProxy> {
  const upstream = await loadConnection({ kubeconfigPath: kubeconfig });
  const { tls } = await upstream.credentials.current();
  const agent = new HttpsAgent({ keepAlive: true, ...(tls.ca === undefined ? {} : { ca: tls.ca }) });
  const own = selfSigned('localhost');
  const rules: Rule[] = [];
  const seen: Asked[] = [];
  const sockets = new Set<Socket>();
  const watches = new Set<LiveWatch>();

  const server = createServer({ key: own.key, cert: own.cert }, (request, response) => {
    const asked = askedOf(request);
    seen.push(asked);
    // What a test does to an answer under way fails whoever is writing it, not the test.
    response.on('error', () => {});
    const rule = rules.findLast(({ match, left }) => left > 0 && match(asked));
    if (rule) {
      rule.left--;
      rule.hits++;
    }
    handle(request, response, asked, rule);
  });
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });

  function handle(request: IncomingMessage, response: ServerResponse, asked: Asked, rule: Rule | undefined): void {
    const fault = rule?.fault;
    if (fault && 'answer' in fault) {
      const { status, body, headers } = fault.answer;
      request.resume();
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(typeof body === 'string' ? body : JSON.stringify(body ?? refusal(status, 'Fault', 'a fault of the test')));
    } else if (fault && 'hang' in fault) request.resume();
    else if (fault && 'cut' in fault && fault.cut === 'before') request.socket.destroy();
    else if (fault && 'delayMs' in fault) setTimeout(() => forward(request, response, asked, undefined), fault.delayMs);
    else forward(request, response, asked, rule);
  }

  function forward(request: IncomingMessage, response: ServerResponse, asked: Asked, rule: Rule | undefined): void {
    const fault = rule?.fault;
    const outgoing = httpsRequest(
      upstream.server + (request.url ?? ''),
      { method: asked.method, headers: request.headers, agent },
      (incoming) => {
        incoming.on('end', () => {
          if (rule) rule.answered++;
        });
        if (fault && ('cut' in fault || 'swallow' in fault)) {
          incoming.resume();
          if ('cut' in fault) incoming.on('end', () => request.socket.destroy());
          return;
        }
        response.writeHead(incoming.statusCode ?? 502, incoming.headers);
        response.flushHeaders();
        if (asked.isWatch && incoming.statusCode === 200) carryWatch(incoming, response, asked, fault);
        else carry(incoming, response, fault);
        incoming.on('error', () => response.destroy());
      },
    );
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    request.pipe(outgoing);
  }

  function carryWatch(
    incoming: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
    fault: Fault | undefined,
  ): void {
    const watch = createLiveWatch(asked.path, response);
    watches.add(watch);
    response.on('close', () => watches.delete(watch));
    if (fault) {
      carry(incoming, response, fault);
      return;
    }
    incoming.on('data', (bytes: Buffer) => watch.pass(bytes));
    incoming.on('end', () => response.end());
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = mkdtempSync(join(tmpdir(), 'funnelai-fault-proxy-'));
  const path = join(directory, 'kubeconfig');
  writeFileSync(path, rerouted(readFileSync(kubeconfig, 'utf8'), url, own.cert), { mode: 0o600 });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url,
    kubeconfig: path,
    seen,
    connection: (context) => loadConnection({ kubeconfigPath: path, ...(context === undefined ? {} : { context }) }),
    fault(match, fault, { times = Number.POSITIVE_INFINITY } = {}) {
      const rule: Rule = { match, fault, left: times, hits: 0, answered: 0 };
      rules.push(rule);
      return {
        get hits() {
          return rule.hits;
        },
        get answered() {
          return rule.answered;
        },
        clear: () => {
          rule.left = 0;
        },
      };
    },
    watches: (plural) => [...watches].filter((watch) => watch.path.split('/').includes(plural)),
    heal() {
      rules.length = 0;
    },
    cut,
    async stop() {
      cut();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function askedOf(request: IncomingMessage): Asked {
  const url = new URL(request.url ?? '/', 'https://proxy');
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    isWatch: ['1', 'true'].includes(url.searchParams.get('watch') ?? ''),
    userAgent: request.headers['user-agent'] ?? '',
  };
}

function carry(incoming: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
  let left = fault && 'truncateAfter' in fault ? fault.truncateAfter : Number.POSITIVE_INFINITY;
  const size = fault && 'split' in fault ? fault.split : Number.POSITIVE_INFINITY;
  incoming.on('data', (bytes: Buffer) => {
    // A test may have ended it, as one of a watch, while the API server goes on sending.
    if (response.writableEnded || response.destroyed) return void incoming.destroy();
    const kept = bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= kept.length;
    for (let at = 0; at < kept.length; at += size) response.write(kept.subarray(at, at + size));
    if (left > 0) return;
    // What was let through must arrive before the connection breaks.
    response.write('', () => response.destroy());
    incoming.destroy();
  });
  incoming.on('end', () => response.end());
}

interface KubeconfigFile {
  clusters: { cluster: Record<string, unknown> }[];
}

function rerouted(text: string, server: string, certificate: string): string {
  const file = parse(text) as KubeconfigFile;
  for (const { cluster } of file.clusters) {
    cluster.server = server;
    cluster['certificate-authority-data'] = Buffer.from(certificate).toString('base64');
  }
  return stringify(file);
}

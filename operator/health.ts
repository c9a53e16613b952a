/**
 * The operator's small HTTP door: /healthz (a restart would not help), /readyz (every cache was complete), /metrics.
 * It promises short, bounded answers and knows nothing of what it reports on.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Condition } from './condition.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8_192;
const MAX_CONNECTIONS = 64;

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** Serves at once. An event loop that stands still answers nothing at all, which the prober takes for the same. */
export async function serveHealth(o: {
  host: string;
  port: number;
  registry: Registry;
  condition(): Condition;
}): Promise<HealthServer> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
    (request, response) => {
      const answer = (status: number, body: string, type = 'text/plain; charset=utf-8') => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'GET only\n');
      // Whoever reaches the port writes what he likes there, also what is no address.
      switch (URL.parse(request.url ?? '/', 'http://operator')?.pathname) {
        case '/healthz': {
          const { stuck } = o.condition();
          return stuck === undefined ? answer(200, 'ok\n') : answer(503, `stuck: ${stuck}\n`);
        }
        case '/readyz': {
          const { waitsFor, degraded } = o.condition();
          if (waitsFor !== undefined) return answer(503, `not ready: waits for ${waitsFor}\n`);
          return answer(200, degraded === undefined ? 'ok\n' : `ok, but degraded: ${degraded}\n`);
        }
        case '/metrics':
          o.registry.metrics().then(
            (text) => answer(200, text, o.registry.contentType),
            () => answer(500, 'metrics cannot be collected; see the log\n'),
          );
          return;
        default:
          return answer(404, 'there are /healthz, /readyz and /metrics\n');
      }
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, o.host, o.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Liveness, readiness and metrics. Alive: the event loop turns. Ready: the caches have synced and nobody asked us to go. */
import { createServer, type Server } from 'node:http';
import type { Metrics } from '@funnelai/kube/metrics';
import type { FastifyInstance, RouteHandlerMethod } from 'fastify';

export interface Readiness {
  /** What is still missing, in words; empty when ready. */
  missing(): string[];
}

/** Registers /healthz and /readyz. Postgres and the API server are no part of being alive. */
export function addHealth(app: FastifyInstance, readiness: Readiness): void {
  // Some balancers ask by HEAD.
  const probe = { method: ['GET' as const, 'HEAD' as const], logLevel: 'silent' as const };
  app.route({ ...probe, url: '/healthz', handler: async (_request, reply) => reply.type('text/plain').send('ok\n') });
  const ready: RouteHandlerMethod = async (_request, reply) => {
    const missing = readiness.missing();
    return reply
      .code(missing.length === 0 ? 200 : 503)
      .type('text/plain')
      .send(missing.length === 0 ? 'ok\n' : `not ready: ${missing.join(', ')}\n`);
  };
  app.route({ ...probe, url: '/readyz', handler: ready });
}

/** Serves /metrics (and the probes again) on a port of its own, away from the public. Resolves once it listens. */
export function serveMetrics(o: {
  host: string;
  port: number;
  registry: Metrics;
  readiness: Readiness;
}): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': type }).end(text);
    if (path === '/healthz') return answer(200, 'ok\n');
    if (path === '/readyz') {
      const missing = o.readiness.missing();
      return missing.length === 0 ? answer(200, 'ok\n') : answer(503, `not ready: ${missing.join(', ')}\n`);
    }
    if (path !== '/metrics') return answer(404, 'there is /metrics, /healthz and /readyz\n');
    o.registry.metrics().then(
      (text) => answer(200, text, o.registry.contentType),
      () => answer(500, 'metrics could not be collected\n'),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(o.port, o.host, () => resolve(server));
  });
}

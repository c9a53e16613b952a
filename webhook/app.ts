/** Builds the HTTP server from its parts. Opens nothing: main.ts and tests listen. */
import { randomUUID } from 'node:crypto';
import type { Log } from '@funnelai/kube/log';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { ApiContext } from './api/context.ts';
import { objectRoutes } from './api/routes.ts';
import { ruleRoutes } from './api/rule-routes.ts';
import { sessionRoutes } from './api/session-routes.ts';
import { sourceRoutes } from './api/source-routes.ts';
import { type OpenStreams, streamRoutes } from './api/stream-routes.ts';
import { refusalOf } from './intake/other-methods.ts';
import { type IntakeDeps, intakeRoutes } from './intake/routes.ts';
import * as limits from './limits.ts';
import { createClientErrorHandler, refuseTunnels } from './server/client-errors.ts';
import { addGuards } from './server/guards.ts';
import { addHealth, type Readiness } from './server/health.ts';
import { refuseOtherMethods } from './server/methods.ts';
import { addPages } from './server/pages.ts';
import { problemFrom } from './server/problems.ts';

export interface AppDeps {
  api: ApiContext;
  intake: IntakeDeps;
  readiness: Readiness;
  /** Address that the server will be bound to. */
  host: string;
  uiDir: string | undefined;
  log: Log;
}
export interface App {
  server: FastifyInstance;
  streams: OpenStreams;
}

const REQUEST_ID = /^[\w-]{1,64}$/;

export async function buildApp(deps: AppDeps): Promise<App> {
  const clientErrors = createClientErrorHandler();
  const server: FastifyInstance = fastify({
    loggerInstance: deps.log.child(
      {},
      { serializers: { req: describeRequest, res: (r) => ({ status: r.statusCode }) } },
    ),
    logController: new LogController({ disableRequestLogging: true }),
    // A HEAD that ran a handler would open streams and use up codes.
    exposeHeadRoutes: false,
    bodyLimit: limits.API_BODY_BYTES,
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // Refusing while the listener closes is not needed: readiness says it before.
    return503OnClosing: false,
    // People write addresses with a slash at the end; a sender that is told 404 loses its alerts.
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: true },
    frameworkErrors: answerProblem,
    clientErrorHandler: clientErrors.handler,
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'ignore',
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    http: {
      maxHeaderSize: limits.HEADER_BYTES,
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      // Node would answer with nothing: the guards do it.
      requireHostHeader: false,
    },
  }) as unknown as FastifyInstance;
  server.server.maxConnections = limits.CONNECTIONS;
  server.server.on('request', clientErrors.began);
  refuseTunnels(server.server);

  // Everything we read is JSON: as text a body would only be refused for what it holds.
  server.removeContentTypeParser('text/plain');

  server.setErrorHandler(answerProblem);
  observeRequests(server, deps);
  addGuards(server, deps.host);
  const addRefusals = refuseOtherMethods(server);
  addHealth(server, deps.readiness);
  const { routes, streams } = streamRoutes(deps.api);
  await server.register(intakeRoutes(deps.intake));
  await server.register(sessionRoutes(deps.api, streams));
  await server.register(objectRoutes(deps.api));
  await server.register(sourceRoutes(deps.api));
  await server.register(ruleRoutes(deps.api));
  await server.register(routes);
  addRefusals();
  await addPages(server, deps.uiDir, (request) => refusalOf(deps.intake, request));
  return { server, streams };
}

/** Every failure leaves through here, those of the router too. */
function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemFrom(error);
  // What we refuse by ourselves is no surprise, and has no stack worth keeping.
  if (problem.cause !== undefined && problem.status >= 500) request.log.error({ err: problem.cause }, 'request failed');
  else if (problem.status >= 500) request.log.warn({ why: problem.message }, 'request refused for now');
  reply
    .code(problem.status)
    .headers(problem.details.headers ?? {})
    // What the router refuses has met no hook yet.
    .headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' })
    .type('application/json; charset=utf-8');
  reply.send(problem.toBody(request.id));
}

/** One line for each answered request, by path without its query: a query may hold a code, or what someone searched for. */
function observeRequests(server: FastifyInstance, deps: AppDeps): void {
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    deps.api.metrics.request(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    if (route !== '/healthz' && route !== '/readyz') {
      const level = levelOf(request.method, route, reply.statusCode);
      // Most of them are not said: then no line is made, either.
      if (deps.log.isLevelEnabled(level)) {
        const line = { ...describeRequest(request), status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
        request.log[level](line, 'answered');
      }
    }
    done();
  });
}

function levelOf(method: string, route: string, status: number): 'warn' | 'debug' | 'info' {
  const isIntake = route.startsWith('/alerts/');
  if (status >= 400 && isIntake) return 'warn';
  return method === 'GET' || isIntake ? 'debug' : 'info';
}

function describeRequest(request: Pick<FastifyRequest, 'method' | 'url' | 'ip'>): Record<string, unknown> {
  return { method: request.method, path: (request.url ?? '').split('?', 1)[0], from: request.ip };
}

/** Who one is: sign-in with a token or a one-time link, sign-out, and what one may do where. */
import type { Access, Me, NamespaceList, Verb } from '@funnelai/domain/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type OurResource, READ_SECRETS } from '../auth/access.ts';
import { idOf, type Person } from '../auth/identity.ts';
import { authenticate, credentialOf, demandOwnPage, isSecure } from '../auth/request.ts';
import { clearedSession, parseCookies, sessionCookies } from '../auth/session-cookie.ts';
import { mapBounded } from '../intake/gate.ts';
import { ACCESS_CHECKS_AT_ONCE, NAMESPACES_LISTED, TOKEN_BYTES } from '../limits.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import type { ApiContext } from './context.ts';
import { namespaceOf, type RawQuery, single } from './query.ts';
import { body } from './routes.ts';
import type { OpenStreams } from './stream-routes.ts';

const RESOURCES: readonly OurResource[] = ['incidents', 'alerts', 'alertsources', 'correlationrules'];
const VERBS: readonly Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const CODE_CHARACTERS = 512;
const signInSchema = z.strictObject({ token: z.string().min(1).max(TOKEN_BYTES) });

export function sessionRoutes(
  api: ApiContext,
  streams: Pick<OpenStreams, 'signOut'>,
): (app: FastifyInstance) => Promise<void> {
  const person = (request: FastifyRequest) => authenticate(request, api.identities);
  const me = async (who: Person): Promise<Me> => {
    const lines = await api.welcome();
    // One of the lines holds the token of a source, which stands in a Secret.
    const welcome = lines !== undefined && (await api.access.may(who, READ_SECRETS)) ? lines : undefined;
    return { user: who.user, groups: who.groups, ...(welcome === undefined ? {} : { welcome }), paging: false };
  };

  return async (app) => {
    app.get('/api/me', async (request) => me(await person(request)));

    app.post('/api/session', async (request, reply) => {
      demandOwnPage(request);
      bound(api, request);
      const token = body(signInSchema, request.body).token.trim();
      const who = await signIn(api, token);
      startSession(request, reply, token);
      return me(who);
    });

    app.delete('/api/session', async (request, reply) => {
      const credential = credentialOf(request);
      if (credential?.ambient !== false) demandOwnPage(request);
      if (credential !== undefined) streams.signOut(idOf(credential.token));
      const had = parseCookies(request.headers.cookie);
      return reply
        .code(204)
        .header('set-cookie', clearedSession(had, isSecure(request)))
        .send();
    });

    app.get<{ Querystring: RawQuery }>('/sign-in', async (request, reply) => {
      const code = single(request.query, 'code');
      if (code === undefined) return reply.callNotFound();
      if (/prefetch|prerender/.test(String(request.headers['sec-purpose'] ?? request.headers.purpose ?? ''))) {
        return reply.code(204).send();
      }
      reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
      return reply.redirect(await useLink(api, request, reply, code), 303);
    });

    app.get('/api/namespaces', async (request): Promise<NamespaceList> => {
      const who = await person(request);
      const known = knownNamespaces(api);
      const right = { verb: 'list', resource: 'incidents' } as const;
      if (await api.access.may(who, right)) return { namespaces: known, all: true };
      const allowed = await mapBounded(known, ACCESS_CHECKS_AT_ONCE, (namespace) =>
        api.access.may(who, { ...right, namespace }),
      );
      return { namespaces: known.filter((_, i) => allowed[i]), all: false };
    });

    app.get<{ Querystring: RawQuery }>('/api/access', async (request): Promise<Access> => {
      const who = await person(request);
      const namespace = namespaceOf(request.query);
      const questions = RESOURCES.flatMap((resource) => VERBS.map((verb) => ({ resource, verb, namespace })));
      const answers = await mapBounded(questions, ACCESS_CHECKS_AT_ONCE, (right) => api.access.may(who, right));
      const access: Access = { incidents: [], alerts: [], alertsources: [], correlationrules: [] };
      for (const [i, { resource, verb }] of questions.entries()) if (answers[i]) access[resource].push(verb);
      return access;
    });
  };
}

function bound(api: ApiContext, request: FastifyRequest): void {
  const wait = api.signInRate.take(request.ip);
  if (wait === 0) return;
  api.metrics.signIn('limited');
  api.metrics.limitReached('SIGN_INS');
  throw new HttpProblem('TooMany', 'Too many attempts to sign in. Wait a moment and try again.', {
    headers: retryAfter(wait),
  });
}

async function signIn(api: ApiContext, token: string): Promise<Person> {
  try {
    const who = await api.identities.personOf(token, { maxAgeMs: 0 });
    api.metrics.signIn('ok');
    return who;
  } catch (error) {
    const refused = error instanceof HttpProblem && error.code === 'Unauthenticated';
    api.metrics.signIn(refused ? 'refused' : 'unavailable');
    throw error;
  }
}

function startSession(request: FastifyRequest, reply: FastifyReply, token: string): void {
  reply.header('set-cookie', sessionCookies(token, parseCookies(request.headers.cookie), isSecure(request)));
}

/** Returns where to go. The code is taken away before the answer, and only once its token has proven good. */
async function useLink(api: ApiContext, request: FastifyRequest, reply: FastifyReply, code: string): Promise<string> {
  try {
    bound(api, request);
    const waiting = code.length > CODE_CHARACTERS ? undefined : await api.links.peek(code);
    if (waiting === undefined) return '/sign-in?problem=used';
    await signIn(api, waiting);
    const token = await api.links.consume(code);
    if (token === undefined) return '/sign-in?problem=used';
    startSession(request, reply, token);
    return '/';
  } catch (error) {
    if (error instanceof HttpProblem && error.code === 'Unauthenticated') return '/sign-in?problem=refused';
    if (error instanceof HttpProblem && error.code === 'TooMany') return '/sign-in?problem=limited';
    request.log.warn({ err: error }, 'a sign-in link could not be used');
    return '/sign-in?problem=unavailable';
  }
}

/** Namespaces that hold something of ours, and the others of the cluster where they may be listed. */
function knownNamespaces(api: ApiContext): string[] {
  const names = new Set<string>();
  // Those that hold something first: where there are too many, these are what people look for.
  for (const cache of [api.incidents, api.alerts, api.sources]) {
    for (const object of cache.list()) names.add(object.metadata.namespace ?? '');
  }
  for (const namespace of api.namespaces.list()) names.add(namespace.metadata.name);
  names.delete('');
  if (names.size > NAMESPACES_LISTED) api.metrics.limitReached('NAMESPACES_LISTED');
  return [...names].slice(0, NAMESPACES_LISTED).sort();
}

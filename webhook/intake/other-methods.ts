/**
 * What comes to the address of a source and is no POST: refused before its body is read, with what there is (RFC 9110, 15.5.6) and, in
 * one line, what to POST there. And the handshake by which a sender asks with OPTIONS whether its events are wanted.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { API_V2_READS } from '../receivers/alertmanager-api.ts';
import type { Receiver } from '../receivers/receiver.ts';
import { isNamespaceName } from '../server/names.ts';
import { HttpProblem } from '../server/problems.ts';
import { nobodyListens } from './entrance.ts';
import type { ReadDeps } from './read-routes.ts';

type Deps = Pick<ReadDeps, 'sources' | 'receivers'>;

/** GET and HEAD are left to the pages: a browser may mean the page of an alert. */
const METHODS: readonly HTTPMethods[] = ['OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE'];
const ADDRESS = /^\/alerts\/([^/]+)\/([^/]+)(\/.*)?$/;
const READS: ReadonlySet<string> = new Set(API_V2_READS);
const API_V2 = '/api/v2/alerts';

/** Adds the routes that refuse; `path` is that of a source. */
export function addOtherMethods(app: FastifyInstance, deps: Deps, path: string): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const consent = request.method === 'OPTIONS' ? consentTo(deps, request) : undefined;
    if (consent !== undefined) return reply.code(200).headers(consent).send();
    // What is left of its body is not read: the connection cannot be used again.
    if (!request.raw.complete) reply.header('connection', 'close');
    throw refusalOf(deps, request) ?? new HttpProblem('NotFound', 'There is nothing here.');
  };
  for (const url of [path, `${path}/*`])
    app.route({ url, method: [...METHODS], onRequest: answer, handler: async () => undefined });
}

/** Returns why this is not for alerts; undefined where the address is none of a source. */
export function refusalOf(
  deps: Deps,
  { method, url }: Pick<FastifyRequest, 'method' | 'url'>,
): HttpProblem | undefined {
  const at = addressOf(url);
  if (at === undefined) return undefined;
  const source = deps.sources.get(at.namespace, at.name);
  const receiver = source && deps.receivers[source.spec.format];
  const isRead = method === 'GET' || method === 'HEAD';
  if (isRead && source !== undefined && receiver !== undefined && !isThere(at.rest, receiver))
    return nobodyListens(source, receiver, at.rest);
  const allow = allowedAt(at.rest, receiver);
  const message = `${method} is not for alerts: ${whatToSend(at, source, receiver, deps)}`;
  return new HttpProblem('MethodNotAllowed', message, { headers: { allow } });
}

interface Address {
  namespace: string;
  name: string;
  /** Behind the source's own path. */
  rest: string;
}

function addressOf(url: string): Address | undefined {
  const [path = ''] = url.split('?', 1);
  const [, namespace, name, rest = ''] = ADDRESS.exec(path.replace(/\/$/, '')) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name, rest };
}

const isThere = (rest: string, { paths }: Receiver): boolean =>
  paths.includes(rest.replace(/\/dry-run$/, '')) || (READS.has(rest) && paths.includes(API_V2));

function allowedAt(rest: string, receiver: Receiver | undefined): string {
  const isRead = READS.has(rest) && (receiver === undefined || receiver.paths.includes(API_V2));
  if (isRead) return rest === API_V2 ? 'GET, POST' : 'GET';
  return rest === '' && receiver?.consent !== undefined ? 'OPTIONS, POST' : 'POST';
}

function whatToSend(
  { namespace, name }: Address,
  source: AlertSource | undefined,
  receiver: Receiver | undefined,
  { sources }: Deps,
): string {
  if (source === undefined || receiver === undefined) {
    const isKnown = isNamespaceName(namespace) && sources.synced && sources.fresh();
    const missing = isKnown ? `, and there is no AlertSource ${name.slice(0, 80)} in namespace ${namespace}` : '';
    return `senders POST them to /alerts/<namespace>/<source>${missing}.`;
  }
  if (source.spec.acceptFrom !== undefined)
    return `nobody can post to AlertSource ${name}, for it takes what another source routes to it (spec.acceptFrom).`;
  const places = receiver.paths.map((path) => `/alerts/${namespace}/${name}${path}`).join(' or ');
  const asking =
    receiver.consent === undefined ? '' : ' OPTIONS with WebHook-Request-Origin asks whether they are wanted.';
  return `AlertSource ${name} (${receiver.format}) takes them by POST to ${places}, as ${receiver.expects}.${asking} With /dry-run behind it, it says what a body would become.`;
}

/** The handshake tells who sends that it is wanted here; it lets nobody in, and asks nobody who they are. */
function consentTo(deps: Deps, { url, headers }: FastifyRequest): Record<string, string> | undefined {
  const at = addressOf(url);
  const source = at && deps.sources.get(at.namespace, at.name);
  if (at?.rest !== '' || source === undefined || source.spec.acceptFrom !== undefined) return undefined;
  const consent = deps.receivers[source.spec.format].consent?.(headers);
  return consent && { ...consent, allow: 'OPTIONS, POST' };
}

/** Who may open a stream, how many, and how long: rights and token are asked for again while it is open. */
import { KubeError } from '@funnelai/kube/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { forbidden, type Right } from '../auth/access.ts';
import type { Person } from '../auth/identity.ts';
import { authenticate, credentialOf } from '../auth/request.ts';
import { STREAM_RECHECK_MS, STREAM_UNCHECKED_MS, STREAMS, STREAMS_PER_USER } from '../limits.ts';
import { HttpProblem, retryAfter } from '../server/problems.ts';
import { type ApiContext, objectsIn } from './context.ts';
import { alertItem, incidentItem } from './items.ts';
import { namespaceOf, type RawQuery } from './query.ts';
import { type EndReason, feed, openStream, type Stream } from './stream.ts';

export interface OpenStreams {
  /** Ends all of them, and refuses new ones: the process is going. */
  close(): void;
  /** Ends those of one token. Another browser that is signed in with the same one connects again by itself. */
  signOut(id: string): void;
}

interface Open {
  stream: Stream;
  user: string;
  /** Names the token that it was opened with. */
  id: string;
}
type Kinds = { incidents: boolean; alerts: boolean };

export function streamRoutes(api: ApiContext): {
  routes: (app: FastifyInstance) => Promise<void>;
  streams: OpenStreams;
} {
  const open = new Set<Open>();
  let closing = false;

  async function rightsOf(who: Person, namespace: string | undefined, maxAgeMs?: number): Promise<Kinds> {
    const o = maxAgeMs === undefined ? {} : { maxAgeMs };
    const [incidents, alerts] = await Promise.all([
      api.access.may(who, watchRight('incidents', namespace), o),
      api.access.may(who, watchRight('alerts', namespace), o),
    ]);
    return { incidents, alerts };
  }

  const routes = async (app: FastifyInstance): Promise<void> => {
    app.get<{ Querystring: RawQuery }>('/api/stream', async (request, reply) => {
      const who = await authenticate(request, api.identities);
      const namespace = namespaceOf(request.query);
      const rights = await rightsOf(who, namespace);
      if (!rights.incidents && !rights.alerts) throw forbidden(who, watchRight('incidents', namespace));
      objectsIn(api.incidents, namespace);
      admit(api, open, closing, who);
      const headers = Object.fromEntries(
        Object.entries(reply.getHeaders()).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      );
      reply.hijack();
      reply.raw.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // nginx holds answers back unless told not to.
        'x-accel-buffering': 'no',
      });
      const stops: (() => void)[] = [];
      const entry: Open = {
        user: who.user,
        id: who.id,
        stream: openStream(reply.raw, {
          clock: api.clock,
          version: () => `${api.incidents.resourceVersion}.${api.alerts.resourceVersion}`,
          onEnd: (reason) => {
            for (const stop of stops) stop();
            open.delete(entry);
            api.metrics.streams(open.size);
            api.metrics.streamEnded(reason);
            request.log.debug({ reason }, 'stream ended');
          },
        }),
      };
      open.add(entry);
      api.metrics.streams(open.size);
      const within = (object: { metadata: { namespace?: string } }) =>
        namespace === undefined || object.metadata.namespace === namespace;
      if (rights.incidents) {
        stops.push(
          feed(entry.stream, api.incidents, within, (o) => ({
            kind: 'incident',
            uid: o.metadata.uid ?? '',
            item: incidentItem(o),
          })),
        );
      }
      if (rights.alerts) {
        stops.push(
          feed(entry.stream, api.alerts, within, (o) => ({
            kind: 'alert',
            uid: o.metadata.uid ?? '',
            item: alertItem(o),
          })),
        );
      }
      const spare = api.spare.now();
      if (spare !== undefined) entry.stream.say({ type: 'intake', spare });
      stops.push(
        api.spare.subscribe((now) =>
          entry.stream.say({ type: 'intake', ...(now === undefined ? {} : { spare: now }) }),
        ),
      );
      stops.push(watchRights(request, entry.stream, rights, () => rightsOf(who, namespace, 0)));
    });
  };

  /** Asks again and again; ends the stream when less is allowed than at its start. Returns what stops the asking. */
  function watchRights(request: FastifyRequest, stream: Stream, granted: Kinds, ask: () => Promise<Kinds>): () => void {
    const token = credentialOf(request)?.token ?? '';
    let checkedAtMs = api.clock.monotonicMs();
    let cancel = api.clock.after(STREAM_RECHECK_MS, check);
    let stopped = false;
    function check(): void {
      void verdict().then((reason) => {
        if (stopped) return;
        if (reason !== undefined) stream.end(reason);
        else cancel = api.clock.after(STREAM_RECHECK_MS, check);
      });
    }
    async function verdict(): Promise<EndReason | undefined> {
      try {
        await api.identities.personOf(token, { maxAgeMs: 0 });
        const now = await ask();
        if ((granted.incidents && !now.incidents) || (granted.alerts && !now.alerts)) return 'revoked';
        checkedAtMs = api.clock.monotonicMs();
        return undefined;
      } catch (error) {
        if (error instanceof HttpProblem && error.code === 'Unauthenticated') return 'signedOut';
        if (!(error instanceof KubeError))
          request.log.error({ err: error }, 'the rights of a stream could not be checked');
        // An API server that is away takes no rights: what was granted holds a while, for people who watch an outage.
        return api.clock.monotonicMs() - checkedAtMs > STREAM_UNCHECKED_MS ? 'unchecked' : undefined;
      }
    }
    return () => {
      stopped = true;
      cancel();
    };
  }

  return {
    routes,
    streams: {
      close() {
        closing = true;
        for (const { stream } of [...open]) stream.end('shutdown');
      },
      signOut(id) {
        for (const entry of [...open]) if (entry.id === id) entry.stream.end('signedOut');
      },
    },
  };
}

function admit(api: ApiContext, open: ReadonlySet<Open>, closing: boolean, who: Person): void {
  const wait = { headers: retryAfter(2_000) };
  if (closing) throw new HttpProblem('Unavailable', 'This replica is shutting down. Connect again.', wait);
  const own = [...open].filter(({ user }) => user === who.user).length;
  const reached = open.size >= STREAMS ? 'STREAMS' : own >= STREAMS_PER_USER ? 'STREAMS_PER_USER' : undefined;
  if (reached === undefined) return;
  api.metrics.limitReached(reached);
  throw new HttpProblem(
    'Unavailable',
    'Too many live streams are open. Close some pages; this one reads every 15 s meanwhile.',
    wait,
  );
}

function watchRight(resource: 'incidents' | 'alerts', namespace: string | undefined): Right {
  return { verb: 'watch', resource, namespace };
}

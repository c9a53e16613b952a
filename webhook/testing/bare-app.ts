/** The HTTP server without an API server: for stories about requests that should never get that far. */
import { connect } from 'node:net';
import type { AlertSource } from '@funnelai/crds/generated/types';
import { systemClock } from '@funnelai/kube/clock';
import { IndexedCache } from '@funnelai/kube/indexed-cache';
import type { Log } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import type { ApiContext } from '../api/context.ts';
import { buildApp } from '../app.ts';
import type { Person } from '../auth/identity.ts';
import { noInbox } from '../inbox/by-source.ts';
import { noSpare } from '../inbox/spare.ts';
import { noForesight } from '../intake/foresight.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { IntakeDeps } from '../intake/routes.ts';
import { noRouting } from '../intake/routing.ts';
import type { Proof } from '../intake/vouch.ts';
import { createWebhookMetrics } from '../metrics.ts';
import type { Received } from '../receivers/receiver.ts';
import { createReceivers, type Receivers } from '../receivers/registry.ts';
import { createTrafficRecorder } from '../traffic/recorder.ts';
import { anAlertSource } from './builders.ts';

export interface BareApp {
  port: number;
  /** Calls that would have gone to the API server or to Postgres, in order. */
  asked: string[];
  stop(): Promise<void>;
}

/** Everyone is ana and may do all; the one source is demo/prom, which takes every token. `received` hears of each alert that was let in, `check` of each proof. */
export async function aBareApp(
  log: Log,
  o: {
    source?: AlertSource;
    receivers?: Receivers;
    received?: (alert: Received) => void;
    check?: (proof: Proof) => void;
    /** Takes what was let in; all of it is stored where absent. */
    ingest?: Ingest;
  } = {},
): Promise<BareApp> {
  const asked: string[] = [];
  const metrics = createWebhookMetrics(createRegistry());
  const cache = () => new IndexedCache<never>({ name: 'test', clock: systemClock, log, fresh: () => true });
  const sources = {
    ...cache(),
    synced: true,
    fresh: () => true,
    get: (namespace: string, name: string) =>
      `${namespace}/${name}` === 'demo/prom' ? (o.source ?? anAlertSource()) : undefined,
  };
  const answer =
    (what: string) =>
    async (...given: unknown[]) => {
      asked.push(`${what} ${JSON.stringify(given.slice(0, 2))}`);
      throw new Error(`${what} should not have been asked`);
    };
  const client = new Proxy({}, { get: (_target, name) => answer(String(name)) }) as Person['client'];
  const api = {
    incidents: cache(),
    alerts: cache(),
    rules: cache(),
    sources,
    namespaces: cache(),
    identities: { personOf: async () => ({ user: 'ana', groups: [], client, id: 'ana' }) },
    access: { may: async () => true, demand: async () => {} },
    links: { peek: async () => undefined, consume: async () => undefined },
    signInRate: { take: () => 0 },
    history: {
      incidentByName: answer('history'),
      alertByName: answer('history'),
      folded: answer('history'),
      foldedByName: answer('history'),
      storyOf: answer('history'),
    },
    traffic: createTrafficRecorder({ store: undefined, clock: systemClock, log, metrics }),
    inbox: noInbox,
    receivers: createReceivers(),
    routing: noRouting,
    foresight: noForesight,
    welcome: async () => undefined,
    spare: noSpare,
    clock: systemClock,
    log,
    metrics,
  } as unknown as ApiContext;
  const intake: IntakeDeps = {
    sources: sources as unknown as IntakeDeps['sources'],
    alerts: cache(),
    receivers: o.receivers ?? createReceivers(),
    lookup: { find: async () => undefined },
    auth: {
      check: async (_source, _way, proof) => {
        o.check?.(proof);
        return 'ok';
      },
    },
    ingest: o.ingest ?? {
      ingest: async (_source, received) => {
        for (const alert of received) o.received?.(alert);
        return { created: received.length, updated: 0, unchanged: 0, refused: [], unavailable: 0 };
      },
    },
    routing: noRouting,
    foresight: noForesight,
    clock: systemClock,
    metrics,
  };
  const { server } = await buildApp({
    api,
    intake,
    readiness: { missing: () => [] },
    host: '127.0.0.1',
    uiDir: undefined,
    log,
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    stop: () => server.close(),
  };
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Sends bytes as they are and returns the last answer, once the server has closed or `isEnough` says so. */
export function sendRaw(port: number, bytes: string | Buffer | readonly (string | Buffer)[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const got: Buffer[] = [];
    const finish = () => {
      const all = parseAnswers(Buffer.concat(got).toString('latin1'));
      const last = all.at(-1);
      if (last === undefined)
        reject(new Error(`the connection was closed without an answer: ${Buffer.concat(got).toString('latin1')}`));
      else resolve(last);
    };
    socket
      .on('data', (part) => got.push(part))
      .on('close', finish)
      .on('error', () => {});
    for (const part of [bytes].flat() as (string | Buffer)[]) socket.write(part, 'latin1');
  });
}

function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest.startsWith('HTTP/1.1 ')) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const status = Number(first.split(' ')[1]);
    const length = status === 100 ? 0 : Number(headers['content-length'] ?? 0);
    if (status !== 100) answers.push({ status, headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

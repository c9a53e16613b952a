/**
 * Puts the operator together and keeps the order: caches first, complete, then the Lease, then the controllers. Promises that
 * nothing decides before it sees everything it decides on, and that a replica on standby has warm caches. Flags, signals and
 * files are the business of main.ts.
 */
import type { Mirror } from '@funnelai/history/mirror';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { createEventRecorder } from '@funnelai/kube/events';
import { runLeaderElection } from '@funnelai/kube/leader';
import type { Log } from '@funnelai/kube/log';
import type { Registry } from 'prom-client';
import { createReflectors } from './caches.ts';
import type { Controller, Deps } from './controller.ts';
import { createCorrelationController } from './correlation/reconcile.ts';
import { FIELD_MANAGER, type Identity, whoAmI } from './identity.ts';
import { createIncidentController } from './incident/reconcile.ts';
import { createMetrics } from './metrics.ts';
import { createMirrorBook } from './mirror/facts.ts';
import { keepEvents } from './mirror/kept-events.ts';
import { createMirrorController } from './mirror/reconcile.ts';
import { createRuleController } from './rule/reconcile.ts';
import { createRuleBook } from './rule-book.ts';
import { createSourceController } from './source/reconcile.ts';

export const LEASE_NAME = 'funnelai-operator';
const RETRY_MS = 2_000;

export interface OperatorOptions {
  client: KubeClient;
  clock: Clock;
  log: Log;
  registry: Registry;
  /** Opens the mirror of one term; without it history is off: deletions of incidents are held. */
  openMirror?: () => Mirror;
  /** How long history keeps what left the cluster; absent: for ever. */
  keepHistoryMs?: number;
  /** Unique per process: holds the Lease, signs the Events. */
  instance: string;
  /** Without it the operator leads at once: for tests that own their API server. */
  leaseNamespace?: string;
  /** Sees and touches only this one; all of them when absent. For tests that share their API server. */
  namespace?: string;
}

export interface Operator {
  /** Runs until `signal` aborts; then the work in hand has ended, the Lease is released and Events are sent. */
  run(signal: AbortSignal): Promise<void>;
  /** What readiness waits for; undefined when ready, on standby too. */
  waitsFor(): string | undefined;
  leading(): boolean;
}

export function createOperator(o: OperatorOptions): Operator {
  const { client, clock, log } = o;
  const metrics = createMetrics(o.registry);
  const reflectors = createReflectors({ client, clock, log, metrics: o.registry, namespace: o.namespace });
  const { caches } = reflectors;
  const rules = createRuleBook(caches.rules);
  const recorder = createEventRecorder({
    client,
    component: FIELD_MANAGER,
    instance: o.instance,
    clock,
    log,
    metrics: o.registry,
  });
  const events = keepEvents(recorder, { clock, onFull: () => metrics.bounded('events_held') });
  let controllers: Controller[] = [];
  /** Starts and stops of terms, one after the other. */
  let term: Promise<void> = Promise.resolve();
  let ending: AbortSignal | undefined;

  /** A term of leadership: controllers are made anew, so that nothing remembered from an earlier one can mislead. */
  function start(identity: Identity): void {
    if (ending?.aborted) return;
    const book = createMirrorBook(o.openMirror !== undefined);
    const deps: Deps = { client, clock, log, caches, rules, identity, events, metrics, registry: o.registry };
    controllers = [
      createRuleController(deps),
      createSourceController(deps),
      createCorrelationController(deps),
      createIncidentController({ ...deps, book }),
      ...(o.openMirror === undefined
        ? []
        : [
            createMirrorController({
              ...deps,
              book,
              openMirror: o.openMirror,
              said: events,
              keepHistoryMs: o.keepHistoryMs,
            }),
          ]),
    ];
    for (const controller of controllers) controller.start();
    metrics.leading(true);
    log.info({ controllers: controllers.map(({ name }) => name), as: identity.user }, 'leading: the controllers run');
  }

  async function stop(): Promise<void> {
    const running = controllers;
    controllers = [];
    metrics.leading(false);
    await Promise.all(running.map((controller) => controller.stop()));
  }

  /** Competes for the Lease until `signal` aborts, again after each loss. */
  async function lead(namespace: string, identity: Identity, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await runLeaderElection({
        client,
        namespace,
        name: LEASE_NAME,
        identity: o.instance,
        clock,
        log,
        signal,
        metrics: o.registry,
        onStarted: () => {
          term = term.then(() => start(identity));
        },
        onLost: () => {
          log.warn('the Lease is lost: the controllers stop, the caches stay warm');
          term = term.then(stop);
        },
      });
      await term;
    }
  }

  return {
    waitsFor: () => (reflectors.synced() ? undefined : 'the first complete list of every kind'),
    leading: () => controllers.length > 0,
    async run(signal) {
      ending = signal;
      const election = new AbortController();
      let elected: Promise<void> = Promise.resolve();
      reflectors.start();
      try {
        await reflectors.waitForSync(signal);
        const identity = await untilAnswered(() => whoAmI(client), { clock, log, signal });
        log.info({ alerts: caches.alerts.size, incidents: caches.incidents.size }, 'caches are complete');
        if (o.leaseNamespace === undefined) start(identity);
        else elected = lead(o.leaseNamespace, identity, election.signal);
        await aborted(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        // Only then may another begin: the Lease goes last.
        term = term.then(stop);
        await term;
        election.abort();
        await elected;
        await events.flush();
        rules.stop();
        await reflectors.stop();
      }
    },
  };
}

/** Tries until it succeeds: an API server that is away at our start is no reason to die. */
async function untilAnswered<T>(
  ask: () => Promise<T>,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      log.warn({ err: error }, 'the API server does not tell who we are; asking again');
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

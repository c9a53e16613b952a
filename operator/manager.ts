/**
 * Puts the operator together and keeps the order: caches first, complete, then the Lease, then the controllers. Promises that
 * nothing decides before it sees everything it decides on, and that a replica on standby has warm caches. Flags, signals and
 * files are the business of main.ts.
 */

import { createRuleBook } from '@funnelai/domain/rule-book';
import type { Mirror } from '@funnelai/history/mirror';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { createEventRecorder } from '@funnelai/kube/events';
import { runLeaderElection } from '@funnelai/kube/leader';
import type { Log } from '@funnelai/kube/log';
import type { Registry } from 'prom-client';
import { createReflectors } from './caches.ts';
import { type Condition, conditionOf } from './condition.ts';
import { type Controller, withOwnWrites } from './controller.ts';
import { createCorrelationController } from './correlation/reconcile.ts';
import { FIELD_MANAGER, type Identity, whoAmI } from './identity.ts';
import { createIncidentController } from './incident/reconcile.ts';
import { createMetrics } from './metrics.ts';
import { createMirrorBook } from './mirror/facts.ts';
import { keepEvents } from './mirror/kept-events.ts';
import { createMirrorController } from './mirror/reconcile.ts';
import type { Retention } from './retention/decide.ts';
import { createRetentionController } from './retention/reconcile.ts';
import { createRuleController } from './rule/reconcile.ts';
import { createSourceController } from './source/reconcile.ts';

export const LEASE_NAME = 'funnelai-operator';
const RETRY_MS = 2_000;

export interface OperatorOptions {
  client: KubeClient;
  /** For the Lease alone, so that no other work can keep it from being renewed; the same client when absent. */
  leaseClient?: KubeClient;
  clock: Clock;
  log: Log;
  registry: Registry;
  /** Opens the mirror of one term; without it history is off: deletions of incidents are held. */
  openMirror?: () => Mirror;
  /** Without it, or without a mirror, what has ended stays in etcd. */
  retention?: Retention;
  /** How long history keeps what left the cluster; absent: for ever. */
  keepHistoryMs?: number;
  /** How often Postgres is looked for when nothing is written; 10 s when absent. */
  historyLookMs?: number;
  /** Unique per process: holds the Lease, signs the Events. */
  instance: string;
  /** Without it the operator leads at once: for tests that own their API server. */
  leaseNamespace?: string;
  /** Sees and touches only this one, and needs rights in no other; all of them when absent. */
  namespace?: string;
}

export interface Operator {
  /** Runs until `signal` aborts; then the work in hand has ended, the Lease is released and Events are sent. */
  run(signal: AbortSignal): Promise<void>;
  /** How it is: for its probes. */
  condition(): Condition;
  leading(): boolean;
}

export function createOperator(o: OperatorOptions): Operator {
  const { client, clock, log } = o;
  const counted = createMetrics(o.registry);
  let takesHistory: boolean | undefined;
  const metrics = {
    ...counted,
    historyAvailable(up: boolean | undefined) {
      takesHistory = up;
      counted.historyAvailable(up);
    },
  };
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
  let renewedAtMs: number | undefined;
  let stoppingSinceMs: number | undefined;
  let leaseTrouble: { sinceMs: number; message: string } | undefined;

  /** A term of leadership: controllers are made anew, so that nothing remembered from an earlier one can mislead. */
  function start(identity: Identity, over: AbortSignal): void {
    if (ending?.aborted || over.aborted) return;
    const book = createMirrorBook(o.openMirror !== undefined);
    const plain = { client, clock, log, caches, rules, identity, events, metrics, registry: o.registry };
    const deps = withOwnWrites(plain, { kinds: reflectors.kinds, stop: over });
    const { openMirror, keepHistoryMs, historyLookMs } = o;
    const leadsSince = (ms: number) => (renewedAtMs ?? Number.NEGATIVE_INFINITY) > ms;
    const mirror =
      openMirror &&
      createMirrorController({
        ...deps,
        book,
        openMirror,
        said: events,
        leadsSince,
        keepHistoryMs,
        historyLookMs,
      });
    controllers = [
      createRuleController(deps),
      createSourceController({ ...deps, served: o.namespace }),
      createCorrelationController(deps),
      createIncidentController({ ...deps, book }),
      ...(mirror === undefined ? [] : [mirror]),
      ...(mirror && o.retention
        ? [createRetentionController({ ...deps, mirror: mirror.writes, retention: o.retention })]
        : []),
    ];
    for (const controller of controllers) controller.start();
    metrics.leading(true);
    log.info({ controllers: controllers.map(({ name }) => name), as: identity.user }, 'leading: the controllers run');
  }

  /** What the leader before us wrote is seen before anything is decided: a standby's caches may lag behind its last moments. */
  async function takeOver(identity: Identity, over: AbortSignal): Promise<void> {
    const began = clock.monotonicMs();
    try {
      const trouble = 'the caches cannot be brought up to date';
      await untilAnswered(() => reflectors.catchUp(over), trouble, { clock, log, signal: over });
    } catch (error) {
      // A term that ends before it began is no failure.
      if (over.aborted) return;
      throw error;
    }
    log.info({ ms: Math.round(clock.monotonicMs() - began) }, 'caches show all that was written before this term');
    start(identity, over);
  }

  async function stop(): Promise<void> {
    const running = controllers;
    controllers = [];
    metrics.leading(false);
    stoppingSinceMs = clock.monotonicMs();
    await Promise.all(running.map((controller) => controller.stop()));
    stoppingSinceMs = undefined;
  }

  /** Competes for the Lease until `signal` aborts, again after each loss. */
  async function lead(
    namespace: string,
    identity: Identity,
    { signal, stopping }: { signal: AbortSignal; stopping: AbortSignal },
  ): Promise<void> {
    while (!signal.aborted) {
      const lost = new AbortController();
      const over = AbortSignal.any([lost.signal, stopping]);
      await runLeaderElection({
        client: o.leaseClient ?? client,
        namespace,
        name: LEASE_NAME,
        identity: o.instance,
        clock,
        log,
        signal,
        metrics: o.registry,
        onStarted: () => {
          term = term.then(() => takeOver(identity, over));
        },
        onRenewed: (atMs) => {
          renewedAtMs = atMs;
        },
        onTrouble: (message) => {
          const sinceMs = leaseTrouble?.sinceMs ?? clock.monotonicMs();
          leaseTrouble = message === undefined ? undefined : { sinceMs, message };
        },
        onLost: () => {
          renewedAtMs = undefined;
          lost.abort(new Error('the Lease is lost'));
          log.warn('the Lease is lost: the controllers stop, the caches stay warm');
          term = term.then(stop);
        },
      });
      await term;
    }
  }

  return {
    condition: () =>
      conditionOf(
        {
          missing: reflectors.missing(),
          failing: reflectors.failing(),
          renewedAtMs,
          stoppingSinceMs,
          leaseTrouble,
          takesHistory,
        },
        clock.monotonicMs(),
      ),
    leading: () => controllers.length > 0,
    async run(signal) {
      ending = signal;
      const election = new AbortController();
      let elected: Promise<void> = Promise.resolve();
      reflectors.start();
      try {
        await reflectors.waitForSync(signal);
        const whoWeAre = 'the API server does not tell who we are';
        const identity = await untilAnswered(() => whoAmI(client), whoWeAre, { clock, log, signal });
        log.info({ alerts: caches.alerts.size, incidents: caches.incidents.size }, 'caches are complete');
        if (o.leaseNamespace === undefined) start(identity, signal);
        else elected = lead(o.leaseNamespace, identity, { signal: election.signal, stopping: signal });
        await aborted(signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        // Only then may another begin: the Lease goes last.
        term = term.then(stop);
        await term;
        election.abort();
        await elected;
        renewedAtMs = undefined;
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
  trouble: string,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error }, `${trouble}; asking again`);
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

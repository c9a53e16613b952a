/**
 * Lets what has ended leave etcd: alerts a day after they resolved, incidents a week after they were closed. Promises that nothing
 * goes that Postgres has not just vouched for in that very version, that what changes a moment before stays, and that deletions come
 * at a pace which leaves the API server to the living.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS, type KubeObject, type Resource } from '@funnelai/crds/meta';
import { endOfChain } from '@funnelai/domain/correlate';
import { DEFAULT_MAX_LIVE_ALERTS, maxLiveAlertsOf } from '@funnelai/domain/folding';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { Mirror } from '@funnelai/history/mirror';
import { isConflict, isNotFound } from '@funnelai/kube/errors';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { BY_INCIDENT, BY_MERGE_TARGET, BY_SOURCE, joinKey } from '../caches.ts';
import type { Controller, Deps } from '../controller.ts';
import { isAnswered } from '../correlation/decide.ts';
import { createQueue } from '../queue.ts';
import { decideAlert, decideIncident, isCrowded, type Retention, type Verdict } from './decide.ts';

/** Deletions of both kinds together: 20 a second, 1.7 million a day. */
const PACE_MS = 50;
/** While Postgres is away, or does not take the object, it is asked again so often: nothing is in a hurry to leave. */
const UNPROVEN_RETRY_MS = 300_000;
const AWAY_MS = 15_000;
const READS = [ALERTS, INCIDENTS];
const CROWD_SWEEP_MS = 30_000;

type Answer = { requeueAfterMs: number } | undefined;

export function createRetentionController(
  deps: Deps & { mirror: Pick<Mirror, 'putAlerts' | 'putIncidents'>; retention: Retention },
): Controller {
  const { caches, client, clock, identity, log, metrics, mirror, retention } = deps;
  const alerts = createQueue(deps, { name: 'retention-alerts', workers: 1, reads: READS, reconcile: reconcileAlert });
  const incidents = createQueue(deps, {
    name: 'retention-incidents',
    workers: 1,
    reads: READS,
    reconcile: reconcileIncident,
  });
  const queues = [alerts, incidents];
  let unsubscribe: (() => void)[] = [];
  let nextMs = 0;
  let awayUntilMs = 0;
  /** When the ended alerts of a crowded source were asked last. */
  const crowdedAtMs = new Map<string, number>();

  async function reconcileAlert(key: string): Promise<Answer> {
    const { namespace, name } = splitKey(key);
    const alert = caches.alerts.get(namespace, name);
    if (alert === undefined) return undefined;
    const lookup = (incident: string) => caches.incidents.get(namespace, incident);
    const verdict = decideAlert(alert, {
      isAnswered: isAnswered(alert, lookup, identity.isMachine),
      isCrowded: isSourceCrowded(alert),
      retentionMs: retention.alertMs,
      now: clock.now(),
    });
    return act(ALERTS, alert, verdict, async () => {
      const [result] = await mirror.putAlerts([alert]);
      return result !== undefined && result.refused === undefined;
    });
  }

  async function reconcileIncident(key: string): Promise<Answer> {
    const { namespace, name } = splitKey(key);
    const incident = caches.incidents.get(namespace, name);
    if (incident === undefined) return undefined;
    const members = caches.alerts.byIndex(BY_INCIDENT, key);
    const verdict = decideIncident(incident, {
      firing: members.filter(({ spec }) => spec.state === 'Firing').length,
      target: endOfChain(incident, (other) => caches.incidents.get(namespace, other)),
      retentionMs: retention.incidentMs,
      now: clock.now(),
    });
    return act(INCIDENTS, incident, verdict, async () => {
      const [result] = await mirror.putIncidents([incident]);
      if (result === undefined || result.refused || result.conflict || result.gap) return false;
      return result.mirroredSequence >= (incident.status?.changeSequence ?? 0);
    });
  }

  function isSourceCrowded({ metadata, spec }: Alert): boolean {
    const { namespace = '' } = metadata;
    const source = caches.sources.get(namespace, spec.sourceRef.name);
    const most = source === undefined ? DEFAULT_MAX_LIVE_ALERTS : maxLiveAlertsOf(source);
    return isCrowded(caches.alerts.countOf(BY_SOURCE, joinKey(namespace, spec.sourceRef.name)), most);
  }

  /** Those that wait for their day are asked again where room has become short, now and then. */
  function makeRoom(alert: Alert): void {
    const key = joinKey(alert.metadata.namespace ?? '', alert.spec.sourceRef.name);
    const now = clock.monotonicMs();
    if ((crowdedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) > now - CROWD_SWEEP_MS || !isSourceCrowded(alert)) return;
    crowdedAtMs.set(key, now);
    for (const other of caches.alerts.byIndex(BY_SOURCE, key)) {
      if (other.spec.state !== 'Firing') alerts.add(keyOf(other), 'routine');
    }
  }

  async function act(
    r: Resource,
    object: KubeObject,
    verdict: Verdict,
    prove: () => Promise<boolean>,
  ): Promise<Answer> {
    if (verdict.kind === 'stay') return undefined;
    if (verdict.kind === 'wait') return { requeueAfterMs: verdict.dueMs };
    if (clock.monotonicMs() < awayUntilMs) return { requeueAfterMs: UNPROVEN_RETRY_MS };
    await pace();
    try {
      if (!(await prove())) return { requeueAfterMs: UNPROVEN_RETRY_MS };
    } catch (error) {
      if (!(error instanceof HistoryUnavailable)) throw error;
      // Said by the mirror; here thousands may wait, and none of them needs a line of its own.
      awayUntilMs = clock.monotonicMs() + AWAY_MS;
      return { requeueAfterMs: UNPROVEN_RETRY_MS };
    }
    await remove(r, object);
    return undefined;
  }

  /** Bound to the version that was decided on and is in Postgres: an alert that has fired again meanwhile is another. */
  async function remove(r: Resource, { metadata }: KubeObject): Promise<void> {
    const { namespace = '', name, uid, resourceVersion } = metadata;
    try {
      await client.delete(r, { namespace, name }, { uid, resourceVersion });
      metrics.left(r.kind);
      log.debug({ kind: r.kind, object: joinKey(namespace, name) }, 'left etcd; history has it');
    } catch (error) {
      // It changed, and comes again with that change; or it is gone already.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }

  async function pace(): Promise<void> {
    const now = clock.monotonicMs();
    const at = Math.max(now, nextMs);
    nextMs = at + PACE_MS;
    if (at === now) return;
    metrics.bounded('retention_pace');
    await clock.sleep(at - now);
  }

  function onAlert(alert: Alert, isDeleted: boolean): void {
    const { namespace = '' } = alert.metadata;
    if (!isDeleted && alert.spec.state !== 'Firing') alerts.add(keyOf(alert));
    if (!isDeleted) makeRoom(alert);
    const name = alert.status?.incidentRef?.name;
    const incident = name === undefined ? undefined : caches.incidents.get(namespace, name);
    // Only a closed one can be held by an alert that fires.
    if (incident?.spec.phase === 'Closed') incidents.add(keyOf(incident));
  }

  function onIncident(incident: Incident, isDeleted: boolean): void {
    const isOver = isDeleted || incident.spec.phase === 'Closed';
    if (!isOver) return;
    if (!isDeleted) incidents.add(keyOf(incident));
    for (const merged of caches.incidents.byIndex(BY_MERGE_TARGET, keyOf(incident))) incidents.add(keyOf(merged));
  }

  return {
    name: 'retention',
    start() {
      unsubscribe = [
        caches.alerts.subscribe(({ type, object }) => onAlert(object, type === 'deleted')),
        caches.incidents.subscribe(({ type, object }) => onIncident(object, type === 'deleted')),
      ];
      for (const alert of caches.alerts.list()) onAlert(alert, false);
      for (const incident of caches.incidents.list()) onIncident(incident, false);
      for (const queue of queues) queue.start();
    },
    async stop() {
      for (const leave of unsubscribe) leave();
      await Promise.all(queues.map((queue) => queue.stop()));
    },
    idle: async () => {
      await Promise.all(queues.map((queue) => queue.idle()));
    },
  };
}

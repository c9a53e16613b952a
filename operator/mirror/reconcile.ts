/**
 * Keeps Postgres a true mirror of incidents and alerts, and lets a deleted Incident go only once Postgres has all of it. Works
 * beside the other controllers and never holds them: with Postgres away it waits, everything else goes on.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS, type KubeObject } from '@funnelai/crds/meta';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { AlertResult, IncidentResult, Mirror } from '@funnelai/history/mirror';
import { isConflict, isInvalid, isNotFound } from '@funnelai/kube/errors';
import type { Controller, Deps } from '../controller.ts';
import { FIELD_MANAGER } from '../identity.ts';
import { createBatcher } from './batcher.ts';
import { decideRelease } from './decide.ts';
import type { MirrorBook } from './facts.ts';

const INCIDENT_BATCH = 50;
const ALERT_BATCH = 200;
const INCIDENT_GATHER_MS = 20;
/** Long enough that an alert's birth and its answer are one row written once. */
const ALERT_GATHER_MS = 250;
const BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** Everything is compared again so often: what a row was refused for, or lost by a restored database, comes back. */
const PASS_MS = 600_000;
/** Objects that were deleted and are not marked yet are remembered up to this number. */
const MAX_DELETED = 20_000;
const STOP_DRAIN_MS = 2_000;

type Kind = 'Incident' | 'Alert';
interface Gone<T> {
  object: T;
  at: string;
}

export function createMirrorController(deps: Deps & { mirror: Mirror; book: MirrorBook }): Controller {
  const { book, caches, client, clock, events, log, metrics, mirror } = deps;
  const goneIncidents = new Map<string, Gone<Incident>>();
  const goneAlerts = new Map<string, Gone<Alert>>();
  /** What Postgres refused, by uid: not offered again in the same version. */
  const refused = new Map<string, string>();
  const held = new Set<string>();
  const incidents = createBatcher({
    name: 'mirror-incidents',
    clock,
    log,
    size: INCIDENT_BATCH,
    gatherMs: INCIDENT_GATHER_MS,
    baseDelayMs: BASE_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
    flush: (uids) => watched(() => flushIncidents(uids)),
    onDepth: (depth) => metrics.historyBacklog('Incident', depth),
  });
  const alerts = createBatcher({
    name: 'mirror-alerts',
    clock,
    log,
    size: ALERT_BATCH,
    gatherMs: ALERT_GATHER_MS,
    baseDelayMs: BASE_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
    flush: (uids) => watched(() => flushAlerts(uids)),
    onDepth: (depth) => metrics.historyBacklog('Alert', depth),
  });
  let unsubscribe: (() => void)[] = [];
  let cancelPass = () => {};

  async function watched(work: () => Promise<string[]>): Promise<string[]> {
    try {
      const again = await work();
      metrics.historyAvailable(true);
      return again;
    } catch (error) {
      if (error instanceof HistoryUnavailable) metrics.historyAvailable(false);
      throw error;
    }
  }

  async function flushIncidents(uids: string[]): Promise<string[]> {
    const batch = objectsOf(uids, caches.incidents, goneIncidents);
    const results = batch.length === 0 ? [] : await mirror.putIncidents(batch);
    const again: string[] = [];
    for (const [i, incident] of batch.entries()) {
      const uid = incident.metadata.uid ?? '';
      const result = results[i];
      if (result === undefined) again.push(uid);
      else await settleIncident(incident, result);
    }
    for (const uid of uids) await markGone('Incident', uid, goneIncidents);
    return again;
  }

  async function settleIncident(incident: Incident, result: IncidentResult): Promise<void> {
    const uid = incident.metadata.uid ?? '';
    const before = book.of(uid);
    report('Incident', incident, result);
    const trouble = troubleOf(result);
    book.update(uid, {
      // A refused row tells nothing of what is there already.
      ...(result.refused === undefined
        ? { mirroredSequence: result.mirroredSequence }
        : before?.mirroredSequence !== undefined && { mirroredSequence: before.mirroredSequence }),
      ...(trouble === undefined && incident.metadata.resourceVersion !== undefined
        ? { resourceVersion: incident.metadata.resourceVersion }
        : before?.resourceVersion !== undefined && { resourceVersion: before.resourceVersion }),
      ...(trouble !== undefined && { refused: trouble, waitingSinceMs: before?.waitingSinceMs ?? clock.monotonicMs() }),
    });
    await release(incident);
  }

  /** Marks the row first: a deletion once begun cannot be taken back, and after the finalizer nobody would remember it. */
  async function release(incident: Incident): Promise<void> {
    const { uid = '', namespace = '', name, deletionTimestamp } = incident.metadata;
    const verdict = decideRelease(incident, book.of(uid));
    if (verdict.kind === 'hold') held.add(uid);
    else held.delete(uid);
    metrics.deletionHeld(held.size);
    if (verdict.kind !== 'release') return;
    await mirror.markDeleted('Incident', uid, deletionTimestamp ?? clock.now().toString());
    try {
      const last = await client.jsonPatch<Incident>(INCIDENTS, { namespace, name }, verdict.ops, {
        fieldManager: FIELD_MANAGER,
      });
      caches.incidents.observe(last);
    } catch (error) {
      // It changed in between, and comes again with that change; or it is gone already.
      if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
    }
  }

  async function flushAlerts(uids: string[]): Promise<string[]> {
    const batch = objectsOf(uids, caches.alerts, goneAlerts);
    const results = batch.length === 0 ? [] : await mirror.putAlerts(batch);
    const again: string[] = [];
    for (const [i, alert] of batch.entries()) {
      const result = results[i];
      if (result === undefined) again.push(alert.metadata.uid ?? '');
      else report('Alert', alert, result);
    }
    for (const uid of uids) await markGone('Alert', uid, goneAlerts);
    return again;
  }

  function objectsOf<T extends KubeObject>(
    uids: string[],
    cache: { byUid(uid: string): T | undefined },
    gone: Map<string, Gone<T>>,
  ): T[] {
    return uids.flatMap((uid) => {
      const object = cache.byUid(uid) ?? gone.get(uid)?.object;
      if (object === undefined || refused.get(uid) === object.metadata.resourceVersion) return [];
      return [object];
    });
  }

  async function markGone<T>(kind: Kind, uid: string, gone: Map<string, Gone<T>>): Promise<void> {
    const last = gone.get(uid);
    if (last === undefined) return;
    await mirror.markDeleted(kind, uid, last.at);
    gone.delete(uid);
    refused.delete(uid);
    held.delete(uid);
    if (kind === 'Incident') book.forget(uid);
  }

  function report(kind: Kind, object: KubeObject, result: AlertResult | IncidentResult): void {
    const { uid = '', resourceVersion = '' } = object.metadata;
    const trouble = troubleOf(result);
    if (trouble === undefined) {
      refused.delete(uid);
      metrics.mirrored(kind, 'stored');
      return;
    }
    refused.set(uid, resourceVersion);
    const conflict = 'conflict' in result && result.conflict !== undefined;
    metrics.mirrored(kind, conflict ? 'conflict' : 'refused');
    if (kind === 'Incident') {
      events.event(object, 'Warning', conflict ? 'HistoryConflict' : 'HistoryRefused', trouble, 'Mirroring');
    }
  }

  function onIncident(incident: Incident, deleted: boolean): void {
    const uid = incident.metadata.uid ?? '';
    if (deleted) remember(goneIncidents, uid, incident);
    const before = book.of(uid);
    const newer = before?.resourceVersion !== incident.metadata.resourceVersion;
    if (newer && before?.waitingSinceMs === undefined) {
      book.update(uid, { ...before, waitingSinceMs: clock.monotonicMs() });
    }
    incidents.add(uid);
  }

  function remember<T extends KubeObject>(gone: Map<string, Gone<T>>, uid: string, object: T): void {
    if (gone.size >= MAX_DELETED) {
      metrics.bounded('mirror_deleted');
      return;
    }
    const at = object.metadata.deletionTimestamp ?? clock.now().toString({ fractionalSecondDigits: 6 });
    gone.set(uid, { object, at });
  }

  function pass(): void {
    refused.clear();
    for (const incident of caches.incidents.list()) incidents.add(incident.metadata.uid ?? '');
    for (const alert of caches.alerts.list()) alerts.add(alert.metadata.uid ?? '');
    cancelPass = clock.after(PASS_MS, pass);
  }

  return {
    name: 'mirror',
    start() {
      unsubscribe = [
        caches.incidents.subscribe(({ type, object }) => onIncident(object, type === 'deleted')),
        caches.alerts.subscribe(({ type, object }) => {
          const uid = object.metadata.uid ?? '';
          if (type === 'deleted') remember(goneAlerts, uid, object);
          alerts.add(uid);
        }),
      ];
      pass();
      incidents.start();
      alerts.start();
    },
    async stop() {
      for (const leave of unsubscribe) leave();
      cancelPass();
      await Promise.all([incidents.stop(STOP_DRAIN_MS), alerts.stop(STOP_DRAIN_MS)]);
    },
    idle: async () => {
      await Promise.all([incidents.idle(), alerts.idle()]);
    },
  };
}

/** What stands between this object and its row, in words; undefined when it is there. */
function troubleOf(result: AlertResult | IncidentResult): string | undefined {
  if (!('mirroredSequence' in result)) return result.refused?.message;
  if (result.conflict !== undefined) {
    return `history has another change under number ${result.conflict.sequence}; what the cluster says from there on is not recorded`;
  }
  if (result.gap !== undefined) {
    return `history lacks change ${result.gap.expected}; the object begins with ${result.gap.found}`;
  }
  return result.refused?.message;
}

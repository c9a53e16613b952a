/**
 * Runs the lifecycle of each incident: numbers what people did, moves it where its rule says so, counts its alerts. The one
 * writer of Incident.status. Promises that a person's act is recorded in the write that answers it, once, whoever dies when.
 */
import type { Alert, Incident, IncidentStatus } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { decideIncidentStep, type IncidentStep } from '@funnelai/domain/incident-decide';
import { ruleOf } from '@funnelai/domain/rules';
import type { JsonPatchOp } from '@funnelai/kube/client';
import { isConflict, isInvalid, isNotFound } from '@funnelai/kube/errors';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { patchStatus } from '@funnelai/kube/status';
import { BY_INCIDENT, BY_RULE, joinKey } from '../caches.ts';
import type { Controller, Deps } from '../controller.ts';
import { FIELD_MANAGER } from '../identity.ts';
import type { MirrorBook } from '../mirror/facts.ts';
import { createQueue } from '../queue.ts';
import {
  finalizerOps,
  isUrgent,
  keepAsOf,
  lagCheckAfterMs,
  newestManager,
  SLOW_WRITE_MS,
  specOps,
  withHistory,
} from './decide.ts';

const WORKERS = 8;
/** Wishes and conflicts that one reconcile works off before it goes back to the queue. */
const MAX_STEPS = 8;
/** An incident that we opened waits this long for its first alerts, so that one write holds its birth and their number. */
const BIRTH_GATHER_MS = 150;
/** Many alerts of one incident are one reason to look. */
const ALERT_GATHER_MS = 250;
/** What the mirror reports only ever moves a condition or a bound: no hurry. */
const MIRROR_GATHER_MS = 1_000;

export function createIncidentController(deps: Deps & { book: MirrorBook }): Controller {
  const { book, caches, client, clock, events, identity, metrics, rules } = deps;
  const queue = createQueue(deps, { name: 'incident', workers: WORKERS, reconcile });
  /** When (monotonic ms) the status of each incident was written last, by uid. */
  const writtenMs = new Map<string, number>();
  let unsubscribe: (() => void)[] = [];

  async function reconcile(key: string): Promise<{ requeueAfterMs?: number } | undefined> {
    const { namespace, name } = splitKey(key);
    let incident = caches.incidents.get(namespace, name);
    for (let step = 0; incident !== undefined && step < MAX_STEPS; step += 1) {
      const decided = decide(incident);
      const wish = incident.metadata.deletionTimestamp === undefined ? wishOps(incident, decided) : undefined;
      if (wish !== undefined) {
        incident = await patch(incident, wish);
        continue;
      }
      const outcome = await writeStatus(incident, decided);
      if (outcome !== 'conflict') return soonest(decided.requeueAfterMs, outcome, lagCheck(incident));
      incident = await read(incident);
    }
    if (incident === undefined) return undefined;
    throw new Error(`${key} changed ${MAX_STEPS} times under our hands`);
  }

  function decide(incident: Incident): IncidentStep {
    const namespace = incident.metadata.namespace ?? '';
    const manager = newestManager(incident);
    const mirroredSequence = book.of(incident.metadata.uid ?? '')?.mirroredSequence;
    return decideIncidentStep({
      incident,
      members: caches.alerts.byIndex(BY_INCIDENT, keyOf(incident)),
      rule: ruleOf(rules.of(namespace).rules, incident.spec.origin?.ruleRef?.name),
      now: clock.now(),
      isMachine: identity.isMachine,
      ...(mirroredSequence !== undefined && { mirroredSequence }),
      ...(manager !== undefined && { manager }),
    });
  }

  function wishOps(incident: Incident, { specPatch }: IncidentStep): JsonPatchOp[] | undefined {
    if (specPatch !== undefined && Object.keys(specPatch).length > 0) return specOps(incident, specPatch);
    return finalizerOps(incident);
  }

  /** @returns the incident after the patch, or as somebody else has changed it. */
  async function patch(incident: Incident, ops: JsonPatchOp[]): Promise<Incident | undefined> {
    const { namespace = '', name } = incident.metadata;
    try {
      const patched = await client.jsonPatch<Incident>(INCIDENTS, { namespace, name }, ops, {
        fieldManager: FIELD_MANAGER,
      });
      caches.incidents.observe(patched);
      return patched;
    } catch (error) {
      // A test that failed is a 422 like any refusal: what is there now tells which.
      if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
      const current = await read(incident);
      if (current?.metadata.resourceVersion === incident.metadata.resourceVersion) throw error;
      return current;
    }
  }

  /** @returns how long a write that can wait has to wait, undefined when nothing is left to write, or 'conflict'. */
  async function writeStatus(incident: Incident, decided: IncidentStep): Promise<number | undefined | 'conflict'> {
    const uid = incident.metadata.uid ?? '';
    const monotonicMs = clock.monotonicMs();
    const facts = book.of(uid);
    const counted = keepAsOf(incident.status, decided.status);
    const status = withHistory(counted, incident, { enabled: book.enabled, facts, now: clock.now(), monotonicMs });
    if (!isUrgent(incident.status, status)) {
      const last = writtenMs.get(uid);
      const waitMs = last === undefined ? 0 : last + SLOW_WRITE_MS - monotonicMs;
      if (waitMs > 0) return sameStatus(incident.status, status) ? undefined : waitMs;
    }
    let written: Incident | undefined;
    try {
      written = await patchStatus<Incident>(client, INCIDENTS, incident, status, { precondition: true });
    } catch (error) {
      if (isConflict(error)) return 'conflict';
      if (isNotFound(error)) return undefined;
      throw error;
    }
    if (written === undefined) return undefined;
    caches.incidents.observe(written);
    writtenMs.set(uid, clock.monotonicMs());
    tell(incident, written, decided);
    return undefined;
  }

  function tell(before: Incident, written: Incident, { events: happened }: IncidentStep): void {
    for (const { type, reason, note, action } of happened) events.event(written, type, reason, note, action);
    const known = before.status?.changeSequence ?? 0;
    for (const change of written.status?.changes ?? []) {
      if (change.kind === 'Phase' && change.sequence > known) metrics.phaseMoved(change.from ?? '', change.to ?? '');
    }
  }

  async function read(incident: Incident): Promise<Incident | undefined> {
    const { namespace = '', name, uid } = incident.metadata;
    try {
      const current = await client.get<Incident>(INCIDENTS, { namespace, name });
      caches.incidents.observe(current);
      return current.metadata.uid === uid ? current : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  const lagCheck = (incident: Incident) => lagCheckAfterMs(book.of(incident.metadata.uid ?? ''), clock.monotonicMs());

  function onAlert(alert: Alert, old: Alert | undefined): void {
    const namespace = alert.metadata.namespace ?? '';
    const now = alert.status?.incidentRef?.name;
    const before = old?.status?.incidentRef?.name;
    if (now === before && old?.spec.state === alert.spec.state && old.spec.severity === alert.spec.severity) return;
    for (const name of new Set([now, before])) {
      if (name !== undefined) queue.addAfter(joinKey(namespace, name), ALERT_GATHER_MS);
    }
  }

  return {
    name: 'incident',
    start() {
      unsubscribe = [
        caches.incidents.subscribe(({ type, object }) => {
          if (type === 'deleted') writtenMs.delete(object.metadata.uid ?? '');
          const born = object.status?.phase === undefined && object.spec.origin !== undefined;
          if (born) queue.addAfter(keyOf(object), BIRTH_GATHER_MS);
          else queue.add(keyOf(object));
        }),
        caches.alerts.subscribe((event) => {
          if (event.type === 'deleted') onAlert(event.object, undefined);
          else onAlert(event.object, event.old);
        }),
        caches.rules.subscribe(({ object }) => {
          const key = joinKey(object.metadata.namespace ?? '', object.metadata.name);
          for (const incident of caches.incidents.byIndex(BY_RULE, key)) queue.add(keyOf(incident));
        }),
        book.subscribe((uid) => {
          const incident = caches.incidents.byUid(uid);
          if (incident !== undefined) queue.addAfter(keyOf(incident), MIRROR_GATHER_MS);
        }),
      ];
      for (const incident of caches.incidents.list()) queue.add(keyOf(incident));
      queue.start();
    },
    async stop() {
      for (const leave of unsubscribe) leave();
      await queue.stop();
    },
    idle: () => queue.idle(),
  };
}

const sameStatus = (a: IncidentStatus | undefined, b: IncidentStatus): boolean =>
  a !== undefined && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/** The same value with its names in order, so that two texts are equal when two values are. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]));
}

function soonest(...delays: (number | undefined)[]): { requeueAfterMs?: number } | undefined {
  const due = delays.filter((delay) => delay !== undefined);
  return due.length === 0 ? undefined : { requeueAfterMs: Math.min(...due) };
}

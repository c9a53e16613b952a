/**
 * Runs the lifecycle of each incident: numbers what people did, moves it where its rule says so, counts its alerts. The one
 * writer of Incident.status. Promises that a person's act is recorded in the write that answers it, once, whoever dies when.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { endOfChain } from '@funnelai/domain/correlate';
import { sameJson } from '@funnelai/domain/equal';
import { type Departures, decideIncidentStep, type IncidentStepResult } from '@funnelai/domain/incident-decide';
import { ruleOf } from '@funnelai/domain/rules';
import type { JsonPatchOp } from '@funnelai/kube/client';
import { isConflict, isInvalid, isNotFound } from '@funnelai/kube/errors';
import { higherOf, type Lane } from '@funnelai/kube/lanes';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { putStatus } from '@funnelai/kube/status';
import { BY_FORMER_INCIDENT, BY_INCIDENT, BY_RULE, joinKey } from '../caches.ts';
import type { Controller, Deps } from '../controller.ts';
import { FIELD_MANAGER } from '../identity.ts';
import type { MirrorBook } from '../mirror/facts.ts';
import { createQueue } from '../queue.ts';
import {
  finalizerOps,
  isHeld,
  lagCheckAfterMs,
  mirrorFacts,
  newestManager,
  specOps,
  withHeldDeletion,
} from './decide.ts';
import { createDepartureBook, wereCounted } from './departures.ts';
import { laneOfIncident } from './lane.ts';

const WORKERS = 8;
/** Wishes and conflicts that one reconcile works off before it goes back to the queue. */
const MAX_STEPS = 8;
/** Many alerts of one incident are one reason to look. */
const ALERT_GATHER_MS = 250;
/** What the mirror reports only ever moves a condition or a bound: no hurry. */
const MIRROR_GATHER_MS = 1_000;

/** @param deps `numbersOnly`: what people did is recorded and nothing else done, as befits one who leaves. */
export function createIncidentController(deps: Deps & { book: MirrorBook; numbersOnly?: boolean }): Controller {
  const { book, caches, client, clock, events, identity, metrics, rules } = deps;
  const queue = createQueue(deps, { name: 'incident', workers: WORKERS, reads: [INCIDENTS, ALERTS], reconcile });
  const departures = createDepartureBook();
  let unsubscribe: (() => void)[] = [];

  async function reconcile(
    key: string,
    _signal: AbortSignal,
    queued: Lane,
  ): Promise<{ requeueAfterMs?: number } | undefined> {
    const { namespace, name } = splitKey(key);
    let incident = caches.incidents.get(namespace, name);
    for (let step = 0; incident !== undefined && step < MAX_STEPS; step += 1) {
      const left = departures.of(key);
      const decided = decide(incident, left);
      const lane = higherOf(queued, laneOfIncident(incident, identity.isMachine));
      const wish = incident.metadata.deletionTimestamp === undefined ? wishOps(incident, decided) : undefined;
      if (wish !== undefined) {
        incident = await patch(incident, wish, lane);
        continue;
      }
      if (await writeStatus(incident, decided, left, lane)) return soonest(decided.requeueAfterMs, lagCheck(incident));
      incident = await read(incident);
    }
    if (incident === undefined) {
      departures.forget(key);
      return undefined;
    }
    throw new Error(`${key} changed ${MAX_STEPS} times under our hands`);
  }

  function decide(incident: Incident, left: Departures): IncidentStepResult {
    const namespace = incident.metadata.namespace ?? '';
    const manager = newestManager(incident);
    const entry = book.of(incident.metadata.uid ?? '');
    return decideIncidentStep({
      incident,
      members: caches.alerts.byIndex(BY_INCIDENT, keyOf(incident)),
      elsewhere: caches.alerts.countOf(BY_FORMER_INCIDENT, keyOf(incident)),
      left,
      rule: ruleOf(rules.of(namespace).rules, incident.spec.origin?.ruleRef?.name),
      now: clock.now(),
      isMachine: identity.isMachine,
      isMergedIntoNothing: endOfChain(incident, (name) => caches.incidents.get(namespace, name)) === undefined,
      mirror: mirrorFacts(incident, { enabled: book.enabled, entry, monotonicMs: clock.monotonicMs() }),
      ...(manager !== undefined && { manager }),
    });
  }

  function wishOps(incident: Incident, { specPatch }: IncidentStepResult): JsonPatchOp[] | undefined {
    if (deps.numbersOnly) return undefined;
    if (specPatch !== undefined && Object.keys(specPatch).length > 0) return specOps(incident, specPatch);
    return finalizerOps(incident);
  }

  /** @returns the incident after the patch, or as somebody else has changed it. */
  async function patch(incident: Incident, ops: JsonPatchOp[], lane: Lane): Promise<Incident | undefined> {
    const { namespace = '', name } = incident.metadata;
    try {
      const patched = await client.jsonPatch<Incident>(INCIDENTS, { namespace, name }, ops, {
        fieldManager: FIELD_MANAGER,
        lane,
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

  /** @returns false when somebody else wrote in between: then all is to be decided anew. */
  async function writeStatus(
    incident: Incident,
    decided: IncidentStepResult,
    left: Departures,
    lane: Lane,
  ): Promise<boolean> {
    const status = withHeldDeletion(decided.status, incident, {
      enabled: book.enabled,
      entry: book.of(incident.metadata.uid ?? ''),
      monotonicMs: clock.monotonicMs(),
      now: clock.now(),
    });
    try {
      const written = await putStatus<Incident>(client, INCIDENTS, incident, status, { lane });
      if (written === undefined) return true;
      if (wereCounted(incident, written)) departures.written(keyOf(incident), left);
      caches.incidents.observe(written);
      tell(incident, written, decided);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  function tell(before: Incident, written: Incident, { events: happened, renumbered }: IncidentStepResult): void {
    if (renumbered !== undefined) metrics.historyRenumbered(renumbered.count);
    for (const { type, reason, note } of happened) events.event(written, type, reason, note);
    const known = renumbered?.to ?? before.status?.changeSequence ?? 0;
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

  const add = (incident: Incident) => queue.add(keyOf(incident), laneOfIncident(incident, identity.isMachine));

  function onAlert(alert: Alert, old: Alert | undefined, isDeleted: boolean): void {
    const namespace = alert.metadata.namespace ?? '';
    for (const key of departures.note(alert, old, isDeleted)) queue.addAfter(key, ALERT_GATHER_MS);
    const now = alert.status?.incidentRef?.name;
    const before = old?.status?.incidentRef?.name;
    const isSame = now === before && old?.spec.state === alert.spec.state && old.spec.severity === alert.spec.severity;
    const said = ({ folded, acknowledgedUpstream }: Alert['spec']) => [folded, acknowledgedUpstream?.trusted];
    if (isSame && sameJson(said(old.spec), said(alert.spec))) return;
    for (const name of new Set([now, before])) {
      if (name !== undefined) queue.addAfter(joinKey(namespace, name), ALERT_GATHER_MS);
    }
  }

  return {
    name: 'incident',
    start() {
      unsubscribe = [
        caches.incidents.subscribe(({ object }) => add(object)),
        caches.alerts.subscribe(({ object, old, type }) => onAlert(object, old, type === 'deleted')),
        caches.rules.subscribe(({ object }) => {
          const key = joinKey(object.metadata.namespace ?? '', object.metadata.name);
          for (const incident of caches.incidents.byIndex(BY_RULE, key)) queue.add(keyOf(incident), 'routine');
        }),
        book.subscribe((uid) => {
          const incident = caches.incidents.byUid(uid);
          if (incident !== undefined) queue.addAfter(keyOf(incident), MIRROR_GATHER_MS);
        }),
      ];
      metrics.deletionsHeld(() => [...caches.incidents.list()].filter(isHeld).length);
      for (const incident of caches.incidents.list()) add(incident);
      queue.start();
    },
    async stop() {
      for (const leave of unsubscribe) leave();
      metrics.deletionsHeld(() => 0);
      await queue.stop();
    },
    idle: () => queue.idle(),
  };
}

function soonest(...delays: (number | undefined)[]): { requeueAfterMs?: number } | undefined {
  const due = delays.filter((delay) => delay !== undefined);
  return due.length === 0 ? undefined : { requeueAfterMs: Math.min(...due) };
}

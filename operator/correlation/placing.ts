/**
 * Finds the incident that an alert belongs to, or makes it. At most one is open per rule and group, whenever the operator dies: an
 * incident's name follows from its origin, which stands in the create itself, and what was written is in the cache before the next look.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { DEMO_LABEL, INCIDENTS } from '@funnelai/crds/meta';
import {
  decideIncident,
  groupOf,
  type IncidentBook,
  lastOfGroup,
  type OriginGroup,
  type Ruling,
} from '@funnelai/domain/correlate';
import { lengthen } from '@funnelai/domain/incident-name';
import { parseInstant } from '@funnelai/domain/instants';
import { newIncident } from '@funnelai/domain/opening';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '@funnelai/kube/errors';
import { keyOf } from '@funnelai/kube/paths';
import { BY_FORMER_INCIDENT, BY_INCIDENT, BY_ORIGIN, originKey } from '../caches.ts';
import type { Deps } from '../controller.ts';
import { FIELD_MANAGER } from '../identity.ts';
import { type Answer, isOrphan, overSince, sameOrigin } from './decide.ts';
import { createKeyedMutex } from './keyed-mutex.ts';

/** How often the placing of one alert may find the world changed before it goes back to the queue. */
const MAX_ATTEMPTS = 8;
export type Grouped = Extract<Ruling, { record: false }>;

export interface Placed {
  answer: Answer;
  incident?: Incident;
}

/** Serial for each group; all throw KubeError. */
export interface Placing {
  /** Finds the incident of the group, or makes it. */
  place(alert: Alert, found: Grouped): Promise<Placed>;
  /** For an alert that nobody ever said fires: only an incident that a death left without any alert takes it, lest that never end. */
  joinOrphan(alert: Alert, found: Grouped): Promise<Placed>;
  /** The incident as the API server has it now; the cache learns of it. */
  read(namespace: string, name: string): Promise<Incident | undefined>;
}

export function createPlacing({ caches, client, clock }: Pick<Deps, 'caches' | 'client' | 'clock'>): Placing {
  const groups = createKeyedMutex();

  const bookOf = (namespace: string): IncidentBook => ({
    ofGroup: (group) => caches.incidents.byIndex(BY_ORIGIN, indexKey(namespace, group)),
    lookup: (name) => caches.incidents.get(namespace, name),
  });

  /** The group in which the answer is given: where its last incident was merged into one of another group, that may be brought back there. */
  function turnOf(namespace: string, { rule, groupKey }: Grouped): string {
    const own = groupOf(rule, groupKey);
    return indexKey(namespace, lastOfGroup(own, bookOf(namespace)).last?.spec.origin ?? own);
  }

  async function place(alert: Alert, found: Grouped): Promise<Placed> {
    const namespace = alert.metadata.namespace ?? '';
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const turn = turnOf(namespace, found);
      const placed = await groups.run(turn, async () =>
        // What it waited for may have made it another's turn.
        turnOf(namespace, found) === turn ? tryToPlace(alert, found) : undefined,
      );
      if (placed !== undefined) return placed;
    }
    throw new Error(
      `no incident found for ${keyOf(alert)} in ${MAX_ATTEMPTS} attempts: others keep changing the group`,
    );
  }

  /** @returns undefined when the world turned out to be another; the cache knows it then, and the caller decides anew. */
  async function tryToPlace(alert: Alert, found: Grouped): Promise<Placed | undefined> {
    const namespace = alert.metadata.namespace ?? '';
    const { rule, groupKey } = found;
    const isOver = overSince(alert) !== undefined;
    const heardAt = parseInstant(alert.spec.receivedAt) ?? clock.now();
    const verdict = decideIncident({ ...bookOf(namespace), rule, groupKey, isOver }, heardAt);
    if (verdict.kind === 'join') return join(verdict.join);
    if (verdict.kind === 'open') return open(alert, found, verdict.open);
    const reopened = await reopen(verdict.reopen, alert);
    return reopened && { answer: 'Reopened', incident: reopened };
  }

  /** While the watch is down the cache may tell of an incident that people have closed meanwhile. */
  async function join(incident: Incident): Promise<Placed | undefined> {
    const { namespace = '', name, resourceVersion } = incident.metadata;
    if (caches.incidents.fresh()) return { answer: 'Joined', incident };
    const current = await read(namespace, name);
    if (current === undefined) throw new Error(`the cache still shows ${name}, which is gone`);
    if (current.metadata.resourceVersion === resourceVersion) return { answer: 'Joined', incident };
    return current.spec.phase === incident.spec.phase ? { answer: 'Joined', incident: current } : undefined;
  }

  /** @returns undefined when the world turned out to be another; the cache knows it then, and the caller decides anew. */
  async function open(alert: Alert, found: Grouped, opening: number): Promise<Placed | undefined> {
    const namespace = alert.metadata.namespace ?? '';
    const wanted = newIncident({
      namespace,
      alert: alert.spec,
      rule: found.rule,
      group: found.group,
      groupKey: found.groupKey,
      opening,
      isDemo: alert.metadata.labels?.[DEMO_LABEL] === 'true',
      now: clock.now(),
    });
    let name = wanted.metadata.name;
    for (let clash = 1; clash <= MAX_ATTEMPTS; clash += 1) {
      const incident = { ...wanted, metadata: { ...wanted.metadata, name } };
      if (isRemembered(keyOf(incident))) {
        // Where a leader beside us has just made it, its alerts may be seen before it is.
        const there = await read(namespace, name);
        if (there !== undefined && sameOrigin(there, incident)) return undefined;
        name = lengthen(wanted.metadata.name, clash);
        continue;
      }
      try {
        const created = await client.create<Incident>(INCIDENTS, incident, { fieldManager: FIELD_MANAGER });
        caches.incidents.observe(created);
        return { answer: 'Opened', incident: created };
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
        const there = await read(namespace, name);
        if (there === undefined || sameOrigin(there, incident)) return undefined;
        name = lengthen(wanted.metadata.name, clash);
      }
    }
    throw new Error(`every name from ${wanted.metadata.name} to ${name} is taken by other incidents`);
  }

  /** Whether alerts that nobody asks about any more say that they were in an incident of that name, which was deleted: they would be counted in the next. */
  function isRemembered(key: string): boolean {
    if (caches.alerts.countOf(BY_FORMER_INCIDENT, key) > 0) return true;
    return caches.alerts.byIndex(BY_INCIDENT, key).some(({ spec }) => spec.state !== 'Firing');
  }

  /** Back to Detection, if it still is where it was seen: a person's move made a moment before is never undone. */
  async function reopen(incident: Incident, alert: Alert): Promise<Incident | undefined> {
    const key = { namespace: incident.metadata.namespace ?? '', name: incident.metadata.name };
    const how = overSince(alert) === undefined ? 'fires again' : 'fired again, and resolved unseen';
    try {
      const reopened = await client.jsonPatch<Incident>(
        INCIDENTS,
        key,
        [
          { op: 'test', path: '/metadata/uid', value: incident.metadata.uid },
          { op: 'test', path: '/metadata/resourceVersion', value: incident.metadata.resourceVersion },
          { op: 'test', path: '/spec/phase', value: incident.spec.phase },
          { op: 'replace', path: '/spec/phase', value: 'Detection' },
          { op: 'add', path: '/spec/phaseReason', value: `came back: ${alert.metadata.name} ${how}` },
        ],
        { fieldManager: FIELD_MANAGER },
      );
      caches.incidents.observe(reopened);
      return reopened;
    } catch (error) {
      if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
      await read(key.namespace, key.name);
      return undefined;
    }
  }

  async function joinOrphan(alert: Alert, { rule, groupKey }: Grouped): Promise<Placed> {
    const group = indexKey(alert.metadata.namespace ?? '', groupOf(rule, groupKey));
    return groups.run(group, async () => orphanOf(group));
  }

  function orphanOf(group: string): Placed {
    const orphan = caches.incidents
      .byIndex(BY_ORIGIN, group)
      .find((incident) => isOrphan(incident, caches.alerts.byIndex(BY_INCIDENT, keyOf(incident)).length));
    return orphan === undefined ? { answer: 'ResolvedFirst' } : { answer: 'Joined', incident: orphan };
  }

  async function read(namespace: string, name: string): Promise<Incident | undefined> {
    try {
      const incident = await client.get<Incident>(INCIDENTS, { namespace, name });
      caches.incidents.observe(incident);
      return incident;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  return { place, joinOrphan, read };
}

const indexKey = (namespace: string, { ruleRef, groupKey }: OriginGroup): string =>
  originKey(namespace, ruleRef?.name, groupKey);

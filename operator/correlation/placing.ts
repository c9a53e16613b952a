/**
 * Finds the incident that an alert belongs to, or makes it. At most one is open per rule and group, whenever the operator dies: an
 * incident's name follows from its origin, which stands in the create itself, and what was written is in the cache before the next look.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { DEMO_LABEL, INCIDENTS } from '@funnelai/crds/meta';
import { decideIncident, type Ruling } from '@funnelai/domain/correlate';
import { lengthen } from '@funnelai/domain/incident-name';
import { newIncident } from '@funnelai/domain/opening';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '@funnelai/kube/errors';
import { keyOf } from '@funnelai/kube/paths';
import { BY_INCIDENT, BY_ORIGIN } from '../caches.ts';
import type { Deps } from '../controller.ts';
import { FIELD_MANAGER } from '../identity.ts';
import { type Answer, isOrphan, overSince, sameOrigin } from './decide.ts';

/** How often the placing of one alert may find the world changed before it goes back to the queue. */
const MAX_ATTEMPTS = 8;
export type Grouped = Extract<Ruling, { record: false }>;

export interface Placed {
  answer: Answer;
  incident?: Incident;
}

/** All are to run alone for their group; they throw KubeError. */
export interface Placing {
  /** Finds the incident of the group, or makes it. */
  place(alert: Alert, found: Grouped, group: string): Promise<Placed>;
  /** For an alert that nobody ever said fires: only an incident that a death left without any alert takes it, lest that never end. */
  joinOrphan(group: string): Promise<Placed>;
  /** The incident as the API server has it now; the cache learns of it. */
  read(namespace: string, name: string): Promise<Incident | undefined>;
}

export function createPlacing({ caches, client, clock }: Pick<Deps, 'caches' | 'client' | 'clock'>): Placing {
  async function place(alert: Alert, found: Grouped, group: string): Promise<Placed> {
    const namespace = alert.metadata.namespace ?? '';
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const verdict = decideIncident(
        {
          rule: found.rule,
          groupKey: found.groupKey,
          incidents: caches.incidents.byIndex(BY_ORIGIN, group),
          lookup: (name) => caches.incidents.get(namespace, name),
          overSince: overSince(alert),
        },
        clock.now(),
      );
      if (verdict.kind === 'join') {
        if (caches.incidents.fresh()) return { answer: 'Joined', incident: verdict.join };
        // While the watch is down the cache may tell of an incident that people have closed meanwhile.
        const current = await read(namespace, verdict.join.metadata.name);
        if (current?.metadata.resourceVersion === verdict.join.metadata.resourceVersion) {
          return { answer: 'Joined', incident: verdict.join };
        }
        if (current !== undefined && current.spec.phase === verdict.join.spec.phase) {
          return { answer: 'Joined', incident: current };
        }
        if (current === undefined)
          throw new Error(`the cache still shows ${verdict.join.metadata.name}, which is gone`);
      } else if (verdict.kind === 'reopen') {
        const reopened = await reopen(verdict.reopen, alert);
        if (reopened !== undefined) return { answer: 'Reopened', incident: reopened };
      } else {
        const opened = await open(alert, found, verdict.open);
        if (opened !== undefined) return opened;
      }
    }
    throw new Error(
      `no incident found for ${keyOf(alert)} in ${MAX_ATTEMPTS} attempts: others keep changing the group`,
    );
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

  async function joinOrphan(group: string): Promise<Placed> {
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

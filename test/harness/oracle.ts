/**
 * The judge of every fault story: what was promised to senders and people, held against what the cluster and Postgres hold.
 * Pure: reading the two is oracle-reader.ts. A world that kept every promise has no violations.
 */
import type { Alert, Incident, IncidentChange } from '@funnelai/crds/generated/types';

/** A fault as its sender last named it, answered 2xx. */
export interface AnsweredFault {
  /** Value of the label `fault`, which tells it from all others of its namespace. */
  id: string;
  state: 'Firing' | 'Resolved';
  startsAt: string;
}

/** One thing that a person changed, acknowledged by the API server. */
export interface Act {
  uid: string;
  incident: string;
  kind: IncidentChange['kind'];
  to: string;
  by: string;
  reason?: string;
  /** From before the first attempt until after the answer, epoch milliseconds. */
  beganMs: number;
  answeredMs: number;
}

/** Whatever somebody was told would last. */
export interface Told {
  faults: readonly AnsweredFault[];
  /** In the order in which they were made, for each incident. Every act of a person on these incidents is here. */
  acts: readonly Act[];
  /** Incidents whose deletion was accepted, by uid. */
  deleted: readonly string[];
}

export interface IncidentRow {
  uid: string;
  name: string;
  phase: string;
  owner: string | null;
  severity: string;
  change_sequence: number;
  deleted_at: string | null;
}
export interface ChangeRow {
  incident_uid: string;
  sequence: number;
  kind: string;
  from_value: string | null;
  to_value: string | null;
  at: string;
  by: string;
  reason: string | null;
}
export interface AlertRow {
  uid: string;
  name: string;
  fault: string | null;
  state: string;
  incident_name: string | null;
  deleted_at: string | null;
}

/** What is there, of one namespace. */
export interface Seen {
  alerts: readonly Alert[];
  incidents: readonly Incident[];
  rows: { incidents: readonly IncidentRow[]; changes: readonly ChangeRow[]; alerts: readonly AlertRow[] };
}

const OPEN: readonly string[] = ['Detection', 'Response', 'Mitigation'];
/** Admission notes times in whole seconds. */
const GRAIN_MS = 1_000;
const MACHINE = /^system:serviceaccount:/;

/** Every broken promise in words; empty when all were kept. */
export function violations(told: Told, seen: Seen): string[] {
  return [...brokenPromises(told, seen), ...miscounted(seen)];
}

/** The same without the counts of alerts, which are written at most every ten seconds: stories that follow each other need not all wait for them. */
export function brokenPromises(told: Told, seen: Seen): string[] {
  return [
    ...lostAlerts(told, seen),
    ...unansweredAlerts(seen),
    ...doubleIncidents(seen),
    ...seen.incidents.flatMap((incident) => unsettled(incident, seen)),
    ...brokenRecords(seen),
    ...misrecordedActs(told, seen),
    ...lingering(told, seen),
    ...falseMirror(seen),
  ];
}

/** 2xx means stored: as an Alert, or in history once it has left. */
function lostAlerts({ faults }: Told, { alerts, rows }: Seen): string[] {
  return faults.flatMap(({ id, state, startsAt }) => {
    const live = alerts.filter(({ spec }) => spec.labels?.fault === id);
    if (live.length > 1) return [`fault ${id} is ${live.length} Alerts: ${live.map(nameOf).join(', ')}`];
    const [alert] = live;
    if (alert === undefined) {
      const row = rows.alerts.find(({ fault }) => fault === id);
      if (row === undefined) return [`fault ${id} was answered 2xx and is neither an Alert nor in history`];
      return row.state === state ? [] : [`fault ${id} left as ${row.state} and was last answered as ${state}`];
    }
    if (alert.spec.state !== state) return [`fault ${id} is ${alert.spec.state} and was last answered as ${state}`];
    // Reports that overtook each other may leave the start of the episode before beside it (domain/merge.ts); the newest is right always.
    const began = alert.spec.latestStartsAt ?? alert.spec.startsAt;
    if (Date.parse(began) === Date.parse(startsAt)) return [];
    return [`fault ${id} began at ${began} and was last answered as begun at ${startsAt}`];
  });
}

/** Every firing alert knows its incident, which is there and has not been left to rest by a machine; what has fired and is over was told. */
function unansweredAlerts({ alerts, incidents }: Seen): string[] {
  return alerts.flatMap((alert) => {
    const { spec, status } = alert;
    if (alert.metadata.deletionTimestamp !== undefined) return [];
    const correlated = status?.conditions?.find(({ type }) => type === 'Correlated');
    const isWavedOff = correlated === undefined || correlated.reason === 'ResolvedFirst';
    if (spec.state === 'Resolved' && Date.parse(spec.firingStartsAt ?? '') >= Date.parse(spec.startsAt) && isWavedOff)
      return [`${nameOf(alert)} has fired and resolved, and nobody was told`];
    if (spec.state !== 'Firing') return [];
    if (correlated === undefined) return [`${nameOf(alert)} fires and has no answer`];
    if (correlated.reason === 'Recorded') return [];
    if (correlated.status !== 'True') return [`${nameOf(alert)} fires and its answer is ${correlated.reason}`];
    const ref = status?.incidentRef?.name ?? '';
    const incident = incidents.find(({ metadata }) => metadata.name === ref);
    if (incident === undefined) return [`${nameOf(alert)} fires in ${ref || 'no incident'}, which is not there`];
    const last = incident.status?.changes?.findLast(({ kind }) => kind === 'Phase');
    const byMachine = MACHINE.test(last?.by ?? '');
    if (OPEN.includes(incident.spec.phase) || !byMachine) return [];
    return [`${nameOf(alert)} fires in ${ref}, which a machine has put to ${incident.spec.phase}`];
  });
}

/** No group has two, but by the act of a person who put one that had ended back to work: the newest takes the alerts then. */
function doubleIncidents({ incidents }: Seen): string[] {
  const open = new Map<string, string[]>();
  for (const incident of incidents) {
    const { metadata, spec } = incident;
    if (spec.origin === undefined || !OPEN.includes(spec.phase) || metadata.deletionTimestamp !== undefined) continue;
    if (wasPutBack(incident)) continue;
    const group = `${spec.origin.ruleRef?.name ?? 'the built-in rule'} ${spec.origin.groupKey}`;
    open.set(group, [...(open.get(group) ?? []), `${metadata.name} (${lastMove(incident)})`]);
  }
  return [...open]
    .filter(([, names]) => names.length > 1)
    .map(([group, names]) => `${group} has ${names.length} open incidents: ${names.join(', ')}`);
}

/** A person, and nobody since, has opened it again after its end. */
function wasPutBack({ status }: Incident): boolean {
  const opened = status?.changes?.findLast(
    ({ kind, from = '', to = '' }) => kind === 'Phase' && OPEN.includes(to) && !OPEN.includes(from),
  );
  return opened?.from !== undefined && !MACHINE.test(opened.by);
}

function lastMove({ status }: Incident): string {
  const last = status?.changes?.findLast(({ kind }) => kind === 'Phase');
  return `${last?.from ?? 'nothing'} to ${last?.to ?? 'nothing'} by ${last?.by ?? 'nobody'} at ${last?.at ?? 'no time'}`;
}

/** What an incident counts is there. */
export function miscounted({ incidents, alerts }: Pick<Seen, 'incidents' | 'alerts'>): string[] {
  return incidents.flatMap(({ metadata, status }) => {
    const members = alerts.filter((alert) => alert.status?.incidentRef?.name === metadata.name);
    const firing = members.filter((alert) => alert.spec.state === 'Firing').length;
    const counted = status?.alerts;
    // Those that left the cluster, or went on to another incident unseen, stay counted apart.
    const over =
      (counted?.resolved ?? 0) - (counted?.gone ?? 0) + (counted?.expired ?? 0) - (counted?.expiredGone ?? 0);
    if (counted?.firing === firing && over === members.length - firing) return [];
    return [
      `${metadata.name}: has ${firing} firing of ${members.length} alerts, counts ${counted?.firing} and ${over} resolved or expired`,
    ];
  });
}

/** What is asked is answered, and what status and history say of a number is the same. */
function unsettled(incident: Incident, { rows }: Seen): string[] {
  const { metadata, spec, status } = incident;
  const found: string[] = [];
  const say = (text: string) => found.push(`${metadata.name}: ${text}`);
  if (status?.phase !== spec.phase) say(`asked for ${spec.phase}, answered ${status?.phase ?? 'nothing'}`);
  const observed = status?.observed;
  if (observed?.severity !== spec.severity) say(`severity ${spec.severity} is recorded as ${observed?.severity}`);
  if (observed?.owner !== spec.owner?.name) say(`owner ${spec.owner?.name} is recorded as ${observed?.owner}`);
  const own = rows.changes.filter((row) => row.incident_uid === metadata.uid);
  if (own.length !== status?.changeSequence) {
    say(`is at change ${status?.changeSequence}, history has ${own.length}`);
  }
  for (const change of status?.changes ?? []) {
    const row = own.find(({ sequence }) => sequence === change.sequence);
    if (row === undefined) say(`change ${change.sequence} is not in history`);
    else if (wordsOf(row) !== wordsOf(rowOf(change))) {
      say(`change ${change.sequence} is "${wordsOf(rowOf(change))}", in history "${wordsOf(row)}"`);
    }
  }
  return found;
}

/** Numbers without a hole, and each change beginning where the one before of its kind ended: nothing is there twice. */
function brokenRecords({ rows }: Seen): string[] {
  return rows.incidents.flatMap(({ uid, name, change_sequence }) => {
    const own = rows.changes.filter((row) => row.incident_uid === uid).sort((a, b) => a.sequence - b.sequence);
    const found: string[] = [];
    const max = own.at(-1)?.sequence ?? 0;
    if (max !== own.length) found.push(`${name}: history has ${own.length} changes, the last is number ${max}`);
    if (max !== change_sequence) found.push(`${name}: its row says change ${change_sequence}, the last is ${max}`);
    const values = new Map<string, string | null>();
    for (const row of own) {
      const before = values.get(row.kind) ?? null;
      if (row.from_value !== before) {
        found.push(`${name}: change ${row.sequence} "${wordsOf(row)}" follows ${row.kind} ${before ?? 'nothing'}`);
      }
      if (row.from_value === row.to_value) found.push(`${name}: change ${row.sequence} changes nothing`);
      values.set(row.kind, row.to_value);
    }
    return found;
  });
}

/** What people did is on record once, in order, under their names, at its time; and nothing is that they did not do. */
function misrecordedActs({ acts }: Told, { rows }: Seen): string[] {
  const uids = new Set(acts.map(({ uid }) => uid));
  const byPeople = rows.changes.filter(({ by }) => !MACHINE.test(by));
  for (const { incident_uid } of byPeople) uids.add(incident_uid);
  return [...uids].flatMap((uid) => {
    const made = acts.filter((act) => act.uid === uid);
    const kept = byPeople.filter(({ incident_uid }) => incident_uid === uid).sort((a, b) => a.sequence - b.sequence);
    const name = made[0]?.incident ?? rows.incidents.find((row) => row.uid === uid)?.name ?? uid;
    const wanted = made.map(actWords);
    const there = kept.map((row) => [row.kind, row.to_value, row.by, row.reason].filter(Boolean).join(' '));
    const first = wanted.findIndex((words, i) => words !== there[i]);
    if (first >= 0 || there.length > wanted.length) {
      const at = first >= 0 ? first : wanted.length;
      const [did, says] = [wanted[at] ?? 'nothing', there[at] ?? 'nothing'];
      return [
        `${name}: act ${at + 1} of ${wanted.length} was "${did}", history says "${says}" (${there.length} in all)`,
      ];
    }
    return made.flatMap((act, i) => {
      const atMs = Date.parse(kept[i]?.at ?? '');
      const inTime = atMs > act.beganMs - GRAIN_MS && atMs <= act.answeredMs;
      if (inTime) return [];
      const span = `${new Date(act.beganMs).toISOString()} to ${new Date(act.answeredMs).toISOString()}`;
      return [`${name}: "${actWords(act)}" was made ${span}, history says ${kept[i]?.at}`];
    });
  });
}

/** What was deleted is gone, no finalizer holds it, and history knows that it left. */
function lingering({ deleted }: Told, { incidents, rows }: Seen): string[] {
  const held = incidents
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => `${metadata.name} is being deleted and held by ${metadata.finalizers?.join(', ')}`);
  const returned = deleted.flatMap((uid) => {
    if (incidents.some(({ metadata }) => metadata.uid === uid && metadata.deletionTimestamp === undefined)) {
      return [`${uid} was deleted and lives`];
    }
    return rows.incidents.some((row) => row.uid === uid) ? [] : [`${uid} was deleted and is not in history`];
  });
  return [...held, ...returned];
}

/** History holds as living what lives, and nothing else, in its present state. */
function falseMirror({ alerts, incidents, rows }: Seen): string[] {
  const found: string[] = [];
  const compare = <R extends { uid: string; name: string; deleted_at: string | null }, T extends Alert | Incident>(
    what: string,
    live: readonly T[],
    kept: readonly R[],
    differs: (object: T, row: R) => string | undefined,
  ) => {
    const byUid = new Map(kept.map((row) => [row.uid, row]));
    for (const object of live) {
      const row = byUid.get(object.metadata.uid ?? '');
      byUid.delete(object.metadata.uid ?? '');
      if (row === undefined) found.push(`${what} ${nameOf(object)} is not in history`);
      else if (row.deleted_at !== null && object.metadata.deletionTimestamp === undefined) {
        found.push(`${what} ${nameOf(object)} lives, history says deleted`);
      } else {
        const difference = differs(object, row);
        if (difference !== undefined) found.push(`${what} ${nameOf(object)} ${difference}`);
      }
    }
    for (const row of byUid.values()) {
      if (row.deleted_at === null) found.push(`${what} ${row.name} is gone, history says it lives`);
    }
  };
  const unless = (same: boolean, text: string) => (same ? undefined : text);
  compare('incident', incidents, rows.incidents, ({ spec }, row) =>
    unless(
      spec.phase === row.phase && spec.severity === row.severity && (spec.owner?.name ?? null) === row.owner,
      `is ${spec.phase} ${spec.severity} of ${spec.owner?.name}, in history ${row.phase} ${row.severity} of ${row.owner}`,
    ),
  );
  compare('alert', alerts, rows.alerts, ({ spec, status }, row) =>
    unless(
      spec.state === row.state && (status?.incidentRef?.name ?? null) === row.incident_name,
      `is ${spec.state} in ${status?.incidentRef?.name}, in history ${row.state} in ${row.incident_name}`,
    ),
  );
  return found;
}

const nameOf = ({ metadata }: Alert | Incident): string => metadata.name;

const actWords = ({ kind, to, by, reason }: Act): string => [kind, to, by, reason].filter(Boolean).join(' ');

type Words = Pick<ChangeRow, 'kind' | 'from_value' | 'to_value' | 'by' | 'reason' | 'at'>;
const rowOf = (change: IncidentChange): Words => ({
  kind: change.kind,
  from_value: change.from ?? null,
  to_value: change.to ?? null,
  by: change.by,
  reason: change.reason ?? null,
  at: change.at,
});
const wordsOf = ({ kind, from_value, to_value, by, reason, at }: Words): string =>
  [kind, `${from_value ?? ''}>${to_value ?? ''}`, by, new Date(at).toISOString(), reason].filter(Boolean).join(' ');

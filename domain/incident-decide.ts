/**
 * One step of an incident's life as a pure function: which changes are numbered, what the status then says, what the operator
 * itself wants of spec, what is told as Events, and when to look again. Reading and writing are the operator's.
 *
 * Order of writing, on which the write budget rests: a `specPatch` goes first, guarded by the resourceVersion; its answer is
 * stepped again, which numbers the operator's own act together with what led to it; then the status is written, once. Should the
 * patch be refused for good, the status of this step is right as it is.
 */
import type {
  Alert,
  Incident,
  IncidentChange,
  IncidentSpec,
  IncidentStatus,
  Severity,
} from '@funnelai/crds/generated/types';
import type { Temporal } from 'temporal-polyfill';
import { automaticMove } from './automatic-move.ts';
import { UNMIRRORED_PAUSE, unmirrored } from './change-ring.ts';
import { type NextChanges, nextChanges } from './changes.ts';
import { sameJson } from './equal.ts';
import { conditionsFor, foldedIn, MIRROR_LAG_MS, type MirrorFacts } from './incident-conditions.ts';
import { eventsOf, type IncidentEvent } from './incident-events.ts';
import { formatMicros, msBetween } from './instants.ts';
import { isOpen } from './lifecycle.ts';
import { continued, type Renumbered, renumbered } from './renumber.ts';
import { BUILT_IN_RULE, type CompiledRule } from './rules.ts';
import { defaultPriority, isWorse, worst } from './severity.ts';
import { isMachineUser } from './users.ts';

/** Alerts that were in an incident and are not any more: gone from the cluster, or in another incident. */
export interface Departures {
  /** Gone from the cluster after they had resolved, as retention lets them go; or in another incident with their next episode. */
  resolved: number;
  /** Gone from the cluster after they had expired. */
  expired: number;
  /** Gone from the cluster as they fired. */
  others: number;
  /** In another incident, or in none, with the same episode: those that `elsewhere` counts. */
  moved: number;
  /** Those of `elsewhere` that are gone from the cluster, or have been in so many others since that nobody remembers. */
  forgotten: number;
}
export interface IncidentStep {
  incident: Incident;
  /** Live Alerts whose status names this incident. */
  members: readonly Alert[];
  /** How many live Alerts were in it and are elsewhere now; none when absent. */
  elsewhere?: number | undefined;
  /** Alerts that left it since the last count that was written; none when absent. */
  left?: Departures | undefined;
  /** The rule of its origin, from `ruleOf`; the built-in one's word where it is absent. */
  rule?: CompiledRule | undefined;
  mirror: MirrorFacts;
  isMachine(user: string): boolean;
  /** Its `mergedInto` leads to no incident. */
  isMergedIntoNothing?: boolean;
  /** Field manager of the last write to spec, where it is known. */
  manager?: string | undefined;
  now: Temporal.Instant;
}
export interface IncidentSpecPatch
  extends Partial<Pick<IncidentSpec, 'phase' | 'phaseReason' | 'owner' | 'severity' | 'priority'>> {}
export interface IncidentStepResult {
  /** Structurally equal to the present one when there is nothing to write. */
  status: IncidentStatus;
  /** Absent when the operator wants nothing of spec. */
  specPatch?: IncidentSpecPatch;
  /** To be told once the status is written; none when the status is as it was. */
  events: IncidentEvent[];
  /** Present when changes got other numbers than the present status says. */
  renumbered?: Renumbered;
  /** Absent when only a change can bring news. */
  requeueAfterMs?: number;
}

/** Counts and conditions that move with every alert are written at most this often. */
export const SLOW_WRITE_MS = 10_000;
/** How long the first status waits for the alert that opened the incident, so that birth is one status write with its count. */
export const BIRTH_PATIENCE_MS = 2_000;

export function decideIncidentStep(step: IncidentStep): IncidentStepResult {
  const { incident, now } = step;
  const held: IncidentStatus = incident.status ?? { observedGeneration: -1 };
  if (isBeingRestored(incident)) return { status: held, events: [] };
  const patienceMs = birthPatienceMs(step);
  if (patienceMs > 0) return { status: held, events: [], requeueAfterMs: patienceMs };

  const rule = step.rule ?? BUILT_IN_RULE;
  const numbered = nextChanges(incident, { ...step, mirroredSequence: mirroredBy(step.mirror) });
  const settled = settledWith(held, numbered, step.mirror);
  const mirror = settled === undefined ? step.mirror : withRowsOf(step.mirror);
  const recorded =
    settled === undefined ? numbered : { ...numbered, status: { ...numbered.status, ...numbersOf(settled) } };
  const alerts = countsOf(step, held.alerts);
  const isNews = recorded.added.length > 0 || settled !== undefined;
  const slowDueMs = slowWriteDueMs(held, now);
  const mayWriteSlow = isNews || slowDueMs === 0;

  const full: IncidentStatus = {
    ...recorded.status,
    observedGeneration: observedGeneration(incident, held, recorded),
    alerts,
  };
  const waiting = unmirrored(full.changeSequence ?? 0, mirroredBy(mirror));
  full.conditions = conditionsFor({
    ...step,
    status: full,
    held: held.conditions ?? [],
    hasUnresolvedLeft: hasUnresolvedLeft(step),
    hasResolvedLeft: (step.left?.resolved ?? 0) > 0,
    mirror,
    renumbered: settled,
  });
  const slowNews = !sameJson([full.alerts, slowConditions(full)], [held.alerts, slowConditions(held)]);
  const status =
    slowNews && !mayWriteSlow ? withHeldSlow(full, held) : { ...full, alerts: stamped(full, held, slowNews, now) };

  const dues: number[] = [];
  if (slowNews && !mayWriteSlow) dues.push(slowDueMs);
  if (waiting > 0 && (mirror.lagMs ?? 0) < MIRROR_LAG_MS) dues.push(MIRROR_LAG_MS - (mirror.lagMs ?? 0));
  const result: IncidentStepResult = { status: sameJson(status, held) ? held : status, events: [] };
  if (settled !== undefined) result.renumbered = settled;
  const isFull = recorded.isFull;
  const isPaused = isFull || waiting >= UNMIRRORED_PAUSE;
  if (!isPaused && incident.metadata.deletionTimestamp === undefined) {
    const wanted = wantedOf(step, rule, recorded, alerts);
    if (wanted.patch !== undefined) result.specPatch = wanted.patch;
    if (wanted.dueMs !== undefined) dues.push(wanted.dueMs);
  }
  if (result.status !== held)
    result.events = eventsOf(recorded.added, { ...step, held, status, isPaused, isFull, renumbered: settled });
  if (dues.length > 0) result.requeueAfterMs = Math.max(0, Math.ceil(Math.min(...dues)));
  return result;
}

/** A deletion is a generation too, and no news: a write for that alone would be one too many at the end of every incident. */
function observedGeneration({ metadata }: Incident, held: IncidentStatus, { added, isFull }: NextChanges): number {
  const isOnlyDeleted = metadata.deletionTimestamp !== undefined && added.length === 0;
  return isFull || isOnlyDeleted ? held.observedGeneration : (metadata.generation ?? held.observedGeneration);
}

/**
 * Whether its first status is still to come from whoever restores it, out of history: until then it would look like a birth. From that
 * status on it is the operator's alone, like any other.
 */
export function isBeingRestored({ spec, status }: Incident): boolean {
  return status?.phase === undefined && (spec.restoredFrom?.changeSequence ?? 0) > 0;
}

const mirroredBy = ({ isOff, mirroredSequence }: MirrorFacts): number =>
  isOff ? Number.MAX_SAFE_INTEGER : mirroredSequence;

/**
 * The status in accord with history's numbers; undefined when it is already. First everything is numbered and looked for in history:
 * an act may be there from before the cluster was set back.
 */
function settledWith(held: IncidentStatus, numbered: NextChanges, mirror: MirrorFacts): Renumbered | undefined {
  if (numbered.added.length > 0) return undefined;
  const { conflict, storedSequence = 0, mirroredSequence } = mirror;
  return conflict === undefined ? continued(held, { storedSequence, mirroredSequence }) : renumbered(held, conflict);
}
const numbersOf = ({ status: { changes, changeSequence } }: Renumbered) => ({
  changes: changes ?? [],
  changeSequence: changeSequence ?? 0,
});

/** Once renumbered, everything up to history's last number is there, and nothing contradicts any more. */
function withRowsOf({ conflict, refused: _, ...mirror }: MirrorFacts): MirrorFacts {
  const stored = Math.max(conflict?.storedSequence ?? 0, mirror.storedSequence ?? 0);
  return { ...mirror, mirroredSequence: Math.max(mirror.mirroredSequence, stored) };
}

/**
 * An incident that an alert opened is a moment without it: the alert's status is written after the create. Milliseconds to wait;
 * 0 once the alert is there, a person has acted, or the time is over.
 */
function birthPatienceMs({ incident, members, now }: IncidentStep): number {
  const { spec, metadata, status } = incident;
  if (status?.phase !== undefined || spec.origin === undefined || members.length > 0 || spec.phase !== 'Detection')
    return 0;
  const ageMs = msBetween(metadata.creationTimestamp, formatMicros(now));
  return ageMs === undefined || ageMs < 0 ? 0 : Math.max(0, BIRTH_PATIENCE_MS - ageMs);
}

function slowWriteDueMs({ alerts }: IncidentStatus, now: Temporal.Instant): number {
  const sinceMs = msBetween(alerts?.asOf, formatMicros(now));
  // A count dated after now was written under another clock: it holds nothing back for longer than the interval.
  return sinceMs === undefined ? 0 : Math.min(SLOW_WRITE_MS, Math.max(0, SLOW_WRITE_MS - sinceMs));
}

const NONE_LEFT: Departures = { resolved: 0, expired: 0, others: 0, moved: 0, forgotten: 0 };
const hasUnresolvedLeft = ({ left = NONE_LEFT }: IncidentStep): boolean => left.others + left.moved > 0;

type Counts = NonNullable<IncidentStatus['alerts']>;

/**
 * `total` counts every alert that ever joined, `resolved` keeps those that had resolved when they left the cluster: objects that go
 * change nothing about what happened. Whoever joined since the last count is what is there, or was there and is elsewhere, beside those of
 * the last count that have not left: who comes back from elsewhere is no one new. Some may have left while nobody looked; which of them had resolved shows in how many resolved ones are missing.
 */
function countsOf({ members, elsewhere = 0, left = NONE_LEFT, now }: IncidentStep, held: Counts | undefined): Counts {
  const inState = (state: Alert['spec']['state']) => members.filter(({ spec }) => spec.state === state).length;
  const [resolved, expired] = [inState('Resolved'), inState('Expired')];
  const wereGone = held?.gone ?? 0;
  const wereResolved = (held?.resolved ?? 0) - wereGone;
  const wereExpiredGone = held?.expiredGone ?? 0;
  const wereExpired = (held?.expired ?? 0) - wereExpiredGone;
  // Before the first count only those that were seen to go: an incident of that name may have been here before.
  const wereElsewhere = held === undefined ? elsewhere - left.moved : (held.elsewhere ?? 0);
  const departed = left.resolved + left.expired + left.others + left.forgotten;
  const were = (held?.firing ?? 0) + wereResolved + wereExpired + wereElsewhere;
  const joined = members.length + elsewhere + departed - were;
  const missing = Math.max(0, -joined);
  const unseen = Math.min(missing, Math.max(0, wereResolved - resolved - left.resolved));
  const unseenExpired = Math.min(missing - unseen, Math.max(0, wereExpired - expired - left.expired));
  const gone = wereGone + left.resolved + unseen;
  const expiredGone = wereExpiredGone + left.expired + unseenExpired;
  const folded = foldedIn(members).firing;
  return {
    firing: inState('Firing'),
    resolved: resolved + gone,
    ...(expired + expiredGone > 0 && { expired: expired + expiredGone }),
    total: Math.max(members.length, (held?.total ?? 0) + Math.max(0, joined)),
    ...(elsewhere > 0 && { elsewhere }),
    ...(gone > 0 && { gone }),
    ...(expiredGone > 0 && { expiredGone }),
    ...(folded > 0 && { folded }),
    asOf: held?.asOf ?? formatMicros(now),
  };
}

const SLOW = ['AlertsCleared', 'HistoryMirrored', 'AlertsTruncated'];
const slowConditions = ({ conditions }: IncidentStatus) => (conditions ?? []).filter(({ type }) => SLOW.includes(type));

function stamped(full: IncidentStatus, held: IncidentStatus, slowNews: boolean, now: Temporal.Instant): Counts {
  const counts = full.alerts ?? { firing: 0, resolved: 0, total: 0, asOf: formatMicros(now) };
  return slowNews || held.alerts === undefined ? { ...counts, asOf: formatMicros(now) } : held.alerts;
}

function withHeldSlow(full: IncidentStatus, held: IncidentStatus): IncidentStatus {
  const conditions = (full.conditions ?? []).flatMap((condition) =>
    SLOW.includes(condition.type) ? (held.conditions?.find(({ type }) => type === condition.type) ?? []) : condition,
  );
  return { ...full, conditions, ...(held.alerts === undefined ? {} : { alerts: held.alerts }) };
}

function wantedOf(
  step: IncidentStep,
  rule: CompiledRule,
  recorded: NextChanges,
  alerts: Counts,
): { patch?: IncidentSpecPatch; dueMs?: number } {
  const { incident, members, isMachine, now } = step;
  const move = automaticMove({
    incident,
    recorded,
    members,
    hasUnresolvedLeft: hasUnresolvedLeft(step),
    alerts,
    rule,
    isMachine,
    now,
  });
  const patch: IncidentSpecPatch = {
    ...severityRaise(incident, recorded, members, rule),
    ...ownerToName(incident, recorded, isMachine),
    ...(move.kind === 'move' ? { phase: move.to, phaseReason: move.reason } : {}),
  };
  return {
    ...(Object.keys(patch).length > 0 ? { patch } : {}),
    ...(move.kind === 'wait' ? { dueMs: move.dueMs } : {}),
  };
}

/** Only ever raised, only while open and while no person set it; the priority goes with it unless it is fixed, set, or higher. */
function severityRaise(
  { spec, status: held }: Incident,
  { status }: NextChanges,
  members: readonly Alert[],
  rule: CompiledRule,
): IncidentSpecPatch {
  const pinned = status.pinned ?? [];
  // Declared without one where no policy fills it in. Later, an incident without a priority is someone's will.
  const missing: IncidentSpecPatch =
    held?.phase === undefined && spec.priority === undefined
      ? { priority: rule.incident.priority ?? defaultPriority(spec.severity) }
      : {};
  if (!isOpen(spec.phase) || pinned.includes('severity') || rule.incident.severity?.fixed !== undefined) return missing;
  const severity = members.reduce<Severity>((soFar, alert) => worst(soFar, alert.spec.severity), spec.severity);
  if (!isWorse(severity, spec.severity)) return missing;
  const priority = defaultPriority(severity);
  const isFixed = pinned.includes('priority') || rule.incident.priority !== undefined;
  const isHigher = spec.priority === undefined || priority < spec.priority;
  return { ...missing, severity, ...(!isFixed && isHigher ? { priority } : {}) };
}

/** User names that can stand in spec.owner.name. */
const OWNER_NAME = /^[^\s\p{Cc}](?:[^\p{Cc}]{0,254}[^\s\p{Cc}])?$/u;

/** Acknowledging without an owner makes the acknowledger owner: the last person who did, as the API server vouches. */
function ownerToName(
  { spec }: Incident,
  { added }: NextChanges,
  isMachine: (user: string) => boolean,
): IncidentSpecPatch {
  if (spec.owner !== undefined || (spec.phase !== 'Response' && spec.phase !== 'Mitigation')) return {};
  const at = added.findLastIndex(isAcknowledgement);
  const acknowledged = added[at];
  if (acknowledged === undefined || acknowledged.verified !== true) return {};
  if (isMachine(acknowledged.by) || isMachineUser(acknowledged.by)) return {};
  // Whoever was owner and is not any more was taken off by someone who meant it.
  if (added.slice(at).some(({ kind }) => kind === 'Owner') || !OWNER_NAME.test(acknowledged.by)) return {};
  return { owner: { name: acknowledged.by } };
}

const isAcknowledgement = ({ kind, from, to }: IncidentChange): boolean =>
  kind === 'Phase' && to === 'Response' && from !== 'Mitigation';

/** The conditions of an incident: what is true of it now, for kubectl wait, for Flux and for people. */
import type { Alert, IncidentStatus, Phase } from '@funnelai/crds/generated/types';
import type { Condition } from '@funnelai/crds/meta';
import type { Temporal } from 'temporal-polyfill';
import { CHANGES_MAX, UNMIRRORED_PAUSE, unmirrored } from './change-ring.ts';
import { type Claim, conditionOf, withCondition } from './conditions.ts';
import { formatMicros } from './instants.ts';
import { isOpen, PHASES } from './lifecycle.ts';
import type { ChangeConflict, Renumbered } from './renumber.ts';

/** What is known of the mirror in Postgres. */
export interface MirrorFacts {
  /** Number of the last change of this incident that is in Postgres. */
  mirroredSequence: number;
  /** How long the oldest change has been waiting; absent when none is, or nobody knows. */
  lagMs?: number | undefined;
  /** Why Postgres does not take it, when only a person can mend that. */
  refused?: string | undefined;
  /** The last number that history has of this incident; 0 when not known. */
  storedSequence?: number | undefined;
  /** History has another change under a number of this incident. */
  conflict?: ChangeConflict | undefined;
  /** No database was named: nothing is mirrored, and nothing waits for it. */
  isOff?: boolean | undefined;
}

/** A mirror that is this little behind is up to date: else each move would cost two more writes. */
export const MIRROR_LAG_MS = 60_000;

export interface ConditionFacts {
  /** Phase, times, counts and numbers as they will be written. */
  status: IncidentStatus;
  held: readonly Condition[];
  members: readonly Alert[];
  /** Whether alerts left it since the last count that had not resolved, or are another incident's now. */
  hasUnresolvedLeft: boolean;
  /** Whether alerts left it since the last count that had resolved. */
  hasResolvedLeft: boolean;
  mirror: MirrorFacts;
  isMachine(user: string): boolean;
  /** What was done in this step about a contradiction with history. */
  renumbered?: Renumbered | undefined;
  now: Temporal.Instant;
}

/** Returns all conditions; those that others wrote stay. */
export function conditionsFor(facts: ConditionFacts): Condition[] {
  const at = formatMicros(facts.now);
  const claims = [
    acknowledged(facts),
    alertsCleared(facts),
    mitigated(facts),
    resolved(facts),
    historyMirrored(facts),
    alertsTruncated(facts),
  ];
  return claims.reduce<Condition[]>((list, claim) => (claim ? withCondition(list, claim, at) : list), [...facts.held]);
}

const hasReached = (phase: Phase | undefined, goal: Phase): boolean =>
  phase !== undefined && PHASES.indexOf(phase) >= PHASES.indexOf(goal);

function acknowledged({ status, held, isMachine }: ConditionFacts): Claim | undefined {
  const type = 'Acknowledged';
  const { acknowledgedAt, changes = [] } = status;
  if (acknowledgedAt === undefined)
    return { type, status: 'False', reason: 'NobodyYet', message: 'nobody has answered in this round' };
  const answer = changes.find(({ kind, to, at }) => kind === 'Phase' && to !== 'Detection' && at === acknowledgedAt);
  // The change has left the status since: what was said of it then holds.
  if (answer === undefined && conditionOf(held, type)?.status === 'True') return undefined;
  if (answer !== undefined && isMachine(answer.by)) {
    const message =
      'someone has taken it in the system that sends its alerts, which its source is trusted in; nobody here has';
    return { type, status: 'True', reason: 'Upstream', message };
  }
  return { type, status: 'True', reason: 'ByPerson', message: 'a person has answered in this round' };
}

function mitigated({ status }: ConditionFacts): Claim {
  return hasReached(status.phase, 'Mitigation')
    ? { type: 'Mitigated', status: 'True', reason: 'PhaseReached', message: 'users no longer suffer' }
    : { type: 'Mitigated', status: 'False', reason: 'NotYet', message: 'users may still suffer' };
}

function resolved({ status }: ConditionFacts): Claim {
  return hasReached(status.phase, 'Resolution')
    ? { type: 'Resolved', status: 'True', reason: 'PhaseReached', message: 'the cause is gone' }
    : { type: 'Resolved', status: 'False', reason: 'NotYet', message: 'the cause is not known to be gone' };
}

/** An empty set has not resolved; alerts that have left the cluster change nothing. */
function alertsCleared({
  status,
  held,
  members,
  hasUnresolvedLeft,
  hasResolvedLeft,
}: ConditionFacts): Claim | undefined {
  if (members.some(({ spec }) => spec.state === 'Firing'))
    return { type: 'AlertsCleared', status: 'False', reason: 'AlertsFiring', message: 'alerts of it still fire' };
  const expired = status.alerts?.expired ?? 0;
  if (expired > 0) {
    const which = expired === 1 ? 'one alert of it has' : `${expired} alerts of it have`;
    const message = `no alert of it fires, but ${which} expired: the sender fell silent, and nobody said that it resolved`;
    return { type: 'AlertsCleared', status: 'False', reason: 'AlertsExpired', message };
  }
  if (members.length === 0) {
    if (hasUnresolvedLeft) {
      const message = 'its last alerts left it before they had resolved: they were deleted, or are in another incident';
      return { type: 'AlertsCleared', status: 'False', reason: 'AlertsGone', message };
    }
    const before = conditionOf(held, 'AlertsCleared');
    // The last of them resolved and left within one count: nobody has said so yet. Only where not one is missing from the sum.
    const { resolved: ended, total } = status.alerts ?? { resolved: 0, total: 0 };
    if (before?.status === 'False' && hasResolvedLeft && ended === total) return allResolved(status);
    if (before !== undefined) return undefined;
    return { type: 'AlertsCleared', status: 'False', reason: 'NoAlerts', message: 'no alert has joined' };
  }
  return allResolved(status);
}

function allResolved({ phase }: IncidentStatus): Claim {
  const isAsked = phase !== undefined && isOpen(phase);
  const message = isAsked ? 'all alerts have resolved; resolve it when the cause is gone' : 'all alerts have resolved';
  return { type: 'AlertsCleared', status: 'True', reason: 'AllResolved', message };
}

/** What the overflow Alerts among them stand for: alerts of it that are kept in Postgres alone. */
export function foldedIn(members: readonly Alert[]): { count: number; firing: number } {
  const folded = members.flatMap(({ spec }) => (spec.state === 'Firing' && spec.folded ? [spec.folded] : []));
  const sum = (of: 'count' | 'firing') => folded.reduce((all, one) => all + one[of], 0);
  return { count: sum('count'), firing: sum('firing') };
}

/** Said of no incident that never had a storm. */
function alertsTruncated({ members, held }: ConditionFacts): Claim | undefined {
  const type = 'AlertsTruncated';
  const { count, firing } = foldedIn(members);
  if (count > 0) {
    const them = `${count} further ${count === 1 ? 'alert' : 'alerts'} of it, ${firing} of them firing`;
    const message = `${them}, found no room in the cluster (limits.maxLiveAlerts of their source) and are in Postgres: the list of alerts and the page of this incident show them, marked as folded`;
    return { type, status: 'True', reason: 'SourceAtItsBound', message };
  }
  if (conditionOf(held, type) === undefined) return undefined;
  return { type, status: 'False', reason: 'NoneFolded', message: 'all alerts of it that fire are in the cluster' };
}

/** In words, for the condition and for the Event. */
export function renumberedText({ count, from, to }: Renumbered): string {
  if (count === 0)
    return `history has changes up to number ${to} (was the cluster set back?): the count goes on from there`;
  const why = 'history had other changes under these numbers (was the cluster set back?)';
  return `${why}: ${count === 1 ? `one change is now number ${to}` : `${count} changes are now numbers ${from} to ${to}`}`;
}

function historyMirrored({ status, mirror, renumbered }: ConditionFacts): Claim {
  const claim = (state: Claim['status'], reason: string, message: string): Claim => ({
    type: 'HistoryMirrored',
    status: state,
    reason,
    message,
  });
  if (mirror.isOff) return claim('Unknown', 'NoDatabase', 'no database is configured; only the last changes are kept');
  if (renumbered !== undefined) return claim('False', 'Renumbered', renumberedText(renumbered));
  if (mirror.refused !== undefined) return claim('False', 'Refused', `Postgres refuses it: ${mirror.refused}`);
  const waiting = unmirrored(status.changeSequence ?? 0, mirror.mirroredSequence);
  if (waiting >= CHANGES_MAX) {
    return claim('False', 'Full', `${CHANGES_MAX} changes wait for Postgres; no more are answered until it takes some`);
  }
  if (waiting >= UNMIRRORED_PAUSE) {
    return claim(
      'False',
      'Paused',
      `at least ${UNMIRRORED_PAUSE} changes wait for Postgres; automatic moves pause until it takes some`,
    );
  }
  if (waiting > 0 && (mirror.lagMs ?? 0) >= MIRROR_LAG_MS)
    return claim('False', 'Behind', 'changes have been waiting for Postgres for over a minute');
  return claim('True', 'UpToDate', 'Postgres has all changes, or will within a minute');
}

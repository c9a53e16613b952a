/**
 * The few moves that the operator makes of its own accord, after the rule of the incident's origin.
 *
 * - Detection → Resolution once all alerts have resolved for `resolve.after` (Unacknowledged or AllAlertsResolved); Response or
 *   Mitigation → Resolution only with AllAlertsResolved. An incident that never had an alert stays as it is, and so does one with an
 *   alert that expired: its sender fell silent, and nobody said that it resolved. Where all alerts are
 *   gone from the cluster, the condition AlertsCleared says whether the last of them had resolved, and when; without it, it stays.
 * - Detection → Response once every alert that fires has been acknowledged upstream, through sources that are trusted in that
 *   (upstream-acknowledgement.ts). It is the one move of the operator's out of Detection that says that somebody has answered.
 * - Resolution → Closed after `resolve.closeAfter`, for incidents that alerts opened, while none of their alerts fires.
 *
 * What comes back, from Resolution to Detection, is not among them: it is brought back where it is decided which incident of its group it goes to,
 * which only that knows (correlate.ts).
 *
 * A person's move made a moment before is never undone: waiting times begin anew with each move, and where a person took an
 * incident back (to an earlier phase) only alerts that resolve after that can resolve it again.
 */
import type { Alert, Incident, IncidentChange, IncidentStatus, Phase } from '@funnelai/crds/generated/types';
import type { Temporal } from 'temporal-polyfill';
import type { NextChanges } from './changes.ts';
import { conditionOf } from './conditions.ts';
import { parseInstant } from './instants.ts';
import { isPhase, PHASES } from './lifecycle.ts';
import type { CompiledRule } from './rules.ts';
import { answeredUpstream } from './upstream-acknowledgement.ts';

export type AutomaticMove =
  | { kind: 'stay' }
  | { kind: 'wait'; dueMs: number }
  | { kind: 'move'; to: Phase; reason: string };

export interface MoveQuestion {
  incident: Incident;
  /** Everything up to now, numbered. */
  recorded: NextChanges;
  members: readonly Alert[];
  /** Whether alerts left it of late that had not resolved. */
  hasUnresolvedLeft: boolean;
  /** What is known of all alerts that ever joined. */
  alerts: NonNullable<IncidentStatus['alerts']>;
  rule: CompiledRule;
  isMachine(user: string): boolean;
  now: Temporal.Instant;
}

const STAY: AutomaticMove = { kind: 'stay' };

export function automaticMove(question: MoveQuestion): AutomaticMove {
  const { incident, recorded } = question;
  const phase = recorded.status.phase;
  if (phase === undefined || phase !== incident.spec.phase || incident.spec.mergedInto !== undefined) return STAY;
  if (phase === 'Detection') return answering(question) ?? resolving(question, phase);
  if (phase === 'Response' || phase === 'Mitigation') return resolving(question, phase);
  return phase === 'Resolution' ? closing(question) : STAY;
}

const ms = (text: string | undefined): number | undefined => parseInstant(text)?.epochMilliseconds;
const isFiring = ({ spec }: Alert): boolean => spec.state === 'Firing';

function dueAt(at: number, now: Temporal.Instant, move: AutomaticMove): AutomaticMove {
  return at <= now.epochMilliseconds ? move : { kind: 'wait', dueMs: at - now.epochMilliseconds };
}

function answering(question: MoveQuestion): AutomaticMove | undefined {
  // Its birth is recorded first: where admission keeps no log, it would seem to have been born in Response.
  if (question.incident.status?.phase === undefined) return undefined;
  const reason = answeredUpstream(question);
  return reason === undefined ? undefined : { kind: 'move', to: 'Response', reason };
}

function resolving(question: MoveQuestion, phase: Phase): AutomaticMove {
  const { recorded, members, alerts, rule, isMachine, now } = question;
  const { when, afterMs } = rule.resolve;
  const allowed = when === 'AllAlertsResolved' || (when === 'Unacknowledged' && phase === 'Detection');
  // Of what expired nobody said that it resolved: it keeps the incident open, also once it is gone from the cluster.
  if (!allowed || alerts.total === 0 || members.some(isFiring) || (alerts.expired ?? 0) > 0) return STAY;
  // Only now: it reads the time of every alert.
  const lastResolved = clearedAt(question);
  if (lastResolved === undefined) return STAY;
  const since = ms(recorded.status.phaseSince) ?? now.epochMilliseconds;
  const move = lastMove(recorded);
  if (move && !isMachine(move.by) && isBackward(move) && lastResolved < since) return STAY;
  const reason = alerts.resolved === 1 ? 'its alert has resolved' : `all ${alerts.resolved} alerts have resolved`;
  return dueAt(Math.max(lastResolved, since) + afterMs, now, { kind: 'move', to: 'Resolution', reason });
}

/** When the last of its alerts resolved; undefined when that is not known. */
function clearedAt({ incident, members, hasUnresolvedLeft }: MoveQuestion): number | undefined {
  if (members.length === 0) {
    if (hasUnresolvedLeft) return undefined;
    const cleared = conditionOf(incident.status?.conditions, 'AlertsCleared');
    return cleared?.status === 'True' ? ms(cleared.lastTransitionTime) : undefined;
  }
  const times = members.map(({ spec }) => ms(spec.receivedAt));
  return times.every((time) => time !== undefined) ? Math.max(...times) : undefined;
}

function closing({ incident, recorded, members, rule, now }: MoveQuestion): AutomaticMove {
  const resolvedAt = ms(recorded.status.resolvedAt);
  if (incident.spec.origin === undefined || resolvedAt === undefined || members.some(isFiring)) return STAY;
  const reason = 'resolved, and nothing came back since';
  return dueAt(resolvedAt + rule.resolve.closeAfterMs, now, { kind: 'move', to: 'Closed', reason });
}

function lastMove({ status }: NextChanges): IncidentChange | undefined {
  return status.changes?.findLast(({ kind }) => kind === 'Phase');
}

function isBackward({ from, to }: IncidentChange): boolean {
  return isPhase(from) && isPhase(to) && PHASES.indexOf(to) < PHASES.indexOf(from);
}

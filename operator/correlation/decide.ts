/**
 * Which alerts ask for an answer, and the words in which an answer is kept. Which rule takes an alert, and which incident of a
 * group is to have it, is decided in `domain/correlate`.
 */
import type { Alert, AlertStatus, Incident } from '@funnelai/crds/generated/types';
import { CORRELATED, isRefused, REFUSED } from '@funnelai/domain/alert-refused';
import { cutBytes } from '@funnelai/domain/bytes';
import { closedAtOf, endOfChain } from '@funnelai/domain/correlate';
import { compareInstants, parseInstant } from '@funnelai/domain/instants';
import { isOpen } from '@funnelai/domain/lifecycle';
import { firingStartOf } from '@funnelai/domain/merge';
import { BUILT_IN_RULE } from '@funnelai/domain/rules';
import { isWorse } from '@funnelai/domain/severity';
import { setCondition } from '@funnelai/kube/status';
import type { Temporal } from 'temporal-polyfill';

/** Incidents of which an alert says that it was in them; of more the oldest are forgotten, and count it anew should it come back. */
const FORMER_INCIDENTS = 8;
/** Explanations are for people; what is longer is cut with a mark. In bytes. */
const MAX_EXPLANATION = 1_024;

export type Asked =
  /** The present answer stands. */
  | { kind: 'nothing' }
  /** It fires, or has fired unseen, and no incident has it: find one. */
  | { kind: 'correlate'; episode: number }
  /** All that was ever said of it is that it is over: nothing is opened for it. */
  | { kind: 'tooLate'; episode: number }
  /** Its incident was merged: follow. */
  | { kind: 'move'; from: string; to: string };

export type Answer = 'Opened' | 'Joined' | 'Reopened' | 'Recorded' | 'Moved' | 'Returned' | 'ResolvedFirst' | 'Refused';

const RESOLVED_FIRST: Answer = 'ResolvedFirst';
const MOVED: Answer = 'Moved';
const RETURNED: Answer = 'Returned';
const RECORDED: Answer = 'Recorded';
/** What one second of the log's clock may hide. */
const LOG_GRAIN_MS = 1_000;

/**
 * What this alert asks for. Once answered, only a new episode asks again, or an incident that no longer is where the answer
 * says: merged, deleted, or ended before the alert fired again.
 * @param lookup incidents of the alert's namespace by name.
 * @param isMachine whether a recorded change was made by the operator.
 */
export function whatIsAsked(
  alert: Alert,
  lookup: (name: string) => Incident | undefined,
  isMachine: (user: string) => boolean,
): Asked {
  const { spec, status } = alert;
  const firing = spec.state === 'Firing';
  // What expired before anyone looked fired, and nobody said that it is over: it is not told from what fires.
  const unresolved = spec.state !== 'Resolved';
  const episodes = status?.episode ?? 0;
  const isWorthOne = unresolved || hasFiredUnseen(alert);
  if (isNewEpisode(alert)) return { kind: isWorthOne ? 'correlate' : 'tooLate', episode: episodes + 1 };
  const reason = status?.conditions?.find(({ type }) => type === CORRELATED)?.reason;
  // That it is over since makes it no less worth telling.
  if (reason === REFUSED && (unresolved || firingStartOf(spec) !== undefined))
    return { kind: 'correlate', episode: episodes };
  if (reason === RESOLVED_FIRST && (unresolved || hasFired(alert))) return { kind: 'correlate', episode: episodes };

  const name = status?.incidentRef?.name;
  if (name === undefined) {
    return unresolved && reason === RECORDED && hasOutgrownRecord(alert)
      ? { kind: 'correlate', episode: episodes }
      : { kind: 'nothing' };
  }
  // An episode of its own, though its start is the old one: history keeps the earlier one with the incident that it was in.
  const again: Asked = { kind: 'correlate', episode: episodes + 1 };
  const ifFiring: Asked = firing ? again : { kind: 'nothing' };
  const incident = lookup(name);
  if (incident === undefined || incident.metadata.deletionTimestamp !== undefined) return ifFiring;
  const target = endOfChain(incident, lookup);
  // Merged into what is not there, or into itself by a circle: nobody has the alert.
  if (target === undefined) return ifFiring;
  if (target.metadata.name !== name) return { kind: 'move', from: name, to: target.metadata.name };
  // The operator resolves only what has resolved whole, so what expired after that had fired once more.
  if (unresolved && endedByMachine(incident, isMachine)) return again;
  const mergedAt = reason === MOVED ? mergesInto(incident, alert, lookup) : [];
  return reportedAfterEnd(alert, incident, mergedAt) ? ifFiring : { kind: 'nothing' };
}

/**
 * An episode is known by its start. Reports of one episode may only ever move the start back (see `domain/merge`), so a later
 * start is a new one and an earlier start is the same.
 */
function isNewEpisode({ spec, status }: Alert): boolean {
  if (status?.episodeStartedAt === undefined) return true;
  const answered = parseInstant(status.episodeStartedAt);
  const started = parseInstant(spec.startsAt);
  if (answered === undefined || started === undefined) return spec.startsAt !== status.episodeStartedAt;
  return started.epochNanoseconds > answered.epochNanoseconds;
}

/** Whether it was said to fire in its present episode. */
function hasFired({ spec }: Alert): boolean {
  const fired = firingStartOf(spec);
  return fired !== undefined && compareInstants(fired, spec.startsAt) >= 0;
}

/** Whether it was said to fire since its last answer, be it in an episode before the present one. */
function hasFiredUnseen({ spec, status }: Alert): boolean {
  const fired = firingStartOf(spec);
  if (fired === undefined) return false;
  return status?.episodeStartedAt === undefined || compareInstants(fired, status.episodeStartedAt) > 0;
}

/** When the last word of an alert that is over came; undefined while it fires, or nobody has said that it is over. */
export function overSince({ spec }: Alert): Temporal.Instant | undefined {
  return spec.state === 'Resolved' ? parseInstant(spec.receivedAt) : undefined;
}

/**
 * Whether an alert may leave the cluster as far as its answer goes. What was refused and is over asks on for as long as it is there, and no
 * longer: nothing else would ever end that.
 */
export function isAnswered(
  alert: Alert,
  lookup: (name: string) => Incident | undefined,
  isMachine: (user: string) => boolean,
): boolean {
  const mayLapse = isRefused(alert) && !isNewEpisode(alert) && overSince(alert) !== undefined;
  return mayLapse || whatIsAsked(alert, lookup, isMachine).kind === 'nothing';
}

/** Whether the built-in rule kept it only for a severity that it no longer has: what has become worse is worth an incident. */
function hasOutgrownRecord({ spec, status }: Alert): boolean {
  const { opensFrom } = BUILT_IN_RULE;
  return status?.ruleRef === undefined && opensFrom !== undefined && !isWorse(opensFrom, spec.severity);
}

/**
 * Whether the operator itself resolved it: it does so only when no alert of it fires, so one that fires now came after, under
 * whatever start. A person may resolve while alerts still fire; those stay where they are.
 */
function endedByMachine({ spec, status }: Incident, isMachine: (user: string) => boolean): boolean {
  const ended = spec.phase === 'Resolution' || spec.phase === 'Postmortem' || spec.phase === 'Closed';
  if (!ended || status?.phase !== spec.phase) return false;
  const resolved = status.changes?.findLast(({ kind, to }) => kind === 'Phase' && to === 'Resolution');
  return resolved !== undefined && isMachine(resolved.by);
}

/**
 * Whether the last news of the alert came after a person had ended its incident: senders fire again under the old start, and
 * nobody who ended it knew of that. What was known by then stays; the log's times have a grain of one second.
 * @param mergedAt when incidents of it were merged into this one: who merges into what has ended has decided about what fired until then.
 */
function reportedAfterEnd({ spec }: Alert, incident: Incident, mergedAt: readonly string[]): boolean {
  const { status } = incident;
  if (isOpen(incident.spec.phase) || status?.phase !== incident.spec.phase) return false;
  const received = parseInstant(spec.receivedAt);
  return [status.resolvedAt ?? status.closedAt, ...mergedAt].map(parseInstant).every((decided) => {
    if (decided === undefined || received === undefined) return false;
    return received.epochMilliseconds >= decided.epochMilliseconds + LOG_GRAIN_MS;
  });
}

/** When each incident that the alert was in was merged into this one, as far as anybody knows: in doubt people are told. */
function mergesInto(incident: Incident, { status }: Alert, lookup: (name: string) => Incident | undefined): string[] {
  return (status?.formerIncidents ?? []).flatMap((name) => {
    const one = lookup(name);
    if (one?.spec.mergedInto === undefined) return [];
    const isHere = endOfChain(one, lookup)?.metadata.name === incident.metadata.name;
    return (isHere && closedAtOf(one)) || [];
  });
}

/**
 * How urgent the news of an alert is: whether it may open an incident, or is critical. The next alert of a group that has an open one, and
 * one that has resolved, can be looked at when there is time.
 * @param incidents those of its rule and group.
 */
export function laneOfNews({ state, severity }: Alert['spec'], incidents: readonly Incident[]): 'news' | 'routine' {
  if (state !== 'Firing') return 'routine';
  if (severity === 'Critical') return 'news';
  const isOpenHere = incidents.some(
    ({ metadata, spec }) => isOpen(spec.phase) && metadata.deletionTimestamp === undefined,
  );
  return isOpenHere ? 'routine' : 'news';
}

/** Whether both were opened for the same fault: then they are one, whoever created it. */
export function sameOrigin(a: Incident, b: Incident): boolean {
  const left = a.spec.origin;
  const right = b.spec.origin;
  if (left === undefined || right === undefined) return false;
  return (
    left.ruleRef?.name === right.ruleRef?.name && left.groupKey === right.groupKey && left.opening === right.opening
  );
}

/**
 * Whether an incident is the trace of a death between its birth and the first answer: open, and no alert has ever joined it.
 * An alert that resolved in the meantime may join it, so that it can end as other incidents do.
 */
export function isOrphan({ spec, status, metadata }: Incident, members: number): boolean {
  const open = spec.phase === 'Detection' || spec.phase === 'Response' || spec.phase === 'Mitigation';
  return open && metadata.deletionTimestamp === undefined && members === 0 && (status?.alerts?.total ?? 0) === 0;
}

/** The whole status that an answer leaves: one write. */
export function answeredStatus(
  alert: Alert,
  o: { answer: Answer; episode: number; incident?: string; rule?: string; explanation: string },
  now: Temporal.Instant,
): AlertStatus {
  const explanation = cutBytes(o.explanation, MAX_EXPLANATION);
  const formerIncidents = formerAfter(alert, o);
  return {
    ...(o.incident !== undefined && { incidentRef: { name: o.incident } }),
    ...(formerIncidents.length > 0 && { formerIncidents }),
    ...(o.rule !== undefined && { ruleRef: { name: o.rule } }),
    episode: o.episode,
    episodeStartedAt: alert.spec.startsAt,
    explanation,
    conditions: setCondition(
      alert.status?.conditions,
      {
        type: CORRELATED,
        status: o.answer === RESOLVED_FIRST || o.answer === REFUSED ? 'False' : 'True',
        reason: o.answer,
        message: explanation,
      },
      now,
    ),
  };
}

/** What came back as another episode has left none: its incident keeps it among those that have resolved. */
function formerAfter({ spec, status }: Alert, o: { answer: Answer; incident?: string }): string[] {
  const { incidentRef, episodeStartedAt, formerIncidents = [] } = status ?? {};
  const isMoved = o.answer === MOVED || o.answer === RETURNED;
  const isSameEpisode =
    isMoved || episodeStartedAt === undefined || compareInstants(spec.startsAt, episodeStartedAt) <= 0;
  const left = incidentRef !== undefined && isSameEpisode ? [incidentRef.name] : [];
  return [...new Set([...formerIncidents, ...left])].filter((name) => name !== o.incident).slice(-FORMER_INCIDENTS);
}

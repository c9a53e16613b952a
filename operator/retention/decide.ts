/**
 * When an object may leave etcd, by its own facts and the time. Whether history has it is asked of Postgres, by the shell: what is
 * decided here is only that nobody works with it any more.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { AWAITS_INBOX_ANNOTATION } from '@funnelai/crds/meta';
import { parseInstant } from '@funnelai/domain/instants';
import type { Temporal } from 'temporal-polyfill';

/** How long objects stay after they have ended, in milliseconds. */
export interface Retention {
  alertMs: number;
  incidentMs: number;
}

export type Verdict =
  /** Only a change of it, or of what it hangs on, can make it due. */
  { kind: 'stay' } | { kind: 'wait'; dueMs: number } | { kind: 'leave' };

const STAY: Verdict = { kind: 'stay' };
/** For an overflow Alert all of whose alerts have resolved, and for all that has ended where room is short: time for incidents to count it. */
const SPENT_STAYS_MS = 10_000;
/** A source that has used so much of its bound makes room: what has ended leaves as soon as history has it. */
const CROWDED_SHARE = 0.5;

/** @param objects Alerts of the source in the cluster. */
export const isCrowded = (objects: number, maxLiveAlerts: number): boolean => objects >= maxLiveAlerts * CROWDED_SHARE;

/**
 * An alert leaves so long after it resolved or expired, whatever its incident does: counted from the end that its sender named (where it expired, from then), or
 * from the report that brought it, whichever is later; an end that lies ahead is not believed.
 * @param isCrowded whether its source is short of room: then it has stayed long enough once its incident can have counted it.
 * One of which an older report may wait in the webhook's inbox stays until that is known: it would come back by it.
 * @param isAnswered whether the correlation has nothing left to do with it: what nobody has looked at yet stays.
 */
export function decideAlert(
  { metadata, spec }: Alert,
  o: { isAnswered: boolean; isCrowded: boolean; retentionMs: number; now: Temporal.Instant },
): Verdict {
  if (metadata.deletionTimestamp !== undefined || spec.state === 'Firing' || !o.isAnswered) return STAY;
  if (metadata.annotations?.[AWAITS_INBOX_ANNOTATION] !== undefined) return STAY;
  const now = o.now.epochMilliseconds;
  const received = msOf(spec.receivedAt);
  const ended = msOf(spec.state === 'Expired' ? spec.expired?.at : spec.endsAt);
  if (received === undefined) return STAY;
  const isSpent = o.isCrowded || (spec.state === 'Resolved' && spec.folded?.firing === 0);
  const staysMs = isSpent ? Math.min(SPENT_STAYS_MS, o.retentionMs) : o.retentionMs;
  return dueAt(Math.max(received, ended !== undefined && ended <= now ? ended : received) + staysMs, now);
}

/**
 * An incident leaves so long after it was closed. Two things keep it: an alert of it that still fires, which would open another one;
 * and, when it was merged, an incident that has taken over its group and is not closed itself.
 * @param firing alerts of it that fire now
 * @param target the end of its merges; itself when it was not merged, undefined when they lead nowhere.
 */
export function decideIncident(
  { metadata, spec, status }: Incident,
  o: { firing: number; target: Incident | undefined; retentionMs: number; now: Temporal.Instant },
): Verdict {
  const isClosed = spec.phase === 'Closed' && status?.phase === 'Closed';
  if (metadata.deletionTimestamp !== undefined || !isClosed || o.firing > 0) return STAY;
  if (o.target !== undefined && o.target.spec.phase !== 'Closed') return STAY;
  const closed = msOf(status.closedAt);
  return closed === undefined ? STAY : dueAt(closed + o.retentionMs, o.now.epochMilliseconds);
}

const msOf = (text: string | undefined): number | undefined => parseInstant(text)?.epochMilliseconds;

const dueAt = (at: number, now: number): Verdict => (at <= now ? { kind: 'leave' } : { kind: 'wait', dueMs: at - now });

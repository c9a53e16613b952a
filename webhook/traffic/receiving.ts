/** What a source's status says of what comes in: lastReceivedAt, lastOverRateAt and the condition Receiving, and when it is worth a write. Pure. */
import type { AlertSource, AlertSourceStatus } from '@funnelai/crds/generated/types';
import { compareInstants, laterOf } from '@funnelai/domain/instants';
import { type ConditionInput, setCondition } from '@funnelai/kube/status';
import { Temporal } from 'temporal-polyfill';
import { RECEIVING_EVERY_MS, RECEIVING_QUIET_MS, RECEIVING_REFUSED_MS } from '../limits.ts';
import { messageOfRefusal, type Refusal } from './arrival.ts';

/** What came to a source since its status was last written by us. */
export interface SinceSaid {
  /** When the newest body came of which something was taken. */
  takenAt?: Temporal.Instant;
  lastRefusal?: Refusal;
  /** When the newest alert came that was over the rate. */
  overRateAt?: Temporal.Instant;
}

/** The part of the status that the webhook owns. */
export type ReceivingStatus = Required<Pick<AlertSourceStatus, 'conditions'>> &
  Pick<AlertSourceStatus, 'lastReceivedAt' | 'lastOverRateAt'>;

const TYPE = 'Receiving';

/** Returns what to apply; undefined while the status says as much already, or said it less than a minute ago. */
export function receivingStatus(
  source: AlertSource,
  since: SinceSaid | undefined,
  now: Temporal.Instant,
): ReceivingStatus | undefined {
  const held = source.status?.conditions?.find(({ type }) => type === TYPE);
  const stored: Partial<AlertSourceStatus> = source.status ?? {};
  const lastReceivedAt = latest(since?.takenAt, stored.lastReceivedAt);
  const lastOverRateAt = latest(since?.overRateAt, stored.lastOverRateAt);
  const saidAt = laterOf(stored.lastReceivedAt, stored.lastOverRateAt);
  const isNews = lastReceivedAt !== stored.lastReceivedAt || lastOverRateAt !== stored.lastOverRateAt;
  const isNewer = isNews && (saidAt === undefined || ageMs(saidAt, now) >= RECEIVING_EVERY_MS);
  const verdict = verdictOn(since, lastReceivedAt, now) ?? (isNewer ? held : undefined);
  if (verdict === undefined) return undefined;
  const says = (['status', 'reason', 'message'] as const).every((field) => held?.[field] === verdict[field]);
  if (says && !isNewer) return undefined;
  // Whoever wrote it: one minute belongs to one word.
  if (held !== undefined && ageMs(held.lastTransitionTime, now) < RECEIVING_EVERY_MS) return undefined;
  const { status, reason, message } = verdict;
  const conditions = setCondition(held === undefined ? [] : [held], { type: TYPE, status, reason, message }, now);
  return {
    conditions,
    ...(lastReceivedAt === undefined ? {} : { lastReceivedAt }),
    ...(lastOverRateAt === undefined ? {} : { lastOverRateAt }),
  };
}

/** Another replica may have seen a later one. */
function latest(seen: Temporal.Instant | undefined, stored: string | undefined): string | undefined {
  const own = seen?.toString({ smallestUnit: 'second' });
  return compareInstants(own, stored) > 0 ? own : stored;
}

function verdictOn(
  since: SinceSaid | undefined,
  lastReceivedAt: string | undefined,
  now: Temporal.Instant,
): Omit<ConditionInput, 'type'> | undefined {
  if (since?.takenAt !== undefined)
    return { status: 'True', reason: 'Accepted', message: 'what its senders send is taken' };
  const silentMs = lastReceivedAt === undefined ? Number.POSITIVE_INFINITY : ageMs(lastReceivedAt, now);
  // Another replica may take what this one does not see: not before that one has been silent, too.
  if (since?.lastRefusal !== undefined && silentMs >= RECEIVING_REFUSED_MS) {
    const { reason, status } = since.lastRefusal;
    const message = `what is sent is refused with ${status}: ${messageOfRefusal(since.lastRefusal)}`;
    return { status: 'False', reason, message };
  }
  if (since === undefined && lastReceivedAt !== undefined && silentMs >= RECEIVING_QUIET_MS)
    return {
      status: 'False',
      reason: 'Quiet',
      message: 'nothing was taken for an hour; so it is, too, where there is nothing to say',
    };
  return undefined;
}

const ageMs = (at: string, now: Temporal.Instant): number =>
  now.epochMilliseconds - Temporal.Instant.from(at).epochMilliseconds;

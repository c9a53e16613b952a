/**
 * How a storm stays within a source's bound on live alerts: which alerts are of one kind, whether there is room for one more, and what
 * the overflow Alert says that stands for those that found none. Pure; storing is the webhook's. Uses node:crypto.
 */
import { hash } from 'node:crypto';
import type { AlertSource, AlertSpec, Severity } from '@funnelai/crds/generated/types';
import type { Temporal } from 'temporal-polyfill';
import { cutBytes } from './bytes.ts';
import { takenBy } from './correlate.ts';
import type { ExpiryReason } from './expiry.ts';
import { formatMicros, laterOf } from './instants.ts';
import { type Labels, labelsFrom, labelValue } from './labels.ts';
import type { CompiledRule } from './rules.ts';
import { worst } from './severity.ts';

/** What `limits.maxLiveAlerts` is when the source does not say. */
export const DEFAULT_MAX_LIVE_ALERTS = 5_000;
/** So much of the bound is for names and groups of which nothing fires yet. */
const RESERVED_SHARE = 0.1;
const ALERT_NAME = 'alertname';
const TITLE_MAX_BYTES = 256;

export const maxLiveAlertsOf = ({ spec }: AlertSource): number => spec.limits?.maxLiveAlerts ?? DEFAULT_MAX_LIVE_ALERTS;

/** Of late, by what it is of: there are thousands of alerts of a kind, and it is asked of each. Emptied when full. */
const keys = new Map<string, string>();
const KEYS_REMEMBERED = 1_024;

function keyOf(what: unknown): string {
  const text = JSON.stringify({ overflow: what });
  const known = keys.get(text);
  if (known !== undefined) return known;
  const key = hash('sha256', text, 'hex');
  if (keys.size >= KEYS_REMEMBERED) keys.clear();
  keys.set(text, key);
  return key;
}

/** Stands for whatever of the source found no room, not even for an overflow Alert of its own kind. */
export const REST_OF_SOURCE = keyOf('source');

/**
 * The same text for alerts of one source that one overflow Alert may stand for: one name, and one group under one rule, so that it
 * comes into the incident of its kin. Alerts that lack a label and would each be a group of their own are one kind. It is the
 * fingerprint of that overflow Alert.
 */
export function kindOf(spec: Pick<AlertSpec, 'labels' | 'severity'>, rules: readonly CompiledRule[]): string {
  const { rule, record, grouping } = takenBy(spec, rules);
  return keyOf([labelValue(spec.labels, ALERT_NAME), rule.name ?? null, record ? 'recorded' : grouping.pairs]);
}

/** `create`: an Alert of its own. `foldWithKind`, `foldWithRest`: kept in Postgres, and counted by that overflow Alert. */
export type Room = 'create' | 'foldWithKind' | 'foldWithRest';

/**
 * Of the tenth that is reserved all but one place is for what is new, and its lower half for overflow Alerts of single kinds too; the
 * last place is for the one that stands for the rest.
 * @param objects Alerts of the source in the cluster, overflow Alerts among them, whatever their state.
 * @param isNew nothing of its kind fires.
 * @param hasOverflow the overflow Alert of its kind is there.
 */
export function roomFor(o: { objects: number; max: number; isNew: boolean; hasOverflow: boolean }): Room {
  const reserved = Math.max(2, Math.ceil(o.max * RESERVED_SHARE));
  if (o.objects < o.max - reserved) return 'create';
  if (o.isNew && o.objects < o.max - 1) return 'create';
  return o.hasOverflow || o.objects < o.max - Math.ceil(reserved / 2) ? 'foldWithKind' : 'foldWithRest';
}

/** What Postgres has of one overflow Alert. */
export interface FoldCount {
  count: number;
  firing: number;
  /** Those that expired: nobody said of them that they resolved. */
  expired: number;
  /** Why the last of those did; absent when none did. */
  reason?: ExpiryReason | undefined;
  /** Of those that expired, the last report of any; absent when none did. */
  lastSeen?: string | undefined;
  /** Of those that fire; absent when none does. */
  severity?: Severity | undefined;
}

const foldedOf = ({ count, firing, expired }: FoldCount, asOf: string): NonNullable<AlertSpec['folded']> => ({
  count,
  firing,
  ...(expired > 0 && { expired }),
  asOf,
});

/** The overflow Alert at its birth, and at each rebirth after it had resolved: `startsAt` is then, as no sender named one. */
export function newOverflow(o: {
  kind: string;
  sample: AlertSpec;
  counted: FoldCount;
  now: Temporal.Instant;
}): AlertSpec {
  const { sample, kind, counted } = o;
  const at = formatMicros(o.now);
  const isRest = kind === REST_OF_SOURCE;
  const labels = isRest ? {} : (sample.labels ?? {});
  return {
    sourceRef: sample.sourceRef,
    fingerprint: kind,
    state: 'Firing',
    severity: worst(sample.severity, counted.severity ?? sample.severity),
    title: titleOf(isRest ? undefined : labelValue(labels, ALERT_NAME), sample.sourceRef.name),
    description:
      'The source has reached limits.maxLiveAlerts. Further alerts are kept in Postgres and counted here; the list of alerts shows them, marked as folded.',
    ...(Object.keys(labels).length > 0 && { labels }),
    folded: foldedOf(counted, at),
    startsAt: at,
    receivedAt: at,
  };
}

function titleOf(name: string | undefined, source: string): string {
  if (name === undefined) return cutBytes(`Further alerts of source ${source}, folded`, TITLE_MAX_BYTES);
  return cutBytes(
    name === '' ? `Further alerts of ${source}, folded` : `Further ${name} alerts, folded`,
    TITLE_MAX_BYTES,
  );
}

/** A count is written at most this often. */
export const FOLDED_WRITE_MS = 10_000;

/**
 * The overflow Alert after a count; undefined when there is nothing to write, or it was written too lately. With the last of its alerts
 * it resolves; while some of them have expired it expires, as nobody said of those that they are over. One that a person has resolved
 * fires again with the next news only (`isNews`), as any alert does.
 */
export function countedOverflow(
  held: AlertSpec,
  o: {
    counted: FoldCount;
    labels: Labels | undefined;
    isNews: boolean;
    now: Temporal.Instant;
    sinceMs: number | undefined;
  },
): AlertSpec | undefined {
  const { counted, now } = o;
  const at = formatMicros(now);
  const folded = foldedOf(counted, at);
  const hadNone = held.folded?.firing === 0;
  if (held.state !== 'Firing' && counted.firing > 0 && (o.isNews || hadNone)) {
    const { endsAt: _, latestStartsAt: __, firingStartsAt: _f, expired: ___, ...rest } = held;
    const severity = counted.severity ?? held.severity;
    // What expired had not ended: that episode goes on.
    const startsAt = held.state === 'Expired' ? held.startsAt : at;
    return { ...rest, state: 'Firing', severity, startsAt, receivedAt: at, folded };
  }
  if (o.sinceMs !== undefined && o.sinceMs < FOLDED_WRITE_MS && !o.isNews) return undefined;
  const state = stateAfter(held, counted);
  const severity = held.state === 'Firing' ? worst(held.severity, counted.severity ?? held.severity) : held.severity;
  const labels = o.labels ?? held.labels ?? {};
  const isSame =
    held.state === state &&
    held.folded?.count === folded.count &&
    held.folded.firing === folded.firing &&
    held.folded.expired === folded.expired &&
    severity === held.severity &&
    Object.keys(labels).length === Object.keys(held.labels ?? {}).length;
  if (isSame) return undefined;
  const { labels: _, expired, ...rest } = held;
  const isOver = held.state !== state;
  return {
    ...rest,
    ...(Object.keys(labels).length > 0 && { labels }),
    severity,
    folded,
    ...(!isOver && expired !== undefined && { expired }),
    ...(isOver && state === 'Resolved' && { state, endsAt: at, receivedAt: at, firingStartsAt: held.startsAt }),
    ...(isOver && state === 'Expired' && expiry(held, counted, at)),
  };
}

function stateAfter(held: AlertSpec, { firing, expired }: FoldCount): AlertSpec['state'] {
  if (held.state === 'Resolved' || firing > 0) return held.state;
  return expired > 0 ? 'Expired' : 'Resolved';
}

/** As on any alert that expired: `receivedAt` is when it was heard of last. */
function expiry(
  { receivedAt }: AlertSpec,
  { lastSeen, reason = 'LeaseRanOut' }: FoldCount,
  at: string,
): Partial<AlertSpec> {
  const heard = laterOf(receivedAt, lastSeen) ?? receivedAt;
  return { state: 'Expired', expired: { at, reason }, receivedAt: heard };
}

/**
 * The labels that an overflow Alert keeps when `seen` are those of one more of its alerts: those in common, and those without which it
 * would be of another kind, as a rule asks for them.
 */
export function commonLabels(held: AlertSpec, seen: Labels, rules: readonly CompiledRule[]): Labels {
  let labels: Labels = held.labels ?? {};
  for (const [name, value] of Object.entries(labels)) {
    if (labelValue(seen, name) === value) continue;
    const fewer = labelsFrom(Object.entries(labels).filter(([other]) => other !== name));
    if (kindOf({ ...held, labels: fewer }, rules) === held.fingerprint) labels = fewer;
  }
  return labels;
}

/**
 * Which rule has an alert, which group it falls into, and which incident of that group takes it. Pure; the operator decides
 * serially per group and writes what is said here.
 */
import type { AlertSpec, Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import type { Temporal } from 'temporal-polyfill';
import { parseChangesAnnotation } from './admission-log.ts';
import { cutBytes } from './bytes.ts';
import { type Grouping, groupFrom, groupingOf } from './group-key.ts';
import { parseInstant } from './instants.ts';
import { type Labels, labelValue } from './labels.ts';
import { isOpen } from './lifecycle.ts';
import { matches } from './matcher.ts';
import { BUILT_IN_NAME, type CompiledRule } from './rules.ts';
import { isWorse } from './severity.ts';

export type Ruling = { explanation: string; rule: CompiledRule } & (
  | { record: false; groupKey: string; group: Labels }
  | { record: true }
);

/** How much of a value an explanation shows. */
const SHOWN_VALUE_BYTES = 64;

/** Returns the first rule that takes the alert, in the order of `compileRules`, with the group or "record", and why in words. */
export function ruleFor(alert: AlertSpec, name: string, rules: readonly CompiledRule[]): Ruling {
  const { rule, record, grouping } = takenBy(alert, rules);
  const because = explain(rule, alert, name);
  if (!record) return { rule, record, ...groupFrom(grouping, name), explanation: because };
  if (rule.action === 'Record')
    return { rule, record: true, explanation: `${because}; recorded only, as the rule says` };
  const what = `${because}; recorded only: severity ${alert.severity} is below ${rule.opensFrom}`;
  return { rule, record: true, explanation: what };
}

/** The same without the words, and before the group has a key. */
export function takenBy(
  alert: Pick<AlertSpec, 'labels' | 'severity'>,
  rules: readonly CompiledRule[],
): { rule: CompiledRule; record: boolean; grouping: Grouping } {
  for (const rule of rules) {
    if (!rule.matchers.every((m) => matches(m, alert.labels))) continue;
    const grouping = groupingOf(alert, rule);
    if (grouping === undefined) continue;
    const isTooMild = rule.opensFrom !== undefined && isWorse(rule.opensFrom, alert.severity);
    return { rule, record: rule.action === 'Record' || isTooMild, grouping };
  }
  throw new RangeError('expected rules that end with the built-in one, which takes every alert; use compileRules');
}

/** `rule "pods" on namespace=pay, alertname=KubePodCrashLooping`: what the rule grouped by, and what it lacked. */
function explain(rule: CompiledRule, alert: AlertSpec, name: string): string {
  const who = rule.name === undefined ? `the ${BUILT_IN_NAME} rule` : `rule "${rule.name}"`;
  if (rule.groupBy.length === 0) return `${who} on everything that it matches`;
  const shown = rule.groupBy.flatMap(({ label, missing }) => {
    const value = labelValue(alert.labels, label);
    if (value !== '') return [`${label}=${cutBytes(value, SHOWN_VALUE_BYTES)}`];
    return missing === 'Separate' ? [`no ${label}, so on its own as ${name}`] : [];
  });
  return `${who} on ${shown.length > 0 ? shown.join(', ') : `none of ${rule.groupBy.map((g) => g.label).join(', ')}`}`;
}

/** Rule, group and number of an incident that alerts opened. */
type Origin = NonNullable<Incident['spec']['origin']>;
/** All incidents of one rule and group. */
export type OriginGroup = Pick<Origin, 'ruleRef' | 'groupKey'>;
/** What is known of the incidents of the alert's namespace. */
export interface IncidentBook {
  /** Incidents of a rule and group, in any phase; others among them are ignored. */
  ofGroup(group: OriginGroup): readonly Incident[];
  /** By name, to follow `mergedInto`. */
  lookup(name: string): Incident | undefined;
}
export interface GroupQuestion extends IncidentBook {
  rule: CompiledRule;
  groupKey: string;
  /** The alert has fired and is over. */
  isOver?: boolean;
}
export type GroupAnswer =
  | { kind: 'join'; join: Incident }
  | { kind: 'reopen'; reopen: Incident }
  | { kind: 'open'; open: number };

/** A chain of merges is followed this far; people do not build longer ones. */
const MERGE_CHAIN_MAX = 32;

/**
 * Returns what becomes of an alert of this group that fires, or has fired unseen. The incident with the highest opening has it while it is open; in
 * Resolution it comes back into it for `reopenWithin` from `resolvedAt`; merged, the incident at the end of the chain stands
 * in its place. Otherwise one more is opened. An alert that was over before that incident ended belongs to it, and brings nothing back.
 *
 * So at most one incident of a group is open, but where a person puts an earlier one back to work while a later one is open:
 * - Only the last of its group ever comes back, and none while the last is being deleted: that has had its turn, its number is not given again,
 *   and what fires opens the next beside it, to which an earlier one that came back would be a second. It is so for an incident that takes
 *   the alerts of another group too, by a merge: brought back only as the last of its own.
 * - This is the one place where that is decided, and it is asked serially for the group of `lastOfGroup`. When it is asked makes no difference: an alert
 *   is judged as of when it was heard of, so one that was heard of within `reopenWithin` comes back also when nobody looked until long after.
 * @param heardAt when the last word of the alert came.
 */
export function decideIncident(
  { rule, groupKey, isOver = false, ...book }: GroupQuestion,
  heardAt: Temporal.Instant,
): GroupAnswer {
  const { highest, last } = lastOfGroup(groupOf(rule, groupKey), book);
  if (last !== undefined) {
    if (isOpen(last.spec.phase) || (isOver && wasOverBefore(last, heardAt))) return { kind: 'join', join: last };
    if (comesBack(last, rule, heardAt) && isLastOfItsGroup(last, book)) return { kind: 'reopen', reopen: last };
  }
  return { kind: 'open', open: highest + 1 };
}

/** Returns how incidents of this rule and group say so. */
export function groupOf({ name }: CompiledRule, groupKey: string): OriginGroup {
  return { ...(name !== undefined && { ruleRef: { name } }), groupKey };
}

/** Returns the highest opening of a group, and the incident of it, or what that was merged into; none where it is being deleted, or merged into nothing. */
export function lastOfGroup(
  group: OriginGroup,
  { ofGroup, lookup }: IncidentBook,
): { highest: number; last?: Incident | undefined } {
  const own = ofGroup(group).filter(
    ({ spec: { origin } }) => origin?.groupKey === group.groupKey && origin.ruleRef?.name === group.ruleRef?.name,
  );
  const opening = (incident: Incident) => incident.spec.origin?.opening ?? 0;
  const highest = own.reduce((max, incident) => Math.max(max, opening(incident)), 0);
  const last = own.find((incident) => isLive(incident) && opening(incident) === highest);
  return { highest, last: last && endOfChain(last, lookup) };
}

function isLastOfItsGroup({ spec, metadata }: Incident, book: IncidentBook): boolean {
  return spec.origin === undefined || lastOfGroup(spec.origin, book).last?.metadata.name === metadata.name;
}

const isLive = (incident: Incident): boolean => incident.metadata.deletionTimestamp === undefined;

/** Follows `mergedInto`; undefined when the chain is a circle, too long, or ends in nothing. */
export function endOfChain(start: Incident, lookup: (name: string) => Incident | undefined): Incident | undefined {
  const seen = new Set<string>([start.metadata.name]);
  let at: Incident = start;
  for (let hops = 0; hops < MERGE_CHAIN_MAX; hops += 1) {
    const next = at.spec.mergedInto?.name;
    if (next === undefined) return at;
    const found = seen.has(next) ? undefined : lookup(next);
    if (!found || !isLive(found)) return undefined;
    seen.add(next);
    at = found;
  }
  return undefined;
}

/** So much may the clocks of those who heard of the alert and of those who ended the incident differ: in doubt people are told. */
const CLOCKS_DIFFER_MS = 5_000;

/** Whether an alert that is over was so when the incident ended: then nothing came back. */
function wasOverBefore(incident: Incident, overSince: Temporal.Instant): boolean {
  const ended = parseInstant(endOf(incident));
  return ended !== undefined && overSince.epochMilliseconds + CLOCKS_DIFFER_MS <= ended.epochMilliseconds;
}

/** When it left the phases in which it takes alerts; where the operator has not answered that yet, by the API server's own log. */
function endOf({ metadata, spec, status }: Incident): string | undefined {
  return status?.phase === spec.phase ? (status.resolvedAt ?? status.closedAt) : loggedMoveAt({ metadata });
}

/** When it was closed; where the operator has not answered that yet, by the API server's own log. Undefined where it is not, or nobody knows. */
export function closedAtOf({ metadata, spec, status }: Incident): string | undefined {
  if (spec.phase !== 'Closed') return undefined;
  return status?.phase === 'Closed' ? status.closedAt : loggedMoveAt({ metadata });
}

function loggedMoveAt({ metadata }: Pick<Incident, 'metadata'>): string | undefined {
  const log = parseChangesAnnotation(metadata.annotations?.[CHANGES_ANNOTATION]);
  return log?.entries.findLast(({ field }) => field === 'phase')?.at;
}

function comesBack(incident: Incident, rule: CompiledRule, heardAt: Temporal.Instant): boolean {
  if (incident.spec.phase !== 'Resolution' || rule.reopenWithinMs === 0) return false;
  // While the operator has not yet answered the move, the fault comes at the moment of resolving itself.
  if (incident.status?.phase !== 'Resolution') return true;
  const resolvedAt = parseInstant(incident.status.resolvedAt);
  if (!resolvedAt) return true;
  return heardAt.epochMilliseconds - resolvedAt.epochMilliseconds <= rule.reopenWithinMs;
}

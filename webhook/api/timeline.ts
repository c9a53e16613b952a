/** An incident's timeline: what `status`, the admission log, history and its alerts say, each change once, oldest first. Pure. */
import type { Alert, Incident, Phase } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { type LoggedField, parseChangesAnnotation } from '@funnelai/domain/admission-log';
import { expiryText } from '@funnelai/domain/expiry';
import { movedVerdict, rulePart } from '@funnelai/domain/explanation';
import { compareInstants } from '@funnelai/domain/instants';
import { isPhase, shownAs } from '@funnelai/domain/lifecycle';
import type { TimelineEntry } from '@funnelai/domain/wire';
import type { SaidEvent } from '@funnelai/history/queries';
import type { StoredChange } from '@funnelai/history/rows';

/** One that an alert had in this incident before the one that the alert itself tells. */
export interface EarlierEpisode {
  alert: string;
  title: string;
  startsAt: string;
  endsAt?: string | undefined;
}

/** That another incident was merged into this one, or taken out of it again: a change of that one. */
export interface MergeHere {
  incident: string;
  isOut: boolean;
  change: Pick<StoredChange, 'at' | 'by' | 'reason' | 'verified'>;
}

export interface TimelineFacts {
  incident: Incident;
  /** From history; what `status` still holds may be among them. */
  changes: readonly StoredChange[];
  alerts: readonly Alert[];
  /** From history. */
  earlier?: readonly EarlierEpisode[];
  /** In order of time. */
  merges?: readonly MergeHere[];
  /** What the operator said of it and is no change. */
  events?: readonly SaidEvent[];
}

/** Returns the entries in order of time; of one time, in order of their numbers. */
export function timelineOf({
  incident,
  changes,
  alerts,
  earlier = [],
  merges = [],
  events = [],
}: TimelineFacts): TimelineEntry[] {
  const numbered = new Map<number, StoredChange>();
  for (const change of [...changes, ...(incident.status?.changes ?? [])]) numbered.set(change.sequence, change);
  const recorded = [...numbered.values()].sort((a, b) => a.sequence - b.sequence);
  const known = recorded.filter(({ kind }) => kind !== 'Lost');
  const entries = [
    ...known.map((change) => changeEntry(incident, change)),
    ...lostEntries(recorded),
    ...unnumbered(incident),
    ...merges.map(mergeEntry),
  ];
  if (!entries.some((entry) => entry.kind === 'Opened')) entries.unshift(openedEntry(incident));
  // A fault may be older than its incident by its sender's clock; nothing joined what was not there.
  const openedAt = entries.find(({ kind }) => kind === 'Opened')?.at ?? '';
  const fromOpening = (at: string) => (compareInstants(at, openedAt) < 0 ? openedAt : at);
  for (const alert of alerts) entries.push(...alertEntries(alert, { fromOpening, incident, merges, known }));
  for (const { alert, title, startsAt, endsAt } of earlier) {
    entries.push({ at: fromOpening(startsAt), kind: 'AlertJoined', text: `${title} joined`, alert });
    if (endsAt !== undefined)
      entries.push({ at: fromOpening(endsAt), kind: 'AlertResolved', text: `${title} resolved`, alert });
  }
  for (const { firstAt, note, reason, count } of events)
    entries.push({ at: firstAt, kind: 'Event', text: count > 1 ? `${note} (${count} times)` : note, reason });
  return entries.sort(
    (a, b) => compareInstants(a.at, b.at) || (a.sequence ?? Infinity) - (b.sequence ?? Infinity) || 0,
  );
}

/** One entry for each run of changes that are lost. */
function lostEntries(recorded: readonly StoredChange[]): TimelineEntry[] {
  const entries: (TimelineEntry & { count: number })[] = [];
  let last: number | undefined;
  for (const { kind, sequence, at } of recorded) {
    if (kind !== 'Lost') continue;
    const run = sequence - 1 === last ? entries.at(-1) : undefined;
    if (run === undefined) entries.push({ at, kind: 'Lost', text: '', sequence, count: 1 });
    else run.count += 1;
    last = sequence;
  }
  return entries.map(({ count, ...entry }) => ({
    ...entry,
    text: `${count === 1 ? 'a change was' : `${count} changes were`} lost: neither the cluster nor history has them any more`,
  }));
}

function changeEntry(incident: Incident, change: StoredChange): TimelineEntry {
  const { sequence, kind, from, to, at, by, reason, verified } = change;
  const isBirth = kind === 'Phase' && (from ?? '') === '';
  return {
    at,
    kind: isBirth ? 'Opened' : kind,
    text: isBirth ? openedText(incident, to) : changeText(kind, from, to),
    by,
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(reason ? { reason } : {}),
    sequence,
    ...(verified === undefined ? {} : { verified }),
  };
}

/** What admission has noted and the operator has not yet numbered: shown while the operator is away. */
function unnumbered(incident: Incident): TimelineEntry[] {
  const log = parseChangesAnnotation(incident.metadata.annotations?.[CHANGES_ANNOTATION]);
  const taken = incident.status?.logSequence ?? 0;
  const last = new Map<LoggedField, string | undefined>(
    Object.entries(lastValues(incident)) as [LoggedField, string | undefined][],
  );
  const entries: TimelineEntry[] = [];
  for (const { number, field, value, user, at, reason } of log?.entries ?? []) {
    const from = last.get(field);
    if (number > taken) {
      const isBirth = field === 'phase' && from === undefined;
      const kind = KIND[field];
      entries.push({
        at,
        kind: isBirth ? 'Opened' : kind,
        text: isBirth ? openedText(incident, value) : changeText(kind, from, value),
        by: user,
        ...(from ? { from } : {}),
        ...(value === '' ? {} : { to: value }),
        ...(reason === '' ? {} : { reason }),
        verified: true,
      });
    }
    if (number > taken) last.set(field, value);
  }
  return entries;
}

const KIND: Record<LoggedField, 'Phase' | 'Severity' | 'Priority' | 'Owner'> = {
  phase: 'Phase',
  severity: 'Severity',
  priority: 'Priority',
  owner: 'Owner',
};

function lastValues({ status }: Incident): Record<LoggedField, string | undefined> {
  const { severity, priority, owner } = status?.observed ?? {};
  return { phase: status?.phase, severity, priority, owner };
}

function changeText(kind: StoredChange['kind'], from: string | undefined, to: string | undefined): string {
  const shown = (value: string) => (isPhase(value) ? shownAs(value) : value);
  if (kind === 'Phase') return `moved${from ? ` from ${shown(from)}` : ''} to ${shown(to ?? '')}`;
  if (kind === 'Merge') return to ? `merged into ${to}` : `no longer merged into ${from ?? 'another'}`;
  const what = kind.toLowerCase();
  if (!to) return `${what} removed${from ? `, was ${from}` : ''}`;
  return from ? `${what} changed from ${from} to ${to}` : `${what} set to ${to}`;
}

function openedText(incident: Incident, phase: string | undefined): string {
  const { origin, reportedBy } = incident.spec;
  const state =
    isPhase(phase) && phase !== ('Detection' satisfies Phase) ? `, ${shownAs(phase).toLowerCase()} at once` : '';
  if (origin === undefined) return `declared${reportedBy === undefined ? '' : ` by ${reportedBy}`}${state}`;
  const rule = origin.ruleRef === undefined ? 'the built-in rule' : `rule ${origin.ruleRef.name}`;
  return `opened by ${rule}${state}`;
}

function openedEntry(incident: Incident): TimelineEntry {
  return { at: incident.metadata.creationTimestamp ?? '', kind: 'Opened', text: openedText(incident, undefined) };
}

function mergeEntry({ incident, isOut, change: { at, by, reason, verified } }: MergeHere): TimelineEntry {
  return {
    at,
    kind: 'Merge',
    text: isOut
      ? `incident ${incident} was taken out of this one again`
      : `incident ${incident} was merged into this one`,
    by,
    ...(reason ? { reason } : {}),
    ...(verified === undefined ? {} : { verified }),
  };
}

interface Whereabouts {
  fromOpening: (at: string) => string;
  incident: Incident;
  merges: readonly MergeHere[];
  known: readonly StoredChange[];
}

/**
 * Since when an alert is here that came, or came back, by a merge, and why. The time of its answer is that of its first one, which was
 * given before the merge that the answer now tells of. Undefined for all others.
 */
function comeByMerge({ spec, status }: Alert, answeredAt: string, where: Whereabouts) {
  const { explanation = '' } = status ?? {};
  const { metadata } = where.incident;
  switch (status?.conditions?.find(({ type }) => type === 'Correlated')?.reason) {
    case 'Moved': {
      const merge = where.merges.findLast(
        ({ incident, isOut }) => !isOut && explanation.endsWith(movedVerdict(metadata.name, incident)),
      );
      // What was over by then is told as it was: nothing resolves before it joins.
      const wasOver = spec.endsAt !== undefined && compareInstants(spec.endsAt, merge?.change.at) < 0;
      if (merge === undefined || wasOver) return undefined;
      return { at: merge.change.at, reason: explanation };
    }
    case 'Returned': {
      const own = where.known.filter(({ kind }) => kind === 'Merge');
      const out = own.findLast(({ to }) => !to);
      const into = own.findLast(({ to, sequence }) => to && sequence < (out?.sequence ?? 0));
      if (out === undefined || into === undefined) return undefined;
      const wasHere = compareInstants(answeredAt, into.at) <= 0;
      return wasHere ? { at: answeredAt, reason: rulePart(explanation) } : { at: out.at, reason: explanation };
    }
    default:
      return undefined;
  }
}

function alertEntries(alert: Alert, where: Whereabouts): TimelineEntry[] {
  const { fromOpening } = where;
  const { spec, status, metadata } = alert;
  const answeredAt = status?.conditions?.find(
    (c) => c.type === 'Correlated' && c.status === 'True',
  )?.lastTransitionTime;
  const startedAt = status?.episodeStartedAt ?? spec.startsAt;
  // An answer that follows another moves no transition time: that one is of an earlier episode.
  const isAgain = answeredAt !== undefined && (status?.episode ?? 1) > 1 && compareInstants(startedAt, answeredAt) > 0;
  const at = isAgain ? fromOpening(startedAt) : (answeredAt ?? startedAt);
  const joined: TimelineEntry = {
    at,
    kind: 'AlertJoined',
    text: `${spec.title} joined`,
    alert: metadata.name,
    ...(status?.explanation === undefined ? {} : { reason: status.explanation }),
    ...comeByMerge(alert, at, where),
  };
  if (spec.state === 'Firing') return [joined];
  if (spec.state === 'Expired') {
    const [at, reason] = [spec.expired?.at ?? spec.receivedAt, spec.expired?.reason];
    const why = reason === undefined ? {} : { reason: expiryText(reason) };
    return [joined, { at, kind: 'AlertExpired', text: `${spec.title} expired`, alert: metadata.name, ...why }];
  }
  const endedAt = spec.endsAt ?? spec.receivedAt;
  const resolved = { kind: 'AlertResolved' as const, text: `${spec.title} resolved`, alert: metadata.name };
  if (compareInstants(endedAt, joined.at) >= 0) return [joined, { ...resolved, at: endedAt }];
  // It was over before anyone looked, or its sender's clock is behind: nothing resolves before it joins.
  return [joined, { ...resolved, at: joined.at, reason: `at ${endedAt}, before it joined` }];
}

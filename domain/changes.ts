/**
 * Turns what people and machines did to an incident into numbered changes, each exactly once: the entries of the admission log
 * that are not yet numbered, or, where no log is, the difference between spec and what was last recorded. The numbers, the log's
 * position, the phase and its times are written together, in one status. When to write is incident-decide's.
 */
import type { Incident, IncidentChange, IncidentStatus } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import type { Temporal } from 'temporal-polyfill';
import { type LogEntry, type LoggedField, parseChangesAnnotation } from './admission-log.ts';
import { hasRoom, trimmed } from './change-ring.ts';
import { formatMicros } from './instants.ts';
import { canMove, isPhase, type PhaseTimes, timesAfter, timesAtBirth } from './lifecycle.ts';
import { defaultPriority, SEVERITIES } from './severity.ts';
import { isMachineUser } from './users.ts';

/** Reason of a change that stands for several of which not all are known. */
export const COLLAPSED = 'Collapsed';
/** `by` where nobody knows. */
export const UNKNOWN_USER = 'unknown';

const VALUE_MAX_CHARS = 256;
const USER_MAX_CHARS = 512;
const KINDS = { phase: 'Phase', severity: 'Severity', priority: 'Priority', owner: 'Owner' } as const;
const FIELDS: readonly LoggedField[] = ['phase', 'severity', 'priority', 'owner'];

export interface ChangesOptions {
  isMachine(user: string): boolean;
  now: Temporal.Instant;
  /** Number of the last change that the mirror has; changes up to it may leave the status. */
  mirroredSequence: number;
  /** Field manager of the last write to spec: who it was, as far as is known, where no log says. */
  manager?: string | undefined;
}

export interface NextChanges {
  /** What was recorded now; empty when nothing happened. */
  added: IncidentChange[];
  /** The part of the status that follows from all changes up to now. */
  status: PhaseTimes & Pick<IncidentStatus, 'changes' | 'changeSequence' | 'logSequence' | 'observed' | 'pinned'>;
  /** True when something could not be recorded because the mirror has to take some first. */
  isFull: boolean;
}

/** Returns the changes that follow from the present object; the same object yields the same, and once written nothing more. */
export function nextChanges(incident: Incident, options: ChangesOptions): NextChanges {
  const recorder = new Recorder(incident, options);
  recorder.takeLog();
  recorder.takeDifferences();
  recorder.takeMerge();
  return recorder.result();
}

interface Act {
  kind: IncidentChange['kind'];
  to: string;
  at: string;
  by: string;
  reason?: string;
  verified: boolean;
}

class Recorder {
  readonly #incident: Incident;
  readonly #options: ChangesOptions;
  readonly #now: string;
  readonly #added: IncidentChange[] = [];
  readonly #values: Record<IncidentChange['kind'], string>;
  readonly #pinned: Set<string>;
  readonly #isBirth: boolean;
  #times: PhaseTimes;
  #sequence: number;
  #logSequence: number;
  #hasLog = false;
  #isFull = false;

  constructor(incident: Incident, options: ChangesOptions) {
    const status = incident.status;
    this.#incident = incident;
    this.#options = options;
    this.#now = formatMicros(options.now);
    this.#isBirth = status?.phase === undefined;
    this.#values = {
      Phase: status?.phase ?? '',
      Severity: status?.observed?.severity ?? '',
      Priority: status?.observed?.priority ?? '',
      Owner: status?.observed?.owner ?? '',
      Merge: status?.observed?.mergedInto ?? '',
    };
    this.#pinned = new Set(status?.pinned ?? []);
    this.#times = timesOf(status);
    this.#sequence = status?.changeSequence ?? 0;
    this.#logSequence = status?.logSequence ?? 0;
  }

  /** Numbers the log's entries in their order. Where some fell out of it, the next one stands for them too. */
  takeLog(): void {
    const log = parseChangesAnnotation(this.#incident.metadata.annotations?.[CHANGES_ANNOTATION]);
    this.#hasLog = log !== undefined;
    if (log === undefined || log.counter <= this.#logSequence) return;
    const entries = dated(
      log.entries.filter(({ number }) => number > this.#logSequence),
      this.#now,
    );
    const lost = log.counter - this.#logSequence - entries.length;
    let unexplained = lost > 0 ? lost - this.#takeLost(entries) : 0;
    for (const entry of entries) {
      if (this.#isFull) return;
      const followsGap = entry.number > this.#logSequence + 1;
      const isCollapsed = (followsGap && unexplained > 0) || (lost > 0 && this.#isImpossible(entry));
      if (!this.#take(actOf(entry, isCollapsed))) return;
      if (isCollapsed) unexplained = 0;
      this.#logSequence = entry.number;
    }
    if (!this.#isFull) this.#logSequence = log.counter;
  }

  /** Fields of which the log has no entry left, yet they changed: one change each. Returns how many. */
  #takeLost(kept: readonly LogEntry[]): number {
    const silent = FIELDS.filter((field) => !kept.some((entry) => entry.field === field) && this.#differs(field));
    const at = kept[0]?.at ?? this.#now;
    for (const field of silent) {
      this.#take({
        kind: KINDS[field],
        to: this.#wanted(field),
        at,
        by: this.#manager(),
        reason: COLLAPSED,
        verified: false,
      });
    }
    return silent.length;
  }

  /** The API server lets no such move through: there were others before it. */
  #isImpossible({ field, value }: LogEntry): boolean {
    const from = this.#values[KINDS[field]];
    if (field !== 'phase' || !isPhase(from) || !isPhase(value)) return from === value && from !== '';
    return from === value || (!canMove(from, value) && value !== 'Closed');
  }

  /** What the log does not say: there is none, or it was away for a while. */
  takeDifferences(): void {
    if (this.#isFull) return;
    for (const field of FIELDS.filter((f) => this.#differs(f))) {
      const to = this.#wanted(field);
      const at = this.#isBirth && !this.#hasLog ? (this.#incident.metadata.creationTimestamp ?? this.#now) : this.#now;
      const reason = field === 'phase' ? this.#reasonForMove(to) : undefined;
      const act = { kind: KINDS[field], to, at, by: this.#manager(), verified: false };
      if (!this.#take(reason === undefined ? act : { ...act, reason })) return;
    }
  }

  #reasonForMove(to: string): string | undefined {
    const from = this.#values.Phase;
    const merging = this.#incident.spec.mergedInto !== undefined;
    if (isPhase(from) && isPhase(to) && !canMove(from, to, { merging })) return COLLAPSED;
    return this.#incident.spec.phaseReason;
  }

  /**
   * Admission does not log merges, but the API server lets one be set only by the write that closes and removed only by the one that
   * reopens: so who moved the phase then, when, is who merged. Not where that move itself stands for several.
   */
  takeMerge(): void {
    const to = this.#incident.spec.mergedInto?.name ?? '';
    if (this.#isFull || to === this.#values.Merge) return;
    const all = [...(this.#incident.status?.changes ?? []), ...this.#added];
    const moves = all
      .slice(all.findLastIndex(({ kind }) => kind === 'Merge') + 1)
      .filter(({ kind }) => kind === 'Phase');
    const move = to === '' ? moves.find(({ from }) => from === 'Closed') : moves.findLast((m) => m.to === 'Closed');
    const isKnown = move?.verified === true && move.reason !== COLLAPSED;
    const who = isKnown ? { by: move.by, verified: true } : { by: this.#manager(), verified: false };
    this.#take({ kind: 'Merge', to, at: move?.at ?? this.#now, ...who });
  }

  #differs(field: LoggedField): boolean {
    return this.#wanted(field) !== this.#values[KINDS[field]];
  }

  #wanted(field: LoggedField): string {
    const { spec } = this.#incident;
    return (field === 'owner' ? spec.owner?.name : spec[field]) ?? '';
  }

  #manager(): string {
    return this.#options.manager ?? UNKNOWN_USER;
  }

  /** Returns false when there is no room; a change of nothing takes no number, unless others are lost behind it. */
  #take(act: Act): boolean {
    const from = this.#values[act.kind];
    if (from === act.to && act.reason !== COLLAPSED) return true;
    if (!hasRoom(this.#sequence, this.#options.mirroredSequence)) {
      this.#isFull = true;
      return false;
    }
    this.#sequence += 1;
    this.#added.push({
      sequence: this.#sequence,
      kind: act.kind,
      ...(from === '' ? {} : { from: head(from, VALUE_MAX_CHARS) }),
      ...(act.to === '' ? {} : { to: head(act.to, VALUE_MAX_CHARS) }),
      at: act.at,
      recordedAt: this.#now,
      by: head(act.by, USER_MAX_CHARS),
      ...(act.reason ? { reason: head(act.reason, VALUE_MAX_CHARS) } : {}),
      verified: act.verified,
    });
    this.#values[act.kind] = act.to;
    this.#follow(act, from);
    return true;
  }

  #follow(act: Act, from: string): void {
    const byPerson = this.#isPerson(act);
    // A bot's word for a severity is somebody's will; that somebody is on it is not for a bot to say. The operator moves from Detection
    // to Response for one reason alone: somebody answered upstream.
    const isUpstream = this.#options.isMachine(act.by) && from === 'Detection' && act.to === 'Response';
    const answers = isUpstream || (byPerson && !isMachineUser(act.by));
    if (act.kind === 'Phase' && isPhase(act.to)) {
      this.#times = isPhase(from)
        ? timesAfter(this.#times, from, act.to, act.at, answers)
        : timesAtBirth(act.to, act.at, answers);
    }
    if (!byPerson) return;
    if (act.kind === 'Severity') this.#pinned.add('severity');
    // Filled in at birth by the policy or by us, in the name of whoever created it: nobody chose it.
    const isDefault =
      from === '' &&
      this.#isBirth &&
      SEVERITIES.some((s) => s === this.#values.Severity && defaultPriority(s) === act.to);
    if (act.kind === 'Priority' && !isDefault) this.#pinned.add('priority');
  }

  #isPerson({ by, verified }: Act): boolean {
    // Without a log nobody knows who; what the operator itself gave birth to is the one thing that is sure.
    if (!verified && this.#isBirth && this.#incident.spec.origin !== undefined) return false;
    return !this.#options.isMachine(by);
  }

  result(): NextChanges {
    const { Severity, Priority, Owner, Merge } = this.#values;
    const observed = Object.fromEntries(
      Object.entries({ severity: Severity, priority: Priority, owner: Owner, mergedInto: Merge }).filter(
        ([, v]) => v !== '',
      ),
    ) as NonNullable<IncidentStatus['observed']>;
    const held = this.#incident.status?.changes ?? [];
    // What the mirror has by now leaves with the next change: a write for that alone would be one too many.
    const isNews = this.#added.length > 0;
    const changes = isNews ? trimmed([...held, ...this.#added], this.#options.mirroredSequence) : held;
    return {
      added: this.#added,
      isFull: this.#isFull,
      status: {
        ...this.#times,
        changes,
        changeSequence: this.#sequence,
        logSequence: this.#logSequence,
        observed,
        ...(this.#pinned.size > 0 ? { pinned: [...this.#pinned].sort() } : {}),
      },
    };
  }
}

function timesOf(status: IncidentStatus | undefined): PhaseTimes {
  const { phase, phaseSince, detectedAt, acknowledgedAt, mitigatedAt, resolvedAt, closedAt, round } = status ?? {};
  const times = { phase, phaseSince, detectedAt, acknowledgedAt, mitigatedAt, resolvedAt, closedAt, round };
  return Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
}

/** An entry without a time was written before the one that follows it, and before now: the earliest moment that is sure. */
function dated(entries: readonly LogEntry[], now: string): LogEntry[] {
  let next = now;
  return entries
    .toReversed()
    .map((entry) => {
      next = entry.at === '' ? next : entry.at;
      return { ...entry, at: next };
    })
    .reverse();
}

function actOf({ field, value, at, user, reason }: LogEntry, isCollapsed: boolean): Act {
  const act: Act = { kind: KINDS[field], to: value, at, by: user, verified: true };
  const why = isCollapsed ? COLLAPSED : reason;
  return why === '' ? act : { ...act, reason: why };
}

/** The API server counts characters, not UTF-16 units. */
function head(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : [...text].slice(0, maxChars).join('');
}

/**
 * When a lease has run out. Pure. Promises that nothing which was heard of within its lease, counting only the time in which the intake
 * was there and forgot nothing, is ever said to have run out; what is done about it is the expirer's.
 */
import { parseInstant } from '@funnelai/domain/instants';
import type { Gap } from '@funnelai/history/leases';

/** How much longer than its lease anything is waited for: reports under way, clocks that differ, a restart. */
export const LEASE_GRACE_MS = 30_000;

/** What is known of the time before which all reports are known, in milliseconds since 1970. */
export interface Known {
  beganMs: number;
  untilMs: number;
  /** In order, none touching another. */
  gaps: readonly { beganMs: number; endedMs: number }[];
}

export type Verdict =
  /** It has no lease. */
  | { kind: 'never' }
  /** It cannot have run out before so many milliseconds have passed, whatever comes. */
  | { kind: 'runs'; leftMs: number }
  | { kind: 'ranOut' };

const ms = (text: string | undefined): number | undefined => parseInstant(text)?.epochMilliseconds;

/** Returns the gaps as they are asked for: in order, those that touch made one. What cannot be read is no gap. */
export function knownOf(life: { beganAt: string; knownUntil: string; gaps: readonly Gap[] }): Known | undefined {
  const [beganMs, untilMs] = [ms(life.beganAt), ms(life.knownUntil)];
  if (beganMs === undefined || untilMs === undefined) return undefined;
  const gaps: { beganMs: number; endedMs: number }[] = [];
  const read = life.gaps.flatMap(({ began, ended }) => {
    const [from, to] = [ms(began), ms(ended)];
    return from === undefined || to === undefined || to <= from ? [] : [{ beganMs: from, endedMs: to }];
  });
  for (const gap of read.sort((a, b) => a.beganMs - b.beganMs)) {
    const last = gaps.at(-1);
    if (last !== undefined && gap.beganMs <= last.endedMs) last.endedMs = Math.max(last.endedMs, gap.endedMs);
    else gaps.push({ ...gap });
  }
  return { beganMs, untilMs, gaps };
}

/** Returns how much of the time between is known, in milliseconds. Negative when `toMs` is earlier. */
export function knownMsBetween(fromMs: number, toMs: number, { gaps }: Pick<Known, 'gaps'>): number {
  let known = toMs - fromMs;
  for (let i = gaps.length - 1; i >= 0; i -= 1) {
    const gap = gaps[i];
    if (gap === undefined || gap.endedMs <= fromMs) break;
    known -= Math.max(0, Math.min(gap.endedMs, toMs) - Math.max(gap.beganMs, fromMs));
  }
  return known;
}

/** Returns whether what was last heard of then, and may be silent for `leaseMs`, has been so for longer. */
export function silenceOf(lastHeardMs: number, leaseMs: number, known: Known): Verdict {
  // Of the time before nothing is known: it may have been heard of until then.
  const fromMs = Math.max(lastHeardMs, known.beganMs);
  const leftMs = leaseMs + LEASE_GRACE_MS - knownMsBetween(fromMs, known.untilMs, known);
  return leftMs > 0 ? { kind: 'runs', leftMs } : { kind: 'ranOut' };
}

export interface LeaseTerms {
  /** The last report that it fires, and until when its sender then vouched for it. */
  lastSeen: string;
  leaseUntil?: string | undefined;
  /** The source's own; 0 for none. */
  expireAfterMs: number;
}

/** Returns whether the lease of an alert has run out: the longer of what its sender announced and what its source says. */
export function leaseVerdict({ lastSeen, leaseUntil, expireAfterMs }: LeaseTerms, known: Known): Verdict {
  const [seenMs, untilMs] = [ms(lastSeen), ms(leaseUntil)];
  if (seenMs === undefined) return { kind: 'never' };
  const announcedMs = untilMs === undefined ? 0 : Math.max(0, untilMs - seenMs);
  const leaseMs = Math.max(announcedMs, expireAfterMs);
  return leaseMs === 0 ? { kind: 'never' } : silenceOf(seenMs, leaseMs, known);
}

/**
 * Which alerts are worth asking Postgres about in this pass, by what stands in them and what was learned before: so each is asked about
 * once in a lease, and not once in a pass. Pure but for its memory.
 */
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import { isOrphanedByDedup } from '@funnelai/domain/dedup-identity';
import { HEARTBEAT_FINGERPRINT } from '@funnelai/domain/heartbeat';
import { parseDuration, parseInstant } from '@funnelai/domain/instants';
import { EXPIRY_DOUBT_MS, LEASE_RECHECK_MS } from '../limits.ts';
import { type Known, type LeaseTerms, leaseVerdict, type Verdict } from './decide.ts';
import { createGoneSources } from './gone-sources.ts';

export type Asked =
  /** No report can be about it any more: its source names no fault like this one, or is gone for good. */
  | { kind: 'orphaned'; reason: 'DedupChanged' | 'SourceDeleted' }
  /** Whether its lease ran out, or it has been heard of since it did, is for Postgres to say. */
  | { kind: 'lookUp' }
  | { kind: 'nothing' };

export interface Candidates {
  /** Begins a pass: forgets the alerts that the last one did not ask about, and all when the clock was set back. */
  begin(known: Known): void;
  ask(alert: Alert, source: AlertSource | undefined): Asked;
  /** What a look told: when the next one is worth it. */
  learned(alert: Alert, source: AlertSource | undefined, verdict: Verdict): void;
}

interface Memory {
  /** Of which version of alert and source it was learned. */
  of: string;
  /** Until this much is known there is no news. */
  notBeforeMs: number;
  pass: number;
  /** It seemed orphaned. The alert may have been made under rules of the source that this webhook has not heard of yet. */
  isSuspect?: true;
}

export function createCandidates(): Candidates {
  const memory = new Map<string, Memory>();
  const gone = createGoneSources();
  let pass = 0;
  let known: Known = { beganMs: 0, untilMs: 0, gaps: [] };
  const versionsOf = ({ metadata }: Alert, source: AlertSource | undefined) =>
    `${metadata.resourceVersion}/${source?.metadata.uid}/${source?.metadata.generation}`;

  function remember(alert: Alert, source: AlertSource | undefined, forMs: number): void {
    memory.set(alert.metadata.uid ?? '', { of: versionsOf(alert, source), notBeforeMs: known.untilMs + forMs, pass });
  }

  return {
    begin(next) {
      if (next.untilMs < known.untilMs) memory.clear();
      gone.begin(next);
      for (const [uid, { pass: last }] of memory) if (last < pass) memory.delete(uid);
      pass += 1;
      known = next;
    },
    ask(alert, source) {
      const { spec, metadata } = alert;
      if (spec.state === 'Resolved' || spec.fingerprint === HEARTBEAT_FINGERPRINT) return { kind: 'nothing' };
      // No sender reports an overflow Alert: it fires while one that it counts does, and expires with the last of them.
      if (spec.folded !== undefined || metadata.deletionTimestamp !== undefined) return { kind: 'nothing' };
      if (spec.state === 'Firing' && gone.isGone(metadata.namespace ?? '', spec.sourceRef.name, source))
        return { kind: 'orphaned', reason: 'SourceDeleted' };
      const learned = memory.get(metadata.uid ?? '');
      if (learned !== undefined && learned.of === versionsOf(alert, source)) {
        learned.pass = pass;
        if (learned.isSuspect) return { kind: 'orphaned', reason: 'DedupChanged' };
        if (known.untilMs < learned.notBeforeMs) return { kind: 'nothing' };
      } else if (spec.state === 'Firing' && source !== undefined && isOrphanedByDedup(spec, source)) {
        memory.set(metadata.uid ?? '', { of: versionsOf(alert, source), notBeforeMs: 0, pass, isSuspect: true });
        return { kind: 'nothing' };
      }
      if (spec.state === 'Expired')
        return spec.expired?.reason === 'LeaseRanOut' ? { kind: 'lookUp' } : { kind: 'nothing' };
      const verdict = leaseVerdict(termsOf(alert, source), known);
      if (verdict.kind !== 'runs') return { kind: 'lookUp' };
      remember(alert, source, verdict.leftMs);
      return { kind: 'nothing' };
    },
    learned(alert, source, verdict) {
      if (isInDoubt(alert, known)) remember(alert, source, 0);
      else remember(alert, source, verdict.kind === 'runs' ? verdict.leftMs : LEASE_RECHECK_MS);
    },
  };
}

/** Returns what is known of its lease from the alert alone. */
export function termsOf({ spec }: Alert, source: AlertSource | undefined): LeaseTerms {
  return { lastSeen: spec.receivedAt, leaseUntil: spec.leaseUntil, expireAfterMs: expireAfterMs(source) };
}

/** 0 where there is none, or none that can be read. */
export function expireAfterMs(source: AlertSource | undefined): number {
  try {
    return parseDuration(source?.spec.expireAfter ?? '0s');
  } catch {
    return 0;
  }
}

/** An alert that expired a moment ago may have had a report under way. */
function isInDoubt({ spec }: Alert, known: Known): boolean {
  const at = parseInstant(spec.expired?.at)?.epochMilliseconds;
  return spec.state === 'Expired' && at !== undefined && known.untilMs - at < EXPIRY_DOUBT_MS;
}

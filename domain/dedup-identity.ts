/**
 * Under which identity rules an alert was made, and whether it still is the fault that its source would name today. Who expires it is
 * the webhook's; the fingerprint itself is `fingerprint.ts`. Uses node:crypto.
 */
import { createHash } from 'node:crypto';
import type { AlertSource, AlertSourceSpec, AlertSpec } from '@funnelai/crds/generated/types';
import { fingerprintOf, IGNORED_LABELS } from './fingerprint.ts';
import { byCodeUnit, type Labels } from './labels.ts';

const HASH_DIGITS = 8;

const DEFAULT_HASH = hashOf(undefined);
/** Asked for each alert that comes, of a handful of sources. */
const known = new WeakMap<object, string>();

/** Returns 8 hex digits that are equal for equal rules, in whatever order they name their labels. */
export function dedupHashOf(dedup: AlertSourceSpec['dedup']): string {
  if (dedup === undefined) return DEFAULT_HASH;
  const found = known.get(dedup) ?? hashOf(dedup);
  known.set(dedup, found);
  return found;
}

function hashOf(dedup: AlertSourceSpec['dedup']): string {
  const sorted = (names: readonly string[]) => [...new Set(names)].sort(byCodeUnit);
  const rules = [dedup?.labels === undefined ? null : sorted(dedup.labels), sorted(dedup?.ignore ?? IGNORED_LABELS)];
  return createHash('sha256').update(JSON.stringify(rules), 'utf8').digest('hex').slice(0, HASH_DIGITS);
}

/** What is asked of an alert for it. */
type Identified = { [F in 'fingerprint' | 'dedupHash' | 'labels']?: AlertSpec[F] | undefined };

/**
 * Will no report of this source ever be about this alert again, because its `dedup` changed? Where the labels tell the same
 * fingerprint under the new rules it is the same fault still. An alert of a sender's own key, or from before the rules were noted,
 * is none: what is not known orphans nothing.
 */
export function isOrphanedByDedup(alert: Identified, source: AlertSource): boolean {
  const { dedup, labels: added = {} } = source.spec;
  if (alert.dedupHash === undefined || alert.dedupHash === dedupHashOf(dedup)) return false;
  const labels = alert.labels ?? {};
  // Which of them the source added is not kept: either way may be how it was sent.
  const sent = Object.fromEntries(Object.entries(labels).filter(([name, value]) => added[name] !== value));
  const isStill = (some: Labels) => fingerprintOf(some, dedup).fingerprint === alert.fingerprint;
  return !isStill(labels) && !isStill(sent);
}

/** The identity of an alert: one hash for one fault as its sender names it, whatever the order of labels. Uses node:crypto. */
import { hash } from 'node:crypto';
import type { AlertSourceSpec } from '@funnelai/crds/generated/types';
import { type Labels, labelValue, sortNames } from './labels.ts';

/** Labels that tell apart only the replicas of one sender. */
export const IGNORED_LABELS: readonly string[] = ['prometheus_replica', 'replica'];

/** Longest name of a Kubernetes object that may also be a label value. */
const NAME_MAX = 63;

const sha256 = (text: string): string => hash('sha256', text, 'hex');

/**
 * Returns the sha256 (hex) of the sender's labels as sorted [name, value] pairs in JSON, less `dedup.ignore`, or of only
 * `dedup.labels`; `missing` names those of the latter that the alert does not have. An empty value is no label, as in
 * Prometheus. When none of `dedup.labels` is there all labels count: an empty key would make every such alert one and the same.
 */
export function fingerprintOf(
  labels: Labels,
  dedup?: AlertSourceSpec['dedup'],
): { fingerprint: string; missing: string[] } {
  if (dedup?.labels === undefined) return { fingerprint: hashed(labels, namesBut(labels, dedup?.ignore)), missing: [] };
  const keys = [...new Set(dedup.labels)];
  const missing = keys.filter((name) => labelValue(labels, name) === '');
  const names =
    keys.length > missing.length ? keys.filter((name) => !missing.includes(name)) : namesBut(labels, dedup.ignore);
  return { fingerprint: hashed(labels, names), missing };
}

/** Names of the labels that say something, less those. */
function namesBut(labels: Labels, ignored: readonly string[] = IGNORED_LABELS): string[] {
  // A handful of names: looked through sooner than put into a set for each alert. A list that a person wrote at length is no handful.
  const among = ignored.length > HANDFUL ? new Set(ignored) : { has: (name: string) => ignored.includes(name) };
  return Object.keys(labels).filter((name) => labels[name] !== '' && !among.has(name));
}
const HANDFUL = 8;

function hashed(labels: Labels, names: string[]): string {
  const pairs = sortNames(names).map((name) => [name, labels[name] ?? '']);
  return sha256(JSON.stringify(pairs));
}

/** Returns the fingerprint of a key that the sender itself chose; never equal to one of labels. */
export function fingerprintOfKey(dedupKey: string): string {
  return sha256(JSON.stringify({ key: dedupKey }));
}

/** Hex digits of the fingerprint in a name; the next is tried when the name is held by another fingerprint. */
export const NAME_DIGITS: readonly number[] = [16, 24, 40, 64];

/**
 * Returns the name of the Alert: its source and the first hex digits of its fingerprint. On a clash with another fingerprint
 * ask again with more digits; the name never passes 63 characters.
 */
export function alertName(source: string, fingerprint: string, hexDigits = 16): string {
  return `${source}-${fingerprint.slice(0, Math.max(1, Math.min(hexDigits, NAME_MAX - 1 - source.length)))}`;
}

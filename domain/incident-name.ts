/**
 * Names of incidents that people say aloud: what it is about, and two words. The same origin always yields the same name, so a
 * create that is tried again meets itself. Uses node:crypto.
 */
import { createHash } from 'node:crypto';
import { ADJECTIVES, ANIMALS } from './incident-words.ts';

/** A name may serve as a label value. */
const NAME_MAX = 63;
/** Leaves room for the longest two words and for lengthening. */
const BASE_MAX = 28;
const DIGITS_MAX = 10;

/** What makes an incident this one and no other. */
export interface NameSeed {
  namespace: string;
  /** Absent for the built-in rule. */
  rule: string | undefined;
  groupKey: string;
  opening: number;
}

const digestOf = (parts: readonly unknown[]): Buffer =>
  createHash('sha256').update(JSON.stringify(parts), 'utf8').digest();

/** Returns `<base>-<adjective>-<animal>`; `base` is a service's, an alert's or a rule's name in any form. */
export function incidentName(seed: NameSeed, base: string): string {
  const digest = digestOf([seed.namespace, seed.rule ?? null, seed.groupKey, seed.opening]);
  const adjective = ADJECTIVES[digest.readUInt32BE(0) % ADJECTIVES.length];
  const animal = ANIMALS[digest.readUInt32BE(4) % ANIMALS.length];
  return `${slug(base)}-${adjective}-${animal}`;
}

/**
 * Returns the n-th longer form of a name that another incident has, n from 1: some characters of a hash of it are added, two
 * more each time, within 63 characters.
 */
export function lengthen(name: string, n: number): string {
  const digits = digestOf(['longer', name])
    .toString('hex')
    .slice(0, Math.min(DIGITS_MAX, 2 + 2 * n));
  const stem = name.slice(0, NAME_MAX - 1 - digits.length).replace(/[^a-z0-9]+$/, '');
  return `${stem}-${digits}`;
}

/** `KubePodCrashLooping` → `kube-pod-crash-looping`; ends at a word where it must be cut, and is never empty. */
function slug(base: string): string {
  const words = base
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  let out = '';
  for (const word of words) {
    const longer = out === '' ? word.slice(0, BASE_MAX) : `${out}-${word}`;
    if (longer.length > BASE_MAX) break;
    out = longer;
  }
  return out || 'incident';
}

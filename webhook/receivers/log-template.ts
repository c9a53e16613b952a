/**
 * What of a text stays the same when its program writes it again: numbers, times and ids give way to #, names that end in a small
 * number stay, because eth0 and eth1 are two things. A heuristic, and therefore documented; the source's mapping can say better. Pure.
 */
import { createHash } from 'node:crypto';
import { cutBytes, utf8Bytes } from '@funnelai/domain/bytes';

/** Of a message, this much is looked at. */
const MESSAGE_CHARACTERS = 8_192;
const TEMPLATE_MAX_BYTES = 256;
const NAME_MAX_BYTES = 120;
/** Attributes with longer values are texts, and no names. */
const STABLE_CHARACTERS = 128;
const HASH_DIGITS = 12;

/** Letters and digits that Kubernetes makes the ends of pod names of. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';
const PARTS = new RegExp(
  [
    '(?<keep>\\b(?:code|status|errno|signal|http)["\']?[:=\\s]{1,3}\\d{1,5}\\b|\\b\\d{1,3}(?:\\.\\d{1,3}){3}\\b)',
    '(?<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\\b0x[0-9a-f]+\\b|\\b(?=[a-f]{0,40}\\d)[0-9a-f]{8,}\\b)',
    '(?<time>\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?)',
    '(?<name>[\\p{L}_][\\p{L}\\p{N}_]*(?:[-.][\\p{L}\\p{N}_]+)*)',
    '(?<number>\\d+(?:[.,]\\d+)*)',
  ].join('|'),
  'giu',
);
const POD = new RegExp(`-[${SAFE}]{8,10}-[${SAFE}]{5}$`);
const IDS =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![\p{L}\p{N}])(?=[a-f]{0,40}\d)[0-9a-f]{8,}(?![\p{L}\p{N}])/giu;
const LONG_DIGITS = /\d{5,}/g;
const NUMBERS_ONLY = /^[\d\s.,:;+\-/%TZ]+$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Returns the message without what changes when it is written again; what is too long ends in a hash of the whole. */
export function templateOf(message: string): string {
  const folded = message
    .slice(0, MESSAGE_CHARACTERS)
    .replace(PARTS, (text, ...rest) => {
      const groups = rest.at(-1) as Record<string, string | undefined>;
      if (groups.keep !== undefined) return text;
      if (groups.name !== undefined) return stableName(text);
      return '#';
    })
    .replace(/\s+/g, ' ')
    .trim();
  if (utf8Bytes(folded) <= TEMPLATE_MAX_BYTES) return folded;
  const hash = createHash('sha256').update(folded, 'utf8').digest('hex').slice(0, HASH_DIGITS);
  return `${cutBytes(folded, TEMPLATE_MAX_BYTES - HASH_DIGITS - 1)} ${hash}`;
}

/** Is this the name of a pod of a Deployment? Another pod will have another. */
export const isPodName = (text: string): boolean => POD.test(text);

function stableName(name: string): string {
  return name.replace(POD, '-#').replace(IDS, '#').replace(LONG_DIGITS, '#');
}

/** Returns a name for the kind of thing that a message is about: its first line, all numbers folded. Empty for an empty message. */
export function kindOf(message: string): string {
  const line =
    message
      .slice(0, MESSAGE_CHARACTERS)
      .split(/\r?\n/)
      .find((part) => part.trim() !== '') ?? '';
  return cutBytes(templateOf(line).replace(/[\d#]+(?:[.:,-][\d#]+)*/g, '#'), NAME_MAX_BYTES);
}

/** Is this value the same whenever the same fault is reported? Ids, times, measurements and long texts are not. */
export function isStable(value: string | number | boolean): boolean {
  if (typeof value === 'number') return false;
  if (typeof value === 'boolean') return true;
  if (value === '' || value.length > STABLE_CHARACTERS || /[\r\n]/.test(value)) return false;
  if (IPV4.test(value)) return true;
  return stableName(value) === value && !NUMBERS_ONLY.test(value);
}

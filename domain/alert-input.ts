/**
 * From what a receiver hands over to the spec of an Alert: severity, title, links, labels of the source, and bounds in bytes on
 * everything. Nothing is refused for its size; what was cut carries a mark and is said. Reading bodies is the receivers'.
 */
import type { AlertSource, AlertSpec, LinkKind } from '@funnelai/crds/generated/types';
import { Temporal } from 'temporal-polyfill';
import { bounded } from './alert-bounds.ts';
import { type AlertLink, linksFrom } from './alert-links.ts';
import { cleanText, cutBytes, utf8Bytes } from './bytes.ts';
import { dedupHashOf } from './dedup-identity.ts';
import { fingerprintOf, fingerprintOfKey } from './fingerprint.ts';
import { formatMicros, isGoZero } from './instants.ts';
import { byCodeUnit, type Labels, labelsFrom, labelValue } from './labels.ts';
import { SEVERITY_LABEL, severityFrom } from './severity.ts';

/** One report of one alert, as any receiver hands it over. */
export interface AlertInput {
  labels: Labels;
  annotations: Labels;
  state: 'Firing' | 'Resolved';
  /** Of the sender's clock; absent when it said none. */
  startsAt?: Temporal.Instant | undefined;
  endsAt?: Temporal.Instant | undefined;
  /** Until when its sender vouches for it without another word; of those that fire only. */
  leaseUntil?: Temporal.Instant | undefined;
  title?: string | undefined;
  description?: string | undefined;
  /** The sender's word for how bad it is, where that is no label; a label that the source names goes before it. */
  severity?: string | undefined;
  /** What the receiver had to guess or leave out, for people; kept with the alert. */
  notes?: readonly string[] | undefined;
  /** What the sender names in fields of its own: generator, silence, panel. Those in annotations are found here. */
  links: readonly { title: string; url: string; kind: LinkKind }[];
  /** The sender's own key, which then is the identity. */
  dedupKey?: string | undefined;
}

export const TITLE_MAX_BYTES = 256;
export const DESCRIPTION_MAX_BYTES = 4096;
export const DEDUP_KEY_MAX_BYTES = 512;
export const ORIGINAL_SEVERITY_MAX_BYTES = 256;
export const NOTES_MAX = 16;
export const NOTE_MAX_BYTES = 256;

/** Annotations that may hold the title, best first. */
const TITLE_ANNOTATIONS = ['summary', 'title', 'message'];

/**
 * Returns the spec of this one report, to be merged with what is stored, and notes for the sender about what was missing or cut.
 * A Resolved without an end ended when it was received; a report without a start began then, or at its end if that is earlier.
 */
export function toAlertSpec(
  input: AlertInput,
  source: AlertSource,
  receivedAt: Temporal.Instant,
): { spec: AlertSpec; notes: string[] } {
  const notes: string[] = [...(input.notes ?? [])];
  const identity = identityOf(input, source, notes);
  // Added after the fingerprint: to name the cluster at a source does not make new alerts of all that fire.
  const enriched = labelsFrom([
    ...Object.entries(source.spec.labels ?? {}),
    ...Object.entries(input.labels).filter(([, value]) => value !== ''),
  ]);
  const original = labelValue(enriched, source.spec.severity?.label ?? SEVERITY_LABEL) || (input.severity ?? '');
  const { labels, annotations } = bounded(enriched, input.annotations, notes);
  const description = input.description ?? labelValue(input.annotations, 'description');
  const spec: AlertSpec = {
    sourceRef: { name: source.metadata.name },
    ...identity,
    state: input.state,
    severity: severityFrom(original, source.spec.severity),
    title: titleOf(input),
    ...timesOf(input, receivedAt),
    receivedAt: formatMicros(receivedAt),
  };
  if (input.state === 'Firing' && input.leaseUntil !== undefined) spec.leaseUntil = formatMicros(input.leaseUntil);
  if (original !== '') spec.originalSeverity = cutBytes(cleanText(original), ORIGINAL_SEVERITY_MAX_BYTES);
  if (description !== '') spec.description = cutBytes(cleanText(description), DESCRIPTION_MAX_BYTES);
  if (utf8Bytes(description) > DESCRIPTION_MAX_BYTES)
    notes.push(`description cut to ${DESCRIPTION_MAX_BYTES} of ${utf8Bytes(description)} bytes`);
  if (Object.keys(labels).length > 0) spec.labels = labels;
  if (Object.keys(annotations).length > 0) spec.annotations = annotations;
  const links: AlertLink[] = linksFrom(input.annotations, input.links, notes);
  if (links.length > 0) spec.links = links;
  // Kept beside what they are about: who reads the alert at night has no log of ours.
  const kept = [...new Set(notes.map((note) => cutBytes(cleanText(note), NOTE_MAX_BYTES)))].slice(0, NOTES_MAX);
  if (kept.length > 0) spec.notes = kept;
  return { spec, notes };
}

function identityOf(
  input: AlertInput,
  source: AlertSource,
  notes: string[],
): Pick<AlertSpec, 'fingerprint' | 'dedupKey' | 'dedupHash'> {
  if (input.dedupKey !== undefined && input.dedupKey !== '') {
    const dedupKey = cutBytes(cleanText(input.dedupKey), DEDUP_KEY_MAX_BYTES);
    return { fingerprint: fingerprintOfKey(input.dedupKey), dedupKey };
  }
  const { fingerprint, missing } = fingerprintOf(input.labels, source.spec.dedup);
  if (missing.length > 0) notes.push(`labels that dedup.labels asks for are missing: ${missing.join(', ')}`);
  return { fingerprint, dedupHash: dedupHashOf(source.spec.dedup) };
}

function timesOf(input: AlertInput, receivedAt: Temporal.Instant): Pick<AlertSpec, 'startsAt' | 'endsAt'> {
  const named = (instant: Temporal.Instant | undefined) =>
    instant === undefined || isGoZero(instant) ? undefined : instant;
  const later = (a: Temporal.Instant, b: Temporal.Instant) => (Temporal.Instant.compare(a, b) >= 0 ? a : b);
  const end = input.state === 'Resolved' ? (named(input.endsAt) ?? receivedAt) : undefined;
  const ends = end ?? receivedAt;
  const start = named(input.startsAt) ?? (later(ends, receivedAt) === ends ? receivedAt : ends);
  return {
    startsAt: formatMicros(start),
    ...(end === undefined ? {} : { endsAt: formatMicros(later(start, end)) }),
  };
}

function titleOf({ title, annotations, labels }: AlertInput): string {
  const line = (text: string) =>
    cleanText(text)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim();
  const candidates = [
    title ?? '',
    ...TITLE_ANNOTATIONS.map((name) => labelValue(annotations, name)),
    labelValue(labels, 'alertname'),
  ];
  const found = candidates.map(line).find((text) => text !== '');
  const joined = () =>
    Object.entries(labels)
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  return cutBytes(found ?? (line(joined()) || 'Alert without labels'), TITLE_MAX_BYTES);
}

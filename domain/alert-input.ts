/**
 * From what a receiver hands over to the spec of an Alert: severity, title, links, labels of the source, secrets taken out, and
 * bounds in bytes on everything. Nothing is refused for its size; what was cut carries a mark and is said. Reading bodies is the receivers'.
 */
import type { AlertSource, AlertSpec, LinkKind } from '@funnelai/crds/generated/types';
import { Temporal } from 'temporal-polyfill';
import { bounded } from './alert-bounds.ts';
import { type AlertLink, linksFrom } from './alert-links.ts';
import { cleanText, cutBytes, utf8Bytes } from './bytes.ts';
import { dedupHashOf } from './dedup-identity.ts';
import { fingerprintOf, fingerprintOfKey } from './fingerprint.ts';
import { formatMicros } from './instants.ts';
import { byCodeUnit, type Labels, labelsFrom, labelValue } from './labels.ts';
import { noteOf, type Oddity, possibleTimes, type Times } from './possible-times.ts';
import { redactInput } from './redaction.ts';
import { SEVERITY_LABEL, severityFrom } from './severity.ts';
import { asksNobody } from './source-credentials.ts';

/** One report of one alert, as any receiver hands it over. */
export interface AlertInput {
  labels: Labels;
  annotations: Labels;
  state: 'Firing' | 'Resolved';
  /** Of the sender's clock; absent when it said none. */
  startsAt?: Temporal.Instant | undefined;
  endsAt?: Temporal.Instant | undefined;
  /**
   * When this was seen, of senders that report moments and not episodes: the start of what does not fire yet, the end of what it
   * resolves, and nothing new of what fires already. Used where the sender named neither start nor end.
   */
  occurredAt?: Temporal.Instant | undefined;
  /** Until when its sender vouches for it without another word; of those that fire only. */
  leaseUntil?: Temporal.Instant | undefined;
  title?: string | undefined;
  description?: string | undefined;
  /** The sender's word for how bad it is, where that is no label; a label that the source names goes before it. */
  severity?: string | undefined;
  /** What the receiver had to guess or leave out, for people; kept with the alert. */
  notes?: readonly string[] | undefined;
  /** The same where the sender should hear of it, too. */
  odd?: readonly Oddity[] | undefined;
  /** What the sender names in fields of its own: generator, silence, panel. Those in annotations are found here. */
  links: readonly { title: string; url: string; kind: LinkKind }[];
  /** The sender's own key, which then is the identity. */
  dedupKey?: string | undefined;
  /**
   * Where the report is less than a whole alert. `State`: of what is stored, labels, title and severity stay. `Ending`: the same, and
   * it makes no alert: its sender says "all is well" of much that never failed. `Acknowledgement`: someone has taken it in the system
   * that sent it; that is noted on what fires, changes nothing else and makes no alert.
   */
  only?: 'State' | 'Ending' | 'Acknowledgement' | undefined;
  /** Who acknowledged it there, where the sender says. */
  acknowledgedBy?: string | undefined;
}

export const TITLE_MAX_BYTES = 256;
export const DESCRIPTION_MAX_BYTES = 4096;
export const DEDUP_KEY_MAX_BYTES = 512;
export const ORIGINAL_SEVERITY_MAX_BYTES = 256;
export const NOTES_MAX = 16;
export const NOTE_MAX_BYTES = 256;
export const ACKNOWLEDGED_BY_MAX_BYTES = 256;

/** Stands with every alert of a source that asks for no credentials. */
export const UNAUTHENTICATED_NOTE =
  'nobody vouches for this alert: its source takes alerts from whoever reaches it (spec.auth.none)';

/** Annotations that may hold the title, best first. */
const TITLE_ANNOTATIONS = ['summary', 'title', 'message'];

/** The spec of one report, and what is to be said of it. */
export interface MadeSpec {
  spec: AlertSpec;
  /** All that was missing, cut or guessed; the spec keeps the first of them. */
  notes: string[];
  /** What of it the sender should mend. */
  odd: Oddity[];
  /** Which times its sender has named; the others are those of receipt. */
  startNamed: boolean;
  endNamed: boolean;
}

/**
 * Returns the spec of this one report, to be merged with what is stored, and what was missing or cut.
 * A Resolved without an end ended when it was received; a report without a start began then, or at its end if that is earlier.
 * `via` is the source that the sender posted to, where that one routes to `source`: what it knows of the sender goes before.
 */
export function toAlertSpec(
  sent: AlertInput,
  source: AlertSource,
  receivedAt: Temporal.Instant,
  via: AlertSource = source,
): MadeSpec {
  const notes: string[] = asksNobody(via.spec) ? [UNAUTHENTICATED_NOTE] : [];
  if (via !== source) notes.push(`routed here by AlertSource ${via.metadata.namespace}/${via.metadata.name}`);
  const { fingerprint, missing } = identityOf(sent, source);
  if (missing.length > 0) notes.push(`labels that dedup.labels asks for are missing: ${missing.join(', ')}`);
  const { times, odd: oddTimes } = possibleTimes(sent, receivedAt);
  const oddSent = [...(sent.odd ?? []), ...oddTimes];
  const odd = [...missing.map((name) => withoutKeyLabel(name, source)), ...oddSent];
  // After the fingerprint: what is taken out of a label does not make it another fault, nor two faults one.
  const { input, notes: taken } = redactInput(sent);
  notes.push(...taken, ...oddSent.map(noteOf), ...(input.notes ?? []));
  // Added after the fingerprint: to name the cluster at a source does not make new alerts of all that fire.
  const enriched = enrichedBy(source, via, input.labels);
  const original = labelValue(enriched, source.spec.severity?.label ?? SEVERITY_LABEL) || (input.severity ?? '');
  const { labels, annotations } = bounded(enriched, input.annotations, notes);
  const description = input.description ?? labelValue(input.annotations, 'description');
  const spec: AlertSpec = {
    sourceRef: { name: source.metadata.name },
    fingerprint,
    state: input.state,
    severity: severityFrom(original, source.spec.severity),
    title: titleOf(input),
    ...timesOf(input.state, times, receivedAt),
    receivedAt: formatMicros(receivedAt),
  };
  if (input.dedupKey) spec.dedupKey = cutBytes(cleanText(input.dedupKey), DEDUP_KEY_MAX_BYTES);
  else spec.dedupHash = dedupHashOf(source.spec.dedup);
  if (times.leaseUntil !== undefined) spec.leaseUntil = formatMicros(times.leaseUntil);
  if (original !== '') spec.originalSeverity = cutBytes(cleanText(original), ORIGINAL_SEVERITY_MAX_BYTES);
  if (input.only === 'Acknowledgement')
    spec.acknowledgedUpstream = acknowledgementOf(input, receivedAt, source.spec.trustAcknowledge);
  if (description !== '') spec.description = cutBytes(cleanText(description), DESCRIPTION_MAX_BYTES);
  if (utf8Bytes(description) > DESCRIPTION_MAX_BYTES)
    notes.push(`description cut to ${DESCRIPTION_MAX_BYTES} of ${descriptionBytes(sent)} bytes`);
  if (Object.keys(labels).length > 0) spec.labels = labels;
  if (Object.keys(annotations).length > 0) spec.annotations = annotations;
  const links: AlertLink[] = linksFrom(input.annotations, input.links, notes);
  if (links.length > 0) spec.links = links;
  // Kept beside what they are about: who reads the alert at night has no log of ours.
  if (notes.length > 0) {
    const shown = notes.filter((note) => note !== '').map((note) => cutBytes(cleanText(note), NOTE_MAX_BYTES));
    const kept = [...new Set(shown)].slice(0, NOTES_MAX);
    if (kept.length > 0) spec.notes = kept;
  }
  return {
    spec,
    notes,
    odd,
    startNamed: times.startsAt !== undefined,
    endNamed: (times.endsAt ?? times.occurredAt) !== undefined,
  };
}

/** What the sender says goes before what its source knows of it. */
function enrichedBy(source: AlertSource, via: AlertSource, sent: Labels): Labels {
  const [own, known] = [source.spec.labels, via === source ? undefined : via.spec.labels];
  // Empty ones are left out where the bounds are applied.
  if (own === undefined && known === undefined) return sent;
  return labelsFrom([
    ...Object.entries(own ?? {}),
    ...Object.entries(known ?? {}),
    ...Object.entries(sent).filter(([, value]) => value !== ''),
  ]);
}

/** Returns the fingerprint that this report has as an alert of this source, and which labels it should have had. */
export function identityOf(sent: AlertInput, source: AlertSource): { fingerprint: string; missing: string[] } {
  if (sent.dedupKey) return { fingerprint: fingerprintOfKey(sent.dedupKey), missing: [] };
  return fingerprintOf(sent.labels, source.spec.dedup);
}

function withoutKeyLabel(name: string, { metadata }: AlertSource): Oddity {
  return {
    field: `labels[${JSON.stringify(name)}]`,
    found: 'nothing',
    expected: `a value, for dedup.labels of AlertSource ${metadata.namespace}/${metadata.name} tells faults apart by it`,
    done: 'left out of the identity',
  };
}

/** As it was sent. */
function descriptionBytes({ description, annotations }: AlertInput): number {
  return utf8Bytes(description ?? labelValue(annotations, 'description'));
}

function timesOf(
  state: Times['state'],
  { startsAt, endsAt, occurredAt }: Omit<Times, 'state'>,
  receivedAt: Temporal.Instant,
): Pick<AlertSpec, 'startsAt' | 'endsAt'> {
  const later = (a: Temporal.Instant, b: Temporal.Instant) => (Temporal.Instant.compare(a, b) >= 0 ? a : b);
  const end = state === 'Resolved' ? (endsAt ?? occurredAt ?? receivedAt) : undefined;
  const ends = end ?? receivedAt;
  const began = startsAt ?? (state === 'Firing' ? occurredAt : undefined);
  const start = began ?? (later(ends, receivedAt) === ends ? receivedAt : ends);
  return {
    startsAt: formatMicros(start),
    ...(end === undefined ? {} : { endsAt: formatMicros(later(start, end)) }),
  };
}

/** Whether it is trusted is settled here, once, by the source whose alert it is: what becomes of that source later changes nothing. */
function acknowledgementOf(
  input: AlertInput,
  receivedAt: Temporal.Instant,
  isTrusted = false,
): NonNullable<AlertSpec['acknowledgedUpstream']> {
  const by = cutBytes(cleanText(input.acknowledgedBy ?? '').trim(), ACKNOWLEDGED_BY_MAX_BYTES);
  const word = { at: formatMicros(receivedAt), ...(by === '' ? {} : { by }) };
  return { ...word, ...(isTrusted ? { trusted: word } : {}) };
}

/** In one line. A single space, as nearly all of it is, is left alone. */
const line = (text: string): string =>
  cleanText(text)
    .replace(/[\s\p{Cc}]{2,}|[^\S ]|\p{Cc}/gu, ' ')
    .trim();

function titleOf({ title, annotations, labels }: AlertInput): string {
  // One after the other: mostly the first of them says something.
  let found = line(title ?? '');
  for (const name of TITLE_ANNOTATIONS) found ||= line(labelValue(annotations, name));
  found ||= line(labelValue(labels, 'alertname'));
  const joined = () =>
    Object.entries(labels)
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  return cutBytes(found || line(joined()) || 'Alert without labels', TITLE_MAX_BYTES);
}

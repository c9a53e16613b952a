/**
 * The alert that stands for the silence of a source: its identity, which no sender can make, its words, and what counts as a sign of
 * life. Whether a source is silent is decided where it is known what was heard (webhook/leases). Uses node:crypto.
 */
import { createHash } from 'node:crypto';
import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import type { Temporal } from 'temporal-polyfill';
import { TITLE_MAX_BYTES } from './alert-input.ts';
import { cutBytes } from './bytes.ts';
import { formatMicros } from './instants.ts';
import { type Matcher, matches, parseMatcher } from './matcher.ts';

/** Fingerprints of labels are of a list, those of a sender's key of an object with `key`: neither can be this one. */
export const HEARTBEAT_FINGERPRINT = createHash('sha256').update('{"heartbeat":true}', 'utf8').digest('hex');
export const HEARTBEAT_ALERTNAME = 'SourceSilent';

type Compiled = { matchers: readonly Matcher[] } | { fault: string };
/** Asked for each body that comes, of a handful of sources. */
const compiled = new WeakMap<object, Compiled>();

function compile(texts: readonly string[] | undefined): Compiled {
  if (texts === undefined) return { matchers: [] };
  const before = compiled.get(texts);
  if (before !== undefined) return before;
  let found: Compiled;
  try {
    found = { matchers: texts.map(parseMatcher) };
  } catch (error) {
    found = { fault: error instanceof Error ? error.message : String(error) };
  }
  compiled.set(texts, found);
  return found;
}

/** Returns what is wrong with the matchers of the heartbeat, for people; undefined when they can be read. */
export function heartbeatFault({ spec }: AlertSource): string | undefined {
  const found = compile(spec.heartbeat?.match);
  return 'fault' in found ? found.fault : undefined;
}

/** Is a body that held these alerts, be it none, a sign that the source lives, as its heartbeat has it? False for one without. */
export function isSignOfLife(source: AlertSource, alerts: readonly Pick<AlertSpec, 'labels'>[]): boolean {
  if (source.spec.heartbeat === undefined) return false;
  if (source.spec.heartbeat.match === undefined) return true;
  const found = compile(source.spec.heartbeat.match);
  const matchers = 'matchers' in found ? found.matchers : [];
  return matchers.length > 0 && alerts.some(({ labels }) => matchers.every((one) => matches(one, labels)));
}

/** Returns the report that the source has fallen silent. */
export function silentReport(source: AlertSource, lastHeard: string, now: Temporal.Instant): AlertSpec {
  const { name } = source.metadata;
  const { every = '', match } = source.spec.heartbeat ?? {};
  const what = match === undefined ? 'Nothing' : `Nothing that matches ${match.join(', ')}`;
  return {
    sourceRef: { name },
    fingerprint: HEARTBEAT_FINGERPRINT,
    state: 'Firing',
    severity: 'High',
    title: cutBytes(`${what} has come from ${name} for ${every}`, TITLE_MAX_BYTES),
    description: `Last heard at ${lastHeard}. While it is silent, nobody knows what its sender would say: see whether it runs, and whether it can reach this address.`,
    labels: { ...source.spec.labels, alertname: HEARTBEAT_ALERTNAME, source: name },
    startsAt: formatMicros(now),
    receivedAt: formatMicros(now),
  };
}

/** Returns the report that resolves it, and says why. */
export function heardReport(silent: AlertSpec, note: string, endsAt: string, now: Temporal.Instant): AlertSpec {
  const { latestStartsAt, ...spec } = silent;
  const startsAt = latestStartsAt ?? spec.startsAt;
  return { ...spec, state: 'Resolved', startsAt, endsAt, receivedAt: formatMicros(now), notes: [note] };
}

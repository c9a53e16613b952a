/** One report of an alert, when it was received, and how it stands to what is stored when its sender named no times. Pure. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import type { AlertInput, MadeSpec } from '@funnelai/domain/alert-input';
import { compareInstants, formatMicros, parseInstant } from '@funnelai/domain/instants';
import { acknowledgedIn, isResolvedByHand, mergeAlert, sameAlert } from '@funnelai/domain/merge';

/** A report as it will be merged; what the sender left out was filled in with the time of receipt and may yet give way. */
export interface Report {
  spec: AlertSpec;
  startNamed: boolean;
  endNamed: boolean;
  /** Where the report is less than a whole alert. */
  only?: AlertInput['only'];
}

/** Returns the report that a receiver's input is, of what was made of it; `spec` where that has to say something else. */
export function reportOf(
  { only }: AlertInput,
  made: Pick<MadeSpec, 'spec' | 'startNamed' | 'endNamed'>,
  spec = made.spec,
): Report {
  const { startNamed, endNamed } = made;
  return only === undefined ? { spec, startNamed, endNamed } : { spec, startNamed, endNamed, only };
}

/** Returns what is stored and the report as one; undefined when nothing is stored and the report alone makes no alert. */
export function combined(stored: AlertSpec | undefined, report: Report): AlertSpec | undefined {
  if (report.only === 'Acknowledgement') return noted(stored, report.spec);
  if (report.only === 'Ending' && stored?.state !== 'Firing') return stored;
  return mergeAlert(stored, anchored(report, stored));
}

/** Noted on what fires; one that came before the present episode is of an earlier one. */
function noted(stored: AlertSpec | undefined, report: AlertSpec): AlertSpec | undefined {
  if (stored?.state !== 'Firing') return stored;
  const next = { ...stored, ...acknowledgedIn(stored.startsAt, [stored, report]) };
  return sameAlert(stored, next) ? stored : next;
}

/**
 * Returns the spec to merge. A report without a start is about the episode that is stored while that one still fires,
 * and a Resolved without an end repeats the end that is stored: else each repeat would be news, and be written. What fires under its
 * old start after a person had resolved it begins when it is heard of: whoever resolved it knew of all before.
 */
export function anchored(report: Report, stored: AlertSpec | undefined): AlertSpec {
  const { startNamed } = report;
  const endNamed = report.endNamed && report.spec.state === 'Resolved';
  if (stored === undefined) return report.spec;
  const spec = report.only === undefined ? report.spec : withContentOf(stored, report.spec);
  if (isAfterResolveByHand(spec, stored)) return { ...spec, startsAt: spec.receivedAt };
  const sameEpisode = startNamed
    ? spec.startsAt === stored.startsAt || spec.startsAt === stored.latestStartsAt
    : stored.state === 'Firing' || spec.state === 'Resolved';
  if (!sameEpisode) return spec;
  // An end before the newest start is that of an episode that came before: to put it here would resolve what fires again.
  if (!startNamed && endNamed && compareInstants(spec.endsAt, stored.latestStartsAt ?? stored.startsAt) < 0)
    return spec;
  const startsAt = startNamed ? spec.startsAt : (stored.latestStartsAt ?? stored.startsAt);
  const repeatsEnd =
    !endNamed && spec.state === 'Resolved' && stored.state === 'Resolved' && stored.endsAt !== undefined;
  return { ...spec, startsAt, ...(repeatsEnd && stored.endsAt !== undefined ? { endsAt: stored.endsAt } : {}) };
}

/** State and times of the report, all else as stored. */
function withContentOf(stored: AlertSpec, { state, startsAt, endsAt, receivedAt }: AlertSpec): AlertSpec {
  const { latestStartsAt: _l, firingStartsAt: _f, endsAt: _e, leaseUntil: _u, ...others } = stored;
  const { acknowledgedUpstream: _a, expired: _x, ...content } = others;
  return { ...content, state, startsAt, receivedAt, ...(endsAt === undefined ? {} : { endsAt }) };
}

function isAfterResolveByHand(spec: AlertSpec, stored: AlertSpec): boolean {
  if (!isResolvedByHand(stored) || spec.state !== 'Firing' || compareInstants(spec.receivedAt, stored.receivedAt) <= 0)
    return false;
  return compareInstants(spec.startsAt, stored.endsAt ?? stored.latestStartsAt ?? stored.startsAt) <= 0;
}

/** A time of receipt that lies further ahead than this is no difference of clocks. */
const CLOCKS_DIFFER_SECONDS = 300;

/**
 * Returns the report as received after what was known of its alert when it came. By the clock of another replica that may have been later;
 * the merge would take this report for the older one.
 */
export function receivedAfter(spec: AlertSpec, known: AlertSpec | undefined): AlertSpec {
  // Both are written alike, so that texts compare as times do: this is asked for every alert, and hardly ever so.
  if (known === undefined || known.fingerprint !== spec.fingerprint || known.receivedAt < spec.receivedAt) return spec;
  const [before, now] = [parseInstant(known.receivedAt), parseInstant(spec.receivedAt)];
  if (before === undefined || now === undefined) return spec;
  const aheadSeconds = Number(before.epochNanoseconds - now.epochNanoseconds) / 1e9;
  if (aheadSeconds < 0 || aheadSeconds > CLOCKS_DIFFER_SECONDS) return spec;
  return receivedAs(spec, formatMicros(before.add({ microseconds: 1 })));
}

/** Returns the report as received at `receivedAt`; what it acknowledges was acknowledged then. */
export function receivedAs(spec: AlertSpec, receivedAt: string): AlertSpec {
  const { acknowledgedUpstream: it } = spec;
  if (it === undefined) return { ...spec, receivedAt };
  const trusted = it.trusted === undefined ? {} : { trusted: { ...it.trusted, at: receivedAt } };
  return { ...spec, receivedAt, acknowledgedUpstream: { ...it, at: receivedAt, ...trusted } };
}

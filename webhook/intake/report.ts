/** One report of an alert, when it was received, and how it stands to what is stored when its sender named no times. Pure. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { compareInstants, formatMicros, parseInstant } from '@funnelai/domain/instants';

/** A report as it will be merged; what the sender left out was filled in with the time of receipt and may yet give way. */
export interface Report {
  spec: AlertSpec;
  startNamed: boolean;
  endNamed: boolean;
}

/**
 * Returns the spec to merge. A report without a start is about the episode that is stored while that one still fires,
 * and a Resolved without an end repeats the end that is stored: else each repeat would be news, and be written.
 */
export function anchored(report: Report, stored: AlertSpec | undefined): AlertSpec {
  const { spec, startNamed, endNamed } = report;
  if (stored === undefined) return spec;
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
  return { ...spec, receivedAt: formatMicros(before.add({ microseconds: 1 })) };
}

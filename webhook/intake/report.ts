/** One report of an alert, and how it stands to what is stored when its sender named no times. Pure. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { compareInstants } from '@funnelai/domain/instants';

/** A report as it will be merged; what the sender left out was filled in with the time of receipt and may yet give way. */
export interface Report {
  spec: AlertSpec;
  startNamed: boolean;
  endNamed: boolean;
}

/**
 * Returns the spec to merge. A report without a start is about the episode that is stored while that one still fires,
 * and a Resolved without an end repeats the end that is stored: else each repeat would be news, and be written. What fires under its
 * old start after a person had resolved it begins when it is heard of: whoever resolved it knew of all before.
 */
export function anchored(report: Report, stored: AlertSpec | undefined): AlertSpec {
  const { spec, startNamed, endNamed } = report;
  if (stored === undefined) return spec;
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

/** A webhook's own Resolved has an end, and no mark of an expiry. */
function isAfterResolveByHand(spec: AlertSpec, stored: AlertSpec): boolean {
  const isByHand = stored.state === 'Resolved' && (stored.endsAt === undefined || stored.expired !== undefined);
  if (!isByHand || spec.state !== 'Firing' || compareInstants(spec.receivedAt, stored.receivedAt) <= 0) return false;
  return compareInstants(spec.startsAt, stored.endsAt ?? stored.latestStartsAt ?? stored.startsAt) <= 0;
}

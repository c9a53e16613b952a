/**
 * How what is stored of an alert and what has just come become one: by the sender's own times first, by the order of receipt
 * second, never by the order in which they happened to be merged. Writing the result is the webhook's.
 *
 * A report says "firing since s" or "fired from s to e". Several reports join under the earliest start; the newest start that
 * anyone named is kept beside it. Then:
 * - A Resolved whose end is before the newest start speaks of an earlier episode. It never resolves, even when received later,
 *   and starts that it covers are no longer counted to the present episode.
 * - Otherwise the report received later decides the state; on a tie Resolved.
 * - An end before its own start is the start. A firing exactly at the end of an episode that began earlier is a new episode:
 *   with clocks of one second a flap looks like that, and for want of information nothing is ever resolved.
 * - Expired is a mark on what is stored and no report: it says that nothing was heard after its `receivedAt`, and ends nothing. So it
 *   takes the place of every firing received until then and gives way to each received later, which goes on with the same episode; a
 *   Resolved received at that time or later resolves it.
 * - The newest start under which anyone said that it fires is never forgotten, whatever became of that: by it whoever finds an alert that
 *   is over knows whether it ever fired, and whether anybody has looked at that.
 *
 * Commutative and idempotent for any two reports. Associative in all that decides (state, newest start, end, receipt, content)
 * as long as each firing report was received before all reports of later episodes; a Resolved may come ever so late. Outside of
 * that it errs towards Firing. `startsAt` alone may be a later start of the present episode than its first, when an earlier
 * episode's Resolved is merged last: of the starts between the first and the newest none is remembered.
 */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { compareInstants, parseInstant } from './instants.ts';
import { byCodeUnit } from './labels.ts';

/** What is known of an alert, with times as nanoseconds since 1970. */
interface Evidence {
  first: bigint;
  newest: bigint;
  /** Only when Resolved. */
  end: bigint | undefined;
  received: bigint;
  spec: AlertSpec;
  firstText: string;
  newestText: string;
  /** The newest start under which it was said to fire; undefined where nobody said so. */
  fired: bigint | undefined;
  firedText: string | undefined;
}

const nanos = (text: string | undefined): bigint | undefined => parseInstant(text)?.epochNanoseconds;

function evidenceOf(spec: AlertSpec): Evidence {
  const received = nanos(spec.receivedAt) ?? 0n;
  const first = nanos(spec.startsAt) ?? received;
  const latest = nanos(spec.latestStartsAt);
  const isLater = latest !== undefined && latest > first;
  const newest = isLater ? latest : first;
  let end = nanos(spec.endsAt) ?? newest;
  if (end < newest) end = newest;
  const newestText = isLater && spec.latestStartsAt !== undefined ? spec.latestStartsAt : spec.startsAt;
  return {
    first,
    newest,
    end: spec.state === 'Resolved' ? end : undefined,
    received,
    spec,
    firstText: spec.startsAt,
    newestText,
    ...firedIn(spec, { fired: newest, firedText: newestText }),
  };
}

type Fired = Pick<Evidence, 'fired' | 'firedText'>;

/** @param newest the newest start of all, which is read already: mostly that is it. */
function firedIn(spec: AlertSpec, newest: Fired): Fired {
  const { firingStartsAt: firedText } = spec;
  if (firedText !== undefined) return { fired: nanos(firedText), firedText };
  return firingStartOf(spec) === undefined ? { fired: undefined, firedText: undefined } : newest;
}

/** Whether a person wrote that it is over: a webhook's own Resolved has an end, and no mark of an expiry. */
export const isResolvedByHand = ({ state, endsAt, expired }: AlertSpec): boolean =>
  state === 'Resolved' && (endsAt === undefined || expired !== undefined);

/** Returns the newest start under which it was said to fire; undefined where all that was ever said is that it is over. */
export function firingStartOf(spec: AlertSpec): string | undefined {
  const { state, startsAt, latestStartsAt, firingStartsAt } = spec;
  if (firingStartsAt !== undefined) return firingStartsAt;
  // What is stored as firing says so itself, and a person ends only what was there.
  return state !== 'Resolved' || isResolvedByHand(spec) ? (latestStartsAt ?? startsAt) : undefined;
}

/** Does this Resolved end an episode that has a start at `start`? */
function covers(resolved: Evidence, start: bigint): boolean {
  if (resolved.end === undefined) return false;
  return resolved.end > start || (resolved.end === start && resolved.newest === start);
}

/** Of what was received at one time the strongest holds. */
const STRENGTH: Readonly<Record<AlertSpec['state'], number>> = { Firing: 0, Expired: 1, Resolved: 2 };

function earlierFirst(a: Evidence, b: Evidence): number {
  if (a.received !== b.received) return a.received < b.received ? -1 : 1;
  if (a.spec.state !== b.spec.state) return STRENGTH[a.spec.state] - STRENGTH[b.spec.state];
  if (a.end !== undefined && b.end !== undefined && a.end !== b.end) return a.end < b.end ? -1 : 1;
  return byCodeUnit(contentOf(a.spec), contentOf(b.spec));
}

/** One text for one content, so that ties are broken alike everywhere: times are no part of it, nor is the order of names. */
function contentOf(spec: AlertSpec): string {
  const { startsAt: _s, latestStartsAt: _l, firingStartsAt: _f, endsAt: _e, ...others } = spec;
  const { receivedAt: _r, acknowledgedUpstream: _a, ...content } = others;
  return JSON.stringify(content, (_name, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.entries(value).sort(([a], [b]) => byCodeUnit(a, b))
      : value,
  );
}

/** Whose word that it fires is of the newest start. */
function lastToFire(a: Evidence, b: Evidence): Evidence {
  if (a.fired === undefined || b.fired === undefined) return a.fired === undefined ? b : a;
  if (a.fired !== b.fired) return a.fired > b.fired ? a : b;
  return byCodeUnit(a.firedText ?? '', b.firedText ?? '') <= 0 ? a : b;
}

interface Whole {
  content: Evidence;
  first: Evidence;
  newest: Evidence;
  firstIsNewest: boolean;
  fired: Evidence;
}

function specOf({ content, first, newest, firstIsNewest, fired: { fired, firedText } }: Whole): AlertSpec {
  const { latestStartsAt: _l, firingStartsAt: _f, endsAt, expired, ...rest } = content.spec;
  const spec: AlertSpec = { ...rest, startsAt: firstIsNewest ? newest.newestText : first.firstText };
  if (!firstIsNewest && first.first !== newest.newest) spec.latestStartsAt = newest.newestText;
  // While it fires its newest start says it, as good as always.
  const isSaid = content.end === undefined && fired === newest.newest;
  if (firedText !== undefined && !isSaid) spec.firingStartsAt = firedText;
  // A person who resolves it may leave the mark where it is.
  if (content.spec.state === 'Expired' && expired !== undefined) spec.expired = expired;
  if (content.end !== undefined) {
    // An end that was absent or before the start is written as the start that it was taken for.
    const named = nanos(endsAt);
    spec.endsAt = named !== undefined && named >= content.newest && endsAt !== undefined ? endsAt : content.newestText;
  }
  return spec;
}

/** Returns the spec that holds both; what was stored may be absent. Identity (source, fingerprint) stays as stored. */
export function mergeAlert(stored: AlertSpec | undefined, report: AlertSpec): AlertSpec {
  const b = evidenceOf(report);
  if (stored === undefined) return specOf({ content: b, first: b, newest: b, firstIsNewest: false, fired: b });
  const a = evidenceOf(stored);
  const newest = a.newest > b.newest || (a.newest === b.newest && byCodeUnit(a.newestText, b.newestText) <= 0) ? a : b;
  const isOver = (e: Evidence) => e.end !== undefined && !covers(e, newest.newest);
  const fired = lastToFire(a, b);
  const merged = specOf({ ...(isOver(a) ? after(a, b) : isOver(b) ? after(b, a) : joined(a, b, newest)), fired });
  const { acknowledgedUpstream: _, ...rest } = merged;
  const acknowledged = acknowledgedIn(merged.startsAt, [stored, report]);
  return { ...rest, ...acknowledged, sourceRef: stored.sourceRef, fingerprint: stored.fingerprint };
}

type Acknowledgement = NonNullable<AlertSpec['acknowledgedUpstream']>;
type Word = Pick<Acknowledgement, 'at' | 'by'>;

/**
 * Returns what has been acknowledged since the present episode began: the first word of all, and the newest that was trusted, in whatever
 * order they came. A report does not say it again, and a word of an earlier episode is over.
 */
export function acknowledgedIn(
  startsAt: string,
  specs: readonly Pick<AlertSpec, 'acknowledgedUpstream'>[],
): Pick<AlertSpec, 'acknowledgedUpstream'> {
  const isOfEpisode = ({ at }: Word) => compareInstants(at, startsAt) >= 0;
  const all = specs.flatMap(({ acknowledgedUpstream: it }) => (it === undefined ? [] : [it]));
  if (all.length === 0) return {};
  const trusted = all.flatMap((it) => it.trusted ?? []).filter(isOfEpisode);
  // Each trusted word was one of all; its own first may have been of an earlier episode.
  const first = [...all.filter(isOfEpisode), ...trusted].sort(earlierWordFirst)[0];
  const newest = trusted.sort(earlierWordFirst).at(-1);
  if (first === undefined) return {};
  return { acknowledgedUpstream: { ...wordOf(first), ...(newest === undefined ? {} : { trusted: wordOf(newest) }) } };
}

const earlierWordFirst = (a: Word, b: Word): number =>
  compareInstants(a.at, b.at) || byCodeUnit(a.by ?? '', b.by ?? '');
const wordOf = ({ at, by }: Word): Word => ({ at, ...(by === undefined ? {} : { by }) });

/** `present`, less the starts that an earlier episode's Resolved covers. */
const after = (over: Evidence, present: Evidence): Omit<Whole, 'fired'> => ({
  content: present,
  first: present,
  newest: present,
  firstIsNewest: covers(over, present.first),
});

function joined(a: Evidence, b: Evidence, newest: Evidence): Omit<Whole, 'fired'> {
  const first = a.first < b.first || (a.first === b.first && byCodeUnit(a.firstText, b.firstText) <= 0) ? a : b;
  return { content: earlierFirst(a, b) >= 0 ? a : b, first, newest, firstIsNewest: false };
}

/**
 * Returns true when nothing that is worth a write changed: state, severity, startsAt, latestStartsAt, an acknowledgement upstream (the
 * first, and the newest that is trusted), and while Resolved endsAt, and under which start it had fired.
 * A start that is only our own time of receipt, because the sender named none, does not count: each repeat would write.
 */
export function sameAlert(a: AlertSpec, b: AlertSpec): boolean {
  const same = (x: string | undefined, y: string | undefined) => x === y || compareInstants(x, y) === 0;
  return (
    a.state === b.state &&
    a.severity === b.severity &&
    same(a.startsAt, b.startsAt) &&
    same(a.acknowledgedUpstream?.at, b.acknowledgedUpstream?.at) &&
    same(a.acknowledgedUpstream?.trusted?.at, b.acknowledgedUpstream?.trusted?.at) &&
    (same(a.latestStartsAt, b.latestStartsAt) ||
      (b.latestStartsAt !== undefined && same(b.latestStartsAt, b.receivedAt))) &&
    (b.state !== 'Resolved' || (same(a.endsAt, b.endsAt) && same(firingStartOf(a), firingStartOf(b))))
  );
}

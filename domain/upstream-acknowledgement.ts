/**
 * Whether those who have an incident's alerts in the system that sends them have answered for it: every alert that fires was acknowledged
 * there in its present episode, and when that came its source said `trustAcknowledge`. The move is automatic-move.ts's.
 *
 * A return to Detection says that what was known until then does not do, whoever made it: each of those acknowledgements must have come
 * after it. What the operator brought back out of Resolution may have been acknowledged a moment before it did, so there it is the
 * resolve after which they must have come.
 */
import type { Alert, AlertSpec, IncidentChange } from '@funnelai/crds/generated/types';
import { cutBytes } from './bytes.ts';
import type { NextChanges } from './changes.ts';
import { parseInstant } from './instants.ts';

export interface UpstreamQuestion {
  /** Everything up to now, numbered; in Detection. */
  recorded: NextChanges;
  members: readonly Alert[];
  isMachine(user: string): boolean;
}

type Word = NonNullable<NonNullable<AlertSpec['acknowledgedUpstream']>['trusted']>;

/** What one second of the log's clock may hide: the whole second belongs to whoever moved it. */
const LOG_GRAIN_MS = 1000;
/** With the words round it that is less than a phaseReason may have. */
const SHOWN_BY_BYTES = 128;

const ms = (text: string | undefined): number | undefined => parseInstant(text)?.epochMilliseconds;

/** Returns who has answered upstream and through which source, as a reason for the move; undefined while one alert that fires is nobody's. */
export function answeredUpstream(question: UpstreamQuestion): string | undefined {
  const firing = question.members.filter(({ spec }) => spec.state === 'Firing');
  const since = countsFrom(question);
  let newest: { word: Word; atMs: number; source: string } | undefined;
  for (const { spec } of firing) {
    const word = spec.acknowledgedUpstream?.trusted;
    const atMs = ms(word?.at);
    if (word === undefined || atMs === undefined || atMs < since) return undefined;
    if (newest === undefined || atMs > newest.atMs) newest = { word, atMs, source: spec.sourceRef.name };
  }
  if (newest === undefined) return undefined;
  const { word, source } = newest;
  const by = word.by === undefined ? '' : ` by ${cutBytes(word.by.replace(/\s+/g, ' '), SHOWN_BY_BYTES)}`;
  const last = firing.length === 1 ? '' : ` (the last of ${firing.length} alerts that fire)`;
  return `acknowledged upstream${by} through AlertSource ${source}${last}`;
}

/** From when on an acknowledgement counts, in milliseconds since 1970; always where the incident has not left Detection yet. */
function countsFrom({ recorded: { status }, isMachine }: UpstreamQuestion): number {
  const moves = (status.changes ?? []).filter(({ kind }) => kind === 'Phase');
  const entered = moves.at(-1);
  const wasBorn =
    entered === undefined
      ? (status.round ?? 1) === 1 && status.phaseSince === status.detectedAt
      : entered.from === undefined;
  if (wasBorn) return Number.NEGATIVE_INFINITY;
  const left = (entered && broughtBackFrom(entered, moves, isMachine)) ?? entered?.at ?? status.phaseSince;
  return (ms(left) ?? Number.POSITIVE_INFINITY) + LOG_GRAIN_MS;
}

/** When the incident that the operator brought back had been resolved; undefined for any other return, or where nobody knows any more. */
function broughtBackFrom(
  entered: IncidentChange,
  moves: readonly IncidentChange[],
  isMachine: (user: string) => boolean,
): string | undefined {
  if (entered.from !== 'Resolution' || !isMachine(entered.by)) return undefined;
  const resolve = moves.at(-2);
  return resolve?.to === 'Resolution' ? resolve.at : undefined;
}

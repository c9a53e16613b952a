/** The bounded list of changes in an incident's status: numbers without gaps, nothing dropped before the mirror has it. */
import type { IncidentChange } from '@funnelai/crds/generated/types';

/** Most changes in status. At this many that are not mirrored no more are recorded. */
export const CHANGES_MAX = 128;
/** How many stay for people to see once mirrored. */
export const CHANGES_SHOWN = 16;
/** At this many that are not mirrored automatic moves pause, to leave room for people's. */
export const UNMIRRORED_PAUSE = 96;

/** Returns how many changes the mirror has yet to take. */
export function unmirrored(changeSequence: number, mirroredSequence: number): number {
  return Math.max(0, changeSequence - mirroredSequence);
}

/** May one more be recorded? */
export function hasRoom(changeSequence: number, mirroredSequence: number): boolean {
  return unmirrored(changeSequence, mirroredSequence) < CHANGES_MAX;
}

/** Returns all changes that are not mirrored and at least the last 16, oldest first. */
export function trimmed(changes: readonly IncidentChange[], mirroredSequence: number): IncidentChange[] {
  const last = changes.at(-1)?.sequence ?? 0;
  const keepAfter = Math.min(mirroredSequence, last - CHANGES_SHOWN);
  return changes.filter(({ sequence }) => sequence > keepAfter);
}

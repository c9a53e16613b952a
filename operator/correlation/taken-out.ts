/**
 * Where an alert goes back to whose incident was merged into another and is taken out of it again. A merge that was a mistake
 * is undone whole: the incident that is worked on again has its alerts. Pure.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { endOfChain } from '@funnelai/domain/correlate';
import { isOpen } from '@funnelai/domain/lifecycle';

/** Incidents of one namespace, as the caches know them. */
export interface MergeBook {
  lookup(name: string): Incident | undefined;
  /** Those that were merged into it and are so no more, by what was recorded last. */
  takenOutOf(name: string): readonly Incident[];
  mergedInto(name: string): readonly Incident[];
  /** Those of the rule and group that have the alert; none where nothing opens for it, or rules were edited since it was answered. */
  ofItsGroup(alert: Alert): readonly Incident[];
}

/** Returns the name of the incident that this one was taken out of by the last merge on record; undefined while it is merged, or never was. */
export function takenOutOf({ spec, status }: Incident): string | undefined {
  if (spec.mergedInto !== undefined) return undefined;
  const last = status?.changes?.findLast(({ kind }) => kind === 'Merge');
  return last?.to === undefined ? last?.from : undefined;
}

/** Returns the open incident that an alert belongs to again; undefined while it is where it belongs. */
export function whereItGoesBack(alert: Alert, book: MergeBook): Incident | undefined {
  const here = alert.status?.incidentRef?.name;
  if (here === undefined) return undefined;
  const out = allTakenOut(here, book).filter(
    ({ spec, metadata }) => isOpen(spec.phase) && metadata.deletionTimestamp === undefined && metadata.name !== here,
  );
  // As good as always: nothing more is looked at.
  if (out.length === 0) return undefined;
  const ends = book
    .ofItsGroup(alert)
    .toSorted((a, b) => (b.spec.origin?.opening ?? 0) - (a.spec.origin?.opening ?? 0))
    .map((incident) => endOfChain(incident, book.lookup)?.metadata.name);
  if (ends.includes(here)) return undefined;
  const back = ends.find((end) => out.some(({ metadata }) => metadata.name === end));
  return out.find(({ metadata }) => metadata.name === back);
}

/** Also out of what was merged on: its alerts came here by way of it. */
function allTakenOut(name: string, book: MergeBook, seen = new Set<string>()): Incident[] {
  if (seen.has(name)) return [];
  seen.add(name);
  const merged = book.mergedInto(name).flatMap(({ metadata }) => allTakenOut(metadata.name, book, seen));
  return [...book.takenOutOf(name), ...merged];
}

/** Folds long runs of alerts in a timeline, so that what people did stands out. Pure. */
import type { TimelineEntry } from '@funnelai/domain/wire';

/** Shorter runs are read as quickly as a summary of them. */
const SHORTEST_RUN = 4;

export type Folded =
  | { kind: 'entry'; entry: TimelineEntry }
  | { kind: 'run'; entries: TimelineEntry[]; summary: string };

const isAlert = (entry: TimelineEntry): boolean => entry.kind === 'AlertJoined' || entry.kind === 'AlertResolved';
const count = (n: number, what: string): string[] => (n === 0 ? [] : [`${n} ${what}`]);

/** The entries in their order, runs of four and more about alerts of one day as one; `dayOf` says which day an entry is of. */
export function foldRuns(entries: readonly TimelineEntry[], dayOf: (entry: TimelineEntry) => string): Folded[] {
  const folded: Folded[] = [];
  let run: TimelineEntry[] = [];
  const close = () => {
    if (run.length < SHORTEST_RUN) for (const entry of run) folded.push({ kind: 'entry', entry });
    else {
      const joined = run.filter((entry) => entry.kind === 'AlertJoined').length;
      const parts = [...count(joined, 'joined'), ...count(run.length - joined, 'resolved')];
      folded.push({ kind: 'run', entries: run, summary: `Alerts: ${parts.join(', ')}` });
    }
    run = [];
  };
  for (const entry of entries) {
    const first = run[0];
    if (first !== undefined && (!isAlert(entry) || dayOf(first) !== dayOf(entry))) close();
    if (isAlert(entry)) run.push(entry);
    else folded.push({ kind: 'entry', entry });
  }
  close();
  return folded;
}

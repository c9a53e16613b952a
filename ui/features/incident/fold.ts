/** Folds long runs of alerts in a timeline, so that what people did stands out. Pure. */
import type { TimelineEntry } from '@funnelai/domain/wire';
import { number } from '../../components/number.ts';
import { isAboutAlert } from './alert-entry.ts';

/** Shorter runs are read as quickly as a summary of them. */
const SHORTEST_RUN = 4;

export type Folded =
  | { kind: 'entry'; entry: TimelineEntry }
  | { kind: 'run'; entries: TimelineEntry[]; summary: string };

const count = (n: number, what: string): string[] => (n === 0 ? [] : [`${number(n)} ${what}`]);

/** The entries in their order, runs of four and more about alerts of one day as one; `dayOf` says which day an entry is of. */
export function foldRuns(entries: readonly TimelineEntry[], dayOf: (entry: TimelineEntry) => string): Folded[] {
  const folded: Folded[] = [];
  let run: TimelineEntry[] = [];
  const close = () => {
    if (run.length < SHORTEST_RUN) for (const entry of run) folded.push({ kind: 'entry', entry });
    else {
      const joined = run.filter((entry) => entry.kind === 'AlertJoined').length;
      const expired = run.filter((entry) => entry.kind === 'AlertExpired').length;
      const resolved = run.length - joined - expired;
      const parts = [...count(joined, 'joined'), ...count(resolved, 'resolved'), ...count(expired, 'expired')];
      folded.push({ kind: 'run', entries: run, summary: `Alerts: ${parts.join(', ')}` });
    }
    run = [];
  };
  for (const entry of entries) {
    const first = run[0];
    if (first !== undefined && (!isAboutAlert(entry) || dayOf(first) !== dayOf(entry))) close();
    if (isAboutAlert(entry)) run.push(entry);
    else folded.push({ kind: 'entry', entry });
  }
  close();
  return folded;
}

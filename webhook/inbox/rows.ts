/** From rows of the inbox back to what is stored of one fault: all of it in the order of receipt, or why that cannot be. Pure. */
import { compareInstants } from '@funnelai/domain/instants';
import type { StoredRow } from '@funnelai/history/inbox';
import { messageOf } from '@funnelai/kube/errors';
import type { Report } from '../intake/report.ts';
import type { StoreRequest } from '../intake/store.ts';

/** What tells one fault from all others; names of Kubernetes hold no slash. */
export const keyOf = ({ namespace, source, fingerprint }: StoredRow): string => `${namespace}/${source}/${fingerprint}`;

/**
 * One request of what rows of one fault hold, undefined when none can be read, and those that cannot. Replicas write side by side: the
 * order of receipt counts, not that of the rows.
 */
export function requestOf(rows: readonly StoredRow[]): {
  request: StoreRequest | undefined;
  unreadable: { row: StoredRow; why: string }[];
} {
  const unreadable: { row: StoredRow; why: string }[] = [];
  const reports = rows.flatMap((row) => {
    try {
      return reportsOf(row);
    } catch (error) {
      unreadable.push({ row, why: messageOf(error) });
      return [];
    }
  });
  const [report, ...more] = reports.sort((a, b) => compareInstants(a.spec.receivedAt, b.spec.receivedAt));
  const [first] = rows;
  if (report === undefined || first === undefined) return { request: undefined, unreadable };
  const { namespace, source, fingerprint, demo } = first;
  return { request: { namespace, source, fingerprint, demo, reports: [report, ...more] }, unreadable };
}

function reportsOf(row: StoredRow): Report[] {
  const found: unknown = JSON.parse(row.reports);
  if (!Array.isArray(found) || found.length === 0) throw new Error('it holds no list of reports');
  return found.map((report: unknown, place) => {
    if (!isReport(report)) throw new Error(`report ${place} has not the shape that this version reads`);
    if (report.spec.fingerprint !== row.fingerprint) throw new Error(`report ${place} is of another fingerprint`);
    return report;
  });
}

function isReport(value: unknown): value is Report {
  if (typeof value !== 'object' || value === null) return false;
  const { spec, startNamed, endNamed } = value as Record<string, unknown>;
  if (typeof startNamed !== 'boolean' || typeof endNamed !== 'boolean') return false;
  if (typeof spec !== 'object' || spec === null) return false;
  const { fingerprint, state, startsAt, receivedAt } = spec as Record<string, unknown>;
  return [fingerprint, state, startsAt, receivedAt].every((text) => typeof text === 'string');
}

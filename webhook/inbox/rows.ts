/**
 * Between what is stored of one fault and its rows in the inbox, where an alert that was routed lies with what it would be at the source
 * that it came to. From rows back to requests all reports go in the order of receipt, or it is said why not. Pure.
 */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { compareInstants } from '@funnelai/domain/instants';
import { faultKey } from '@funnelai/history/fault-key';
import type { InboxRow, StoredRow } from '@funnelai/history/inbox';
import { messageOf } from '@funnelai/kube/errors';
import type { Report } from '../intake/report.ts';
import type { StoreRequest } from '../intake/store.ts';
import { INBOX_ROW_BYTES } from '../limits.ts';

/** The source that routed an alert away, and the alert as it would be there. */
export interface Home {
  namespace: string;
  source: string;
  demo: boolean;
  spec: AlertSpec;
}
/** Where a report goes; or why it cannot go anywhere, and its row with it. */
export type Way = 'here' | 'home' | { why: string };

interface RowReport extends Report {
  /** It was in etcd when it came here: absent where it was not, or nobody could say. */
  isStored?: true;
  /** Absent of an alert that stayed where it came. */
  home?: Home;
}

/** Mostly one; a body may tell of one fault ten thousand times, and whoever drains holds whole rows. */
export function rowsOf({ namespace, source, fingerprint, demo, reports, keep, isStored }: StoreRequest): InboxRow[] {
  const kept = keep?.();
  const row = (some: readonly string[], last: Report): InboxRow => ({
    namespace,
    source,
    fingerprint,
    demo,
    receivedAt: last.spec.receivedAt,
    reports: `[${some.join(',')}]`,
  });
  // As nearly always; its bytes matter only where there are more.
  if (reports.length === 1 && kept === undefined) {
    const [only] = reports;
    return [row([JSON.stringify(isStored === undefined ? only : { ...only, isStored })], only)];
  }
  const rows: InboxRow[] = [];
  let held: string[] = [];
  let bytes = 0;
  let last = reports[0];
  for (const [place, report] of reports.entries()) {
    const spec = kept?.reports[place]?.spec;
    const home = kept && spec && { namespace: kept.namespace, source: kept.source, demo: kept.demo, spec };
    const text = JSON.stringify({ ...report, home, isStored });
    const size = Buffer.byteLength(text);
    if (held.length > 0 && bytes + size > INBOX_ROW_BYTES) {
      rows.push(row(held, last));
      held = [];
      bytes = 0;
    }
    held.push(text);
    bytes += size;
    last = report;
  }
  rows.push(row(held, last));
  return rows;
}

export interface Plan {
  /** Mostly one; of what goes home one for each fault that it is there. */
  requests: StoreRequest[];
  /** Rows of which nothing is in the requests. */
  unreadable: { row: StoredRow; why: string }[];
}

/** What rows of one fault hold as requests. Replicas write side by side: the order of receipt counts, not that of the rows. */
export function planOf(
  rows: readonly StoredRow[],
  wayOf: (row: StoredRow, home: Home | undefined) => Way = () => 'here',
): Plan {
  const plan: Plan = { requests: [], unreadable: [] };
  const byFault = new Map<string, StoreRequest>();
  const all = rows.flatMap((row) => {
    try {
      return reportsOf(row).map((report) => placed(row, report, wayOf));
    } catch (error) {
      plan.unreadable.push({ row, why: messageOf(error) });
      return [];
    }
  });
  const inOrder = all.sort((a, b) => compareInstants(a.reports[0].spec.receivedAt, b.reports[0].spec.receivedAt));
  for (const request of inOrder) {
    const before = byFault.get(faultKey(request));
    if (before === undefined) byFault.set(faultKey(request), request);
    else {
      before.reports = [...before.reports, ...request.reports];
      before.isStored = request.isStored;
    }
  }
  plan.requests.push(...byFault.values());
  return plan;
}

/**
 * Returns the rows up to the first that resolves what those before it left firing; all of them where none does. An end that was told before
 * they were splits none.
 */
export function untilItEnds(rows: readonly StoredRow[]): readonly StoredRow[] {
  // As nearly always: then nothing is taken apart for it.
  if (rows.length === 1) return rows;
  const lasts = rows.map(lastOf);
  const fire = (last: RowReport | undefined) => last?.spec.state === 'Firing';
  const at = lasts.findIndex(
    (last, place) => place > 0 && fire(lasts[place - 1]) && !fire(last) && last?.isStored !== true,
  );
  return at === -1 ? rows : rows.slice(0, at);
}

/** Whether the last report of a row fires; not of one that cannot be read. */
export const fires = (row: StoredRow | undefined): boolean => row !== undefined && lastOf(row)?.spec.state === 'Firing';

function lastOf(row: StoredRow): RowReport | undefined {
  try {
    return reportsOf(row).at(-1);
  } catch {
    return undefined;
  }
}

/** One report as a request of its own. @throws {Error} when it can go nowhere. */
function placed(
  row: StoredRow,
  { home, isStored, ...report }: RowReport,
  wayOf: (row: StoredRow, home: Home | undefined) => Way,
): StoreRequest {
  const way = wayOf(row, home);
  if (typeof way === 'object') throw new Error(way.why);
  if (way === 'here' || home === undefined) {
    const { namespace, source, fingerprint, demo } = row;
    return { namespace, source, fingerprint, demo, reports: [report], isStored };
  }
  const { spec, ...where } = home;
  return { ...where, fingerprint: spec.fingerprint, reports: [{ ...report, spec }], isStored };
}

function reportsOf(row: StoredRow): RowReport[] {
  const found: unknown = JSON.parse(row.reports);
  if (!Array.isArray(found) || found.length === 0) throw new Error('it holds no list of reports');
  return found.map((report: unknown, place) => {
    if (!isReport(report)) throw new Error(`report ${place} has not the shape that this version reads`);
    if (report.spec.fingerprint !== row.fingerprint) throw new Error(`report ${place} is of another fingerprint`);
    return report;
  });
}

function isReport(value: unknown): value is RowReport {
  if (typeof value !== 'object' || value === null) return false;
  const { spec, startNamed, endNamed, home } = value as Record<string, unknown>;
  if (typeof startNamed !== 'boolean' || typeof endNamed !== 'boolean') return false;
  return isSpec(spec) && (home === undefined || isHome(home));
}

function isHome(value: unknown): value is Home {
  if (typeof value !== 'object' || value === null) return false;
  const { namespace, source, demo, spec } = value as Record<string, unknown>;
  return typeof namespace === 'string' && typeof source === 'string' && typeof demo === 'boolean' && isSpec(spec);
}

function isSpec(value: unknown): value is AlertSpec {
  if (typeof value !== 'object' || value === null) return false;
  const { fingerprint, state, startsAt, receivedAt } = value as Record<string, unknown>;
  return [fingerprint, state, startsAt, receivedAt].every((text) => typeof text === 'string');
}

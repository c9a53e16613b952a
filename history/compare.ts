/** What history believes to be in the cluster, in pages, to be held against the cluster; and the marks that set it right. */
import type { Temporal } from 'temporal-polyfill';
import type { Fence } from './fence.ts';
import { microsOf, toMicros } from './rows.ts';

export type MirroredKind = 'Incident' | 'Alert';
const TABLES: Record<MirroredKind, string> = { Incident: 'incidents', Alert: 'alerts' };
/** Rows of one page. */
export const COMPARE_PAGE = 500;

/** What history has of one object. */
export interface RowFacts {
  resourceVersion: string;
  /** Number of the last change that is stored; 0 for alerts. */
  sequence: number;
  isDeleted: boolean;
}

export interface Comparison {
  /** At most `COMPARE_PAGE` uids; those that history does not know are not in the answer. */
  factsOf(kind: MirroredKind, uids: readonly string[]): Promise<Map<string, RowFacts>>;
  /** A page of those that history believes to live, in order of uid; `after` is the last of the page before. */
  livingUids(kind: MirroredKind, after: string): Promise<string[]>;
  /**
   * Notes that the object left the cluster; the first time named stands. `vanished`: nobody deleted it, the cluster lost it.
   * `known` is false when history never had it.
   */
  markDeleted(
    kind: MirroredKind,
    uid: string,
    at: Temporal.Instant | string,
    o?: { vanished?: boolean },
  ): Promise<{ known: boolean }>;
  /** Of `uids`, those that are still taken for living are marked as vanished. Returns how many. */
  markVanished(kind: MirroredKind, uids: readonly string[], at: Temporal.Instant): Promise<number>;
  /** They are in the cluster after all. Returns how many were marked otherwise. */
  markLiving(kind: MirroredKind, uids: readonly string[]): Promise<number>;
}

const SEQUENCE =
  'coalesce((SELECT max(c.sequence) FROM incident_changes c WHERE c.incident_uid = t.origin_uid), 0)::float8';

/** `namespace`: looks at nothing outside of it. */
export function createComparison(fence: Fence, namespace: string | undefined): Comparison {
  const changed = (text: string, values: unknown[]): Promise<number> =>
    fence.write(async (session) => (await session.query(text, values)).rowCount);
  return {
    factsOf: (kind, uids) =>
      fence.write(async (session) => {
        const { rows } = await session.query<{ uid: string; version: string; sequence: number; deleted: boolean }>(
          `SELECT t.uid, t.resource_version::text AS version, ${kind === 'Incident' ? SEQUENCE : '0::float8'} AS sequence,
                  t.deleted_at IS NOT NULL AS deleted
           FROM ${TABLES[kind]} t WHERE t.uid = ANY($1)`,
          [uids.slice(0, COMPARE_PAGE)],
        );
        return new Map(
          rows.map((row) => [
            row.uid,
            { resourceVersion: row.version, sequence: row.sequence, isDeleted: row.deleted },
          ]),
        );
      }),
    livingUids: (kind, after) =>
      fence.write(async (session) => {
        const { rows } = await session.query<{ uid: string }>(
          `SELECT uid FROM ${TABLES[kind]}
           WHERE deleted_at IS NULL AND uid > $1 AND ($2::text IS NULL OR namespace = $2) ORDER BY uid LIMIT ${COMPARE_PAGE}`,
          [after, namespace ?? null],
        );
        return rows.map((row) => row.uid);
      }),
    async markDeleted(kind, uid, at, o = {}) {
      const time = typeof at === 'string' ? toMicros('deleted_at', at) : microsOf(at);
      const marked = await changed(
        `UPDATE ${TABLES[kind]} SET deleted_at = coalesce(deleted_at, $2::timestamptz),
           vanished = CASE WHEN deleted_at IS NULL THEN $3 ELSE vanished AND $3 END
         WHERE uid = $1`,
        [uid, time, o.vanished === true],
      );
      return { known: marked > 0 };
    },
    markVanished: (kind, uids, at) =>
      changed(
        `UPDATE ${TABLES[kind]} SET deleted_at = $2::timestamptz, vanished = true WHERE uid = ANY($1) AND deleted_at IS NULL`,
        [uids, microsOf(at)],
      ),
    markLiving: (kind, uids) =>
      changed(
        `UPDATE ${TABLES[kind]} SET deleted_at = NULL, vanished = false WHERE uid = ANY($1) AND deleted_at IS NOT NULL`,
        [uids],
      ),
  };
}

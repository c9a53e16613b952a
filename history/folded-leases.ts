/**
 * The leases of folded alerts. When each was last heard of is in `alert_leases`, as of any alert; what is read and written here is beside it
 * in `folded_alerts`: which of them fire, and that one expired or was heard of after all. What expires is not decided here.
 */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import type pg from 'pg';
import { inTransaction, withSession } from './connection.ts';
import type { FoldKey } from './folded.ts';
import { leaving } from './folded-rows.ts';
import { iso } from './sql.ts';

/** Alerts of one answer at most. */
export const FOLDED_PER_READ = 2_000;

/** Times are RFC 3339. */
export interface FoldedLease extends FoldKey {
  overflow: string;
  /** A bigint in digits: what is written is bound to it. */
  version: string;
  /** Under which identity rules it was made, where that was noted. */
  dedupHash?: string;
  /** Of the report that is stored. */
  receivedAt: string;
  leaseUntil?: string;
  /** A later one that changed nothing. */
  heard?: { lastSeen: string; leaseUntil?: string };
  expiredAt?: string;
}
/** What silence, or a report after all, makes of one. */
export interface FoldedMark extends FoldKey {
  version: string;
  set: Pick<AlertSpec, 'state' | 'receivedAt'> & { leaseUntil?: string | undefined; expired?: AlertSpec['expired'] };
}

export interface FoldedLeaseStore {
  /** Those that fire, in order of their keys, after `after`; of one namespace where it is named. At most `FOLDED_PER_READ`. */
  firing(after: FoldKey | undefined, namespace?: string): Promise<FoldedLease[]>;
  /** The labels of these; at most `FOLDS_PER_WRITE` (history/folded). */
  labels(keys: readonly FoldKey[]): Promise<(FoldKey & { labels: NonNullable<AlertSpec['labels']> })[]>;
  /** Those whose lease ran out at `since` or later and of which a later report is known than that by which it did. As many. */
  heardAfterExpiry(since: string, namespace?: string): Promise<FoldedLease[]>;
  /**
   * Writes those that are what they were when they were read, and of which no later report has come to be known; at most
   * `FOLDS_PER_WRITE` (history/folded).
   * @returns how many they were.
   */
  mark(marks: readonly FoldedMark[]): Promise<number>;
  /** They are Alerts of their own, or were: those that are what they were are not counted any more. As many. */
  leave(some: readonly (FoldKey & { version: string })[], at: string): Promise<void>;
}

interface Row extends FoldKey {
  overflow: string;
  version: string;
  dedupHash: string | null;
  receivedAt: string;
  leaseUntil: string | null;
  lastSeen: string | null;
  heardUntil: string | null;
  expiredAt: string | null;
}

const SELECT = `
SELECT f.namespace, f.source, f.fingerprint, f.overflow, f.version::text AS version, ${iso('f.received_at', '"receivedAt"')},
  f.spec->>'dedupHash' AS "dedupHash", f.spec->>'leaseUntil' AS "leaseUntil", ${iso('l.last_seen', '"lastSeen"')}, ${iso('l.lease_until', '"heardUntil"')},
  ${iso('f.expired_at', '"expiredAt"')}`;
const HEARD = `alert_leases l ON l.scope = $1 AND l.namespace = f.namespace AND l.source = f.source
  AND l.fingerprint = f.fingerprint AND l.last_seen > f.received_at`;
const FIRING = `${SELECT}
FROM (
  SELECT * FROM folded_alerts WHERE scope = $1 AND left_at IS NULL AND state = 'Firing' AND (namespace, source, fingerprint) > ($3, $4, $5)
    AND ($2::text IS NULL OR namespace = $2)
  ORDER BY namespace, source, fingerprint LIMIT ${FOLDED_PER_READ}
) f LEFT JOIN ${HEARD}
ORDER BY f.namespace, f.source, f.fingerprint`;
const HEARD_AFTER_EXPIRY = `${SELECT}
FROM folded_alerts f JOIN ${HEARD}
WHERE f.scope = $1 AND f.left_at IS NULL AND f.state = 'Expired' AND f.expired_at >= $3 AND f.spec->'expired'->>'reason' = 'LeaseRanOut' AND ($2::text IS NULL OR f.namespace = $2)
LIMIT ${FOLDED_PER_READ}`;
const LABELS = `
SELECT f.namespace, f.source, f.fingerprint, coalesce(f.spec->'labels', '{}') AS labels
FROM folded_alerts f JOIN unnest($2::text[], $3::text[], $4::text[]) AS k(namespace, source, fingerprint)
  USING (namespace, source, fingerprint)
WHERE f.scope = $1`;
// Locked in the order in which the intake writes them, so that neither waits for the other.
const MARK = `
WITH due AS (
  SELECT f.namespace, f.source, f.fingerprint, m.state, m.received_at, m.expired_at, m.spec
  FROM json_to_recordset($2::json) AS m(namespace text, source text, fingerprint text, version bigint, state text,
      received_at timestamptz, expired_at timestamptz, spec jsonb)
    JOIN folded_alerts f USING (namespace, source, fingerprint)
  WHERE f.scope = $1 AND f.version = m.version AND f.left_at IS NULL AND NOT EXISTS (
    SELECT FROM alert_leases l WHERE l.scope = $1 AND l.namespace = f.namespace AND l.source = f.source
      AND l.fingerprint = f.fingerprint AND l.last_seen > m.received_at)
  ORDER BY f.namespace, f.source, f.fingerprint
  FOR UPDATE OF f
)
UPDATE folded_alerts f
SET state = d.state, received_at = d.received_at, expired_at = d.expired_at, version = f.version + 1,
  spec = (f.spec - 'leaseUntil' - 'expired') || d.spec
FROM due d WHERE f.scope = $1 AND f.namespace = d.namespace AND f.source = d.source AND f.fingerprint = d.fingerprint`;

const LEAVE = leaving(
  `JOIN unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS k(namespace, source, fingerprint, version)
     USING (namespace, source, fingerprint)`,
  '$6',
  'f.version = k.version',
);

export function createFoldedLeaseStore({ pool, scope }: { pool: pg.Pool; scope: string }): FoldedLeaseStore {
  const read = (text: string, values: unknown[]): Promise<FoldedLease[]> =>
    withSession(pool, async (session) => (await session.query<Row>(text, [scope, ...values])).rows.map(leaseOf));

  return {
    firing: (after, namespace) =>
      read(FIRING, [namespace ?? null, after?.namespace ?? '', after?.source ?? '', after?.fingerprint ?? '']),
    labels: (keys) =>
      withSession(pool, async (session) => {
        const column = (name: keyof FoldKey) => keys.map((one) => one[name]);
        const values = [scope, column('namespace'), column('source'), column('fingerprint')];
        return (await session.query<Awaited<ReturnType<FoldedLeaseStore['labels']>>[number]>(LABELS, values)).rows;
      }),
    heardAfterExpiry: (since, namespace) => read(HEARD_AFTER_EXPIRY, [namespace ?? null, since]),
    mark: (marks) =>
      inTransaction(pool, async (session) => {
        const rows = marks.map(({ set, ...key }) => ({
          ...key,
          state: set.state,
          received_at: set.receivedAt,
          expired_at: set.expired?.at ?? null,
          spec: set,
        }));
        return (await session.query(MARK, [scope, JSON.stringify(rows)])).rowCount;
      }),
    leave: (some, at) =>
      inTransaction(pool, async (session) => {
        const column = (name: keyof FoldKey | 'version') => some.map((one) => one[name]);
        const keys = [column('namespace'), column('source'), column('fingerprint')];
        await session.query(LEAVE, [scope, ...keys, column('version'), at]);
      }),
  };
}

function leaseOf({ dedupHash, leaseUntil, lastSeen, heardUntil, expiredAt, ...row }: Row): FoldedLease {
  return {
    ...row,
    ...(dedupHash !== null && { dedupHash }),
    ...(leaseUntil !== null && { leaseUntil }),
    ...(lastSeen !== null && { heard: { lastSeen, ...(heardUntil !== null && { leaseUntil: heardUntil }) } }),
    ...(expiredAt !== null && { expiredAt }),
  };
}

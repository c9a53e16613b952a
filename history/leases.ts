/**
 * What Postgres knows of leases: when each alert and each source was last heard of, and in which times that knowledge has gaps. Promises
 * that `knownUntil` is a time before which everything that any webhook took is there, but for the gaps. What expires is not decided here.
 */
import type pg from 'pg';
import { inTransaction, type Session, withSession } from './connection.ts';
import { iso } from './sql.ts';

/** Alerts of one statement at most. */
export const LEASES_PER_WRITE = 2_000;
/** A webhook that says so every few seconds is believed to have been there in between; a longer silence is a gap. */
export const INTAKE_GAP_MS = 15_000;
/** After this a webhook that said nothing is taken for dead; what it had not written is lost, which makes a gap. */
export const REPLICA_SILENT_MS = 30_000;
/** Gaps that are looked at; the time before them counts as one more. */
export const GAPS_READ = 2_000;
/** Longer than any lease. */
const GAPS_KEPT = '400 days';

/** What tells one alert from another, as its source names it. */
export interface LeaseKey {
  namespace: string;
  source: string;
  fingerprint: string;
}
/** The newest report of an alert that it fires; times are RFC 3339. */
export interface Lease extends LeaseKey {
  lastSeen: string;
  leaseUntil?: string | undefined;
}
/** The newest sign of life of a source. */
export interface Sign {
  namespace: string;
  source: string;
  sourceUid: string;
  lastHeard: string;
}
export interface Gap {
  began: string;
  ended: string;
}
export interface IntakeLife {
  /** Nothing is known of the time before. */
  beganAt: string;
  /** Everything that was taken before is known; the oldest word among all webhooks. */
  knownUntil: string;
  /** In order, the oldest first. */
  gaps: Gap[];
}

export interface LeaseStore {
  /** Each alert at most once in `leases`, at most `LEASES_PER_WRITE` of them. An older report changes nothing. */
  put(leases: readonly Lease[]): Promise<void>;
  /** Signs of life of sources, each at most once. */
  putSigns(signs: readonly Sign[]): Promise<void>;
  /**
   * This webhook is there at `now`; when `isComplete`, all that it took until then is written and nothing was turned away.
   * @param lastComplete when that was so last, as it knows itself: it may have been taken for dead meanwhile.
   */
  alive(replica: string, now: string, o: { isComplete: boolean; lastComplete?: string | undefined }): Promise<void>;
  /** It stops in good order, with everything written. */
  leave(replica: string, now: string): Promise<void>;
  /** Undefined while no webhook has said anything. Takes those that have long said nothing for dead. */
  life(now: string): Promise<IntakeLife | undefined>;
  /** What is known of these, in no order; at most `LEASES_PER_WRITE` are asked for. */
  find(keys: readonly LeaseKey[]): Promise<Lease[]>;
  /** All signs of life. */
  signs(): Promise<Sign[]>;
  forgetSigns(of: readonly { namespace: string; source: string }[]): Promise<void>;
  /** Leases last seen before `before`, in order of their keys, after `after`; without those of folded alerts that fire. */
  old(before: string, after: LeaseKey | undefined, limit: number): Promise<LeaseKey[]>;
  /** Of those only what is still that old. */
  forget(keys: readonly LeaseKey[], before: string): Promise<void>;
}

const PUT = `
INSERT INTO alert_leases AS l (scope, namespace, source, fingerprint, last_seen, lease_until)
SELECT $1, r.namespace, r.source, r.fingerprint, r.last_seen, r.lease_until
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
  AS r(namespace, source, fingerprint, last_seen, lease_until)
ORDER BY r.namespace, r.source, r.fingerprint
ON CONFLICT (scope, namespace, source, fingerprint) DO UPDATE
SET last_seen = excluded.last_seen, lease_until = excluded.lease_until
WHERE l.last_seen < excluded.last_seen`;

const PUT_SIGNS = `
INSERT INTO source_signs AS s (scope, namespace, source, source_uid, last_heard)
SELECT $1, r.* FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS r(namespace, source, source_uid, last_heard)
ORDER BY r.namespace, r.source
ON CONFLICT (scope, namespace, source) DO UPDATE
SET source_uid = excluded.source_uid, last_heard = excluded.last_heard
WHERE s.source_uid <> excluded.source_uid OR s.last_heard < excluded.last_heard`;

/** All that say something of one scope do it one after the other. */
const LOCK_LIFE = `
INSERT INTO intake_lives AS l (scope, began_at, alive_until) VALUES ($1, $2, $2)
ON CONFLICT (scope) DO UPDATE SET alive_until = l.alive_until`;
const LAST = `
SELECT last < $3::timestamptz - make_interval(secs => ${INTAKE_GAP_MS / 1_000}) AS "isLate", ${iso('last', '"aliveUntil"')}
FROM (SELECT coalesce(
  (SELECT r.alive_until FROM intake_replicas r WHERE r.scope = $1 AND r.replica = $2),
  $4::timestamptz,
  (SELECT l.alive_until FROM intake_lives l WHERE l.scope = $1)
) AS last) known`;
const SAY = `
INSERT INTO intake_replicas AS r (scope, replica, alive_until, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (scope, replica) DO UPDATE SET alive_until = excluded.alive_until, seen_at = excluded.seen_at`;
/** A gap that goes on where another ended makes that one longer. */
const GAP = `
WITH longer AS (
  UPDATE intake_gaps SET ended = greatest(ended, $3::timestamptz)
  WHERE scope = $1 AND began <= $2::timestamptz AND ended >= $2::timestamptz RETURNING 1
)
INSERT INTO intake_gaps AS g (scope, began, ended) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM longer)
ON CONFLICT (scope, began) DO UPDATE SET ended = greatest(g.ended, excluded.ended)`;
const SILENT = `
DELETE FROM intake_replicas
WHERE scope = $1 AND seen_at < $2::timestamptz - make_interval(secs => ${REPLICA_SILENT_MS / 1_000})
RETURNING ${iso('alive_until', '"aliveUntil"')}`;
const LIFE = `
SELECT ${iso('l.began_at', '"beganAt"')},
  (SELECT to_char(min(r.alive_until) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
   FROM intake_replicas r WHERE r.scope = l.scope) AS "knownUntil"
FROM intake_lives l WHERE l.scope = $1`;

export function createLeaseStore({ pool, scope }: { pool: pg.Pool; scope: string }): LeaseStore {
  const column = <T, K extends keyof T>(rows: readonly T[], name: K) => rows.map((row) => row[name] ?? null);
  const keyColumns = (keys: readonly LeaseKey[]) => [
    column(keys, 'namespace'),
    column(keys, 'source'),
    column(keys, 'fingerprint'),
  ];
  const gap = (session: Session, began: string, ended: string) => session.query(GAP, [scope, began, ended]);

  /** The moment up to which nothing is missing of what this webhook, or before it any other, took; and whether that is long ago. */
  async function lastAlive(session: Session, replica: string, now: string, lastComplete?: string) {
    await session.query(LOCK_LIFE, [scope, now]);
    const given = [scope, replica, now, lastComplete ?? null];
    return (await session.query<{ isLate: boolean; aliveUntil: string }>(LAST, given)).rows[0];
  }

  return {
    put: (leases) =>
      inTransaction(pool, async (session) => {
        await session.query(PUT, [
          scope,
          ...keyColumns(leases),
          column(leases, 'lastSeen'),
          column(leases, 'leaseUntil'),
        ]);
      }),
    putSigns: (signs) =>
      inTransaction(pool, async (session) => {
        const names = [column(signs, 'namespace'), column(signs, 'source')];
        await session.query(PUT_SIGNS, [scope, ...names, column(signs, 'sourceUid'), column(signs, 'lastHeard')]);
      }),
    alive: (replica, now, { isComplete, lastComplete }) =>
      inTransaction(pool, async (session) => {
        const last = await lastAlive(session, replica, now, lastComplete);
        if (!isComplete) {
          await session.query(SAY, [scope, replica, last?.aliveUntil ?? now, now]);
          return;
        }
        if (last?.isLate) await gap(session, last.aliveUntil, now);
        await session.query(SAY, [scope, replica, now, now]);
        await session.query('UPDATE intake_lives SET alive_until = $2 WHERE scope = $1', [scope, now]);
      }),
    leave: (replica, now) =>
      inTransaction(pool, async (session) => {
        const last = await lastAlive(session, replica, now);
        if (last?.isLate) await gap(session, last.aliveUntil, now);
        await session.query('UPDATE intake_lives SET alive_until = $2 WHERE scope = $1', [scope, now]);
        await session.query('DELETE FROM intake_replicas WHERE scope = $1 AND replica = $2', [scope, replica]);
      }),
    life: (now) =>
      inTransaction(pool, async (session) => {
        await session.query('SELECT FROM intake_lives WHERE scope = $1 FOR UPDATE', [scope]);
        const dead = await session.query<{ aliveUntil: string }>(SILENT, [scope, now]);
        for (const { aliveUntil } of dead.rows) await gap(session, aliveUntil, now);
        await session.query(
          `DELETE FROM intake_gaps WHERE scope = $1 AND ended < $2::timestamptz - interval '${GAPS_KEPT}'`,
          [scope, now],
        );
        const [life] = (await session.query<{ beganAt: string; knownUntil: string | null }>(LIFE, [scope])).rows;
        if (life === undefined || life.knownUntil === null) return undefined;
        const newest = await session.query<Gap>(
          `SELECT ${iso('began')}, ${iso('ended')} FROM intake_gaps WHERE scope = $1 ORDER BY intake_gaps.began DESC LIMIT ${GAPS_READ}`,
          [scope],
        );
        const gaps = newest.rows.reverse();
        const first = gaps[0];
        if (gaps.length === GAPS_READ && first !== undefined) gaps.unshift({ began: life.beganAt, ended: first.began });
        return { beganAt: life.beganAt, knownUntil: life.knownUntil, gaps };
      }),
    find: (keys) =>
      withSession(pool, async (session) => {
        const found = await session.query<LeaseKey & { lastSeen: string; leaseUntil: string | null }>(
          `SELECT l.namespace, l.source, l.fingerprint, ${iso('l.last_seen', '"lastSeen"')}, ${iso('l.lease_until', '"leaseUntil"')}
           FROM alert_leases l JOIN unnest($2::text[], $3::text[], $4::text[]) AS r(namespace, source, fingerprint)
             USING (namespace, source, fingerprint)
           WHERE l.scope = $1`,
          [scope, ...keyColumns(keys)],
        );
        return found.rows.map(({ leaseUntil, ...row }) => ({ ...row, ...(leaseUntil === null ? {} : { leaseUntil }) }));
      }),
    signs: () =>
      withSession(pool, async (session) => {
        const found = await session.query<Sign>(
          `SELECT namespace, source, source_uid AS "sourceUid", ${iso('last_heard', '"lastHeard"')} FROM source_signs WHERE scope = $1`,
          [scope],
        );
        return found.rows;
      }),
    forgetSigns: (of) =>
      inTransaction(pool, async (session) => {
        await session.query(
          `DELETE FROM source_signs s USING unnest($2::text[], $3::text[]) AS r(namespace, source)
           WHERE s.scope = $1 AND s.namespace = r.namespace AND s.source = r.source`,
          [scope, column(of, 'namespace'), column(of, 'source')],
        );
      }),
    old: (before, after, limit) =>
      withSession(pool, async (session) => {
        const found = await session.query<LeaseKey>(
          `SELECT namespace, source, fingerprint FROM alert_leases l
           WHERE scope = $1 AND last_seen < $2 AND (namespace, source, fingerprint) > ($3, $4, $5)
             AND NOT EXISTS (SELECT FROM folded_alerts f WHERE f.scope = $1 AND f.left_at IS NULL AND f.state = 'Firing'
               AND f.namespace = l.namespace AND f.source = l.source AND f.fingerprint = l.fingerprint)
           ORDER BY namespace, source, fingerprint LIMIT $6`,
          [scope, before, after?.namespace ?? '', after?.source ?? '', after?.fingerprint ?? '', limit],
        );
        return found.rows;
      }),
    forget: (keys, before) =>
      inTransaction(pool, async (session) => {
        await session.query(
          `DELETE FROM alert_leases l USING unnest($2::text[], $3::text[], $4::text[]) AS r(namespace, source, fingerprint)
           WHERE l.scope = $1 AND l.last_seen < $5
             AND l.namespace = r.namespace AND l.source = r.source AND l.fingerprint = r.fingerprint`,
          [scope, ...keyColumns(keys), before],
        );
      }),
  };
}

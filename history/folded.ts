/**
 * Alerts that found no room as objects in a storm: stored before their sender is told so, merged like any other report, counted by
 * overflow Alert, and found again. What a merge means, and when an alert is folded, is the caller's.
 */
import type { AlertSpec, Severity } from '@funnelai/crds/generated/types';
import type pg from 'pg';
import { inTransaction, type Session, withSession } from './connection.ts';
import { HistoryRefused, HistoryUnavailable } from './errors.ts';
import { faultKey } from './fault-key.ts';
import { type FoldedFilter, ofEpisode, whereOf } from './folded-filter.ts';
import { leaving, rowOf, UPSERT } from './folded-rows.ts';
import { storableJson } from './rows.ts';
import { iso } from './sql.ts';

/** Alerts of one call at most. */
export const FOLDS_PER_WRITE = 256;
/** How often a call begins anew for rows that others changed between read and write. */
const ATTEMPTS = 6;
const MAX_LISTED = 1_000;
/** One fault is folded in one place or two, also where many sources share a sender. */
export const FOLDED_PLACES = 16 * FOLDS_PER_WRITE;

export interface FoldKey {
  namespace: string;
  source: string;
  fingerprint: string;
}
/** One alert to be folded, or a report of one that is. */
export interface Fold extends FoldKey {
  /** As an Alert it would have this name. */
  name: string;
  /** The overflow Alert that counts it, unless another one does already. */
  overflow: string;
  /** What is to be stored when `stored` is there already; pure, and called again when that has changed. */
  merge(stored: AlertSpec | undefined): AlertSpec;
  isSame(stored: AlertSpec, next: AlertSpec): boolean;
  /** Whether that overflow Alert is in the cluster: one that has expired goes on there, and else where it would be folded now. */
  isThere(overflow: string): boolean;
}
export interface Folded {
  outcome: 'created' | 'updated' | 'unchanged';
  spec: AlertSpec;
  /** What it was when it was counted last; undefined when it was not. */
  before: AlertSpec['state'] | undefined;
  overflow: string;
}
export interface OverflowKey {
  namespace: string;
  overflow: string;
}
export interface OverflowCount extends OverflowKey {
  count: number;
  firing: number;
  expired: number;
  /** Why the last of those did. */
  reason: NonNullable<AlertSpec['expired']>['reason'] | undefined;
  /** Of those that expired, the last report of any. */
  lastSeen: string | undefined;
  severity: Severity | undefined;
}
export interface FoldedPlace extends FoldKey {
  state: AlertSpec['state'];
}
export interface FoldedAlert extends FoldKey {
  name: string;
  overflow: string;
  spec: AlertSpec;
  foldedAt: string;
  /** Set when it has become an Alert of its own. */
  leftAt?: string;
}

export interface FoldStore {
  /**
   * Stores what has changed. Each alert at most once, at most `FOLDS_PER_WRITE`; answers in their order.
   * @throws {HistoryUnavailable} then nobody can say whether it is stored; {HistoryRefused}
   */
  put(folds: readonly Fold[], at: string): Promise<Folded[]>;
  /** Those of the alerts that are counted now. */
  find(keys: readonly FoldKey[]): Promise<FoldedAlert[]>;
  /** Wherever alerts of these fingerprints are counted now, and how they are there. @throws {HistoryRefused} with `FOLDED_PLACES` of them */
  places(fingerprints: readonly string[]): Promise<FoldedPlace[]>;
  /** They have become Alerts of their own, and are not counted any more. @returns which of them were. */
  leave(keys: readonly FoldKey[], at: string): Promise<FoldKey[]>;
  /** Their namespace is gone, and they with it: none of what this overflow Alert counts is counted any more. */
  abandon(key: OverflowKey, at: string): Promise<void>;
  /** What these count, each since its start (RFC 3339); those that count nothing are in it with 0. */
  counts(overflows: readonly (OverflowKey & { since: string })[]): Promise<OverflowCount[]>;
  /** Overflow Alerts that have firing ones, each with one of them; those of one namespace where it is named. */
  firing(namespace?: string): Promise<FoldedAlert[]>;
  /** Newest start first, and how many there are in all. */
  list(filter: FoldedFilter): Promise<{ items: FoldedAlert[]; total: number }>;
  byName(namespace: string, name: string): Promise<FoldedAlert | undefined>;
}

const FIELDS = `f.namespace, f.source, f.fingerprint, f.name, f.overflow, f.spec, ${iso('f.folded_at')}, ${iso('f.left_at')}`;
interface Row extends FoldKey {
  name: string;
  overflow: string;
  spec: AlertSpec;
  folded_at: string;
  left_at: string | null;
}
const foldedOf = ({ folded_at, left_at, ...row }: Row): FoldedAlert => ({
  ...row,
  foldedAt: folded_at,
  ...(left_at !== null && { leftAt: left_at }),
});
// The first parameter of every statement is the scope.
const OF_KEYS = `JOIN unnest($2::text[], $3::text[], $4::text[]) AS k(namespace, source, fingerprint)
  USING (namespace, source, fingerprint)`;
const BY_KEY = `FROM folded_alerts f ${OF_KEYS} WHERE f.scope = $1`;
const keysOf = (keys: readonly FoldKey[]) => [
  keys.map((k) => k.namespace),
  keys.map((k) => k.source),
  keys.map((k) => k.fingerprint),
];

/** Worst first, as a number that `min` can take. */
const SEVERITY_RANK = `array_position(ARRAY['Critical', 'High', 'Medium', 'Low', 'Info'], f.severity)`;
/** As in the list of alerts: what expired is over for nobody. */
const STATE_RANK = `array_position(ARRAY['Firing', 'Expired', 'Resolved'], f.state)`;
const SEVERITIES: readonly Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info'];

// What a webhook wrote that did not know its cluster. What is there twice, this cluster has reported again since.
const ADOPT = `
WITH known AS (
  UPDATE folded_alerts o SET left_at = o.received_at FROM folded_alerts f
  WHERE o.scope = '' AND o.left_at IS NULL AND f.scope = $1 AND f.namespace = o.namespace AND f.source = o.source AND f.fingerprint = o.fingerprint
)
UPDATE folded_alerts o SET scope = $1 WHERE o.scope = '' AND NOT EXISTS (
  SELECT FROM folded_alerts f
  WHERE f.scope = $1 AND f.namespace = o.namespace AND f.source = o.source AND f.fingerprint = o.fingerprint)`;

/** `scope`: whose they are; empty where nothing tells this cluster from others. What is of no scope becomes the first one's that asks. */
export function createFoldStore({ pool, scope }: { pool: pg.Pool; scope: string }): FoldStore {
  let adopted: Promise<unknown> | undefined;
  const adopt = async (): Promise<void> => {
    if (scope === '') return;
    adopted ??= withSession(pool, (session) => session.query(ADOPT, [scope]));
    try {
      await adopted;
    } catch (error) {
      adopted = undefined;
      throw error;
    }
  };
  const rows = async <R extends object>(text: string, values: unknown[]): Promise<R[]> => {
    await adopt();
    return withSession(pool, async (session) => (await session.query<R>(text, [scope, ...values])).rows);
  };

  return {
    async put(folds, at) {
      await adopt();
      const results = new Map<string, Folded>();
      let open = [...folds];
      for (let attempt = 0; open.length > 0; attempt += 1) {
        if (attempt === ATTEMPTS) throw new HistoryUnavailable('others keep changing the same folded alerts');
        const done = await putOnce({ pool, scope }, open, at);
        for (const [key, one] of done) results.set(key, one);
        open = open.filter((fold) => !done.has(faultKey(fold)));
      }
      return folds.map((fold) => results.get(faultKey(fold)) as Folded);
    },
    async find(keys) {
      return (await rows<Row>(`SELECT ${FIELDS} ${BY_KEY} AND f.left_at IS NULL`, keysOf(keys))).map(foldedOf);
    },
    async places(fingerprints) {
      const found = await rows<FoldedPlace>(
        `SELECT f.namespace, f.source, f.fingerprint, f.state FROM folded_alerts f
         WHERE f.scope = $1 AND f.fingerprint = ANY ($2::text[]) AND f.left_at IS NULL LIMIT ${FOLDED_PLACES}`,
        [fingerprints],
      );
      // One that was left out might be the one that is looked for.
      if (found.length === FOLDED_PLACES)
        throw new HistoryRefused('fingerprint', `alerts of it are folded in ${FOLDED_PLACES} places or more`);
      return found;
    },
    async leave(keys, at) {
      return rows<FoldKey>(`${leaving(OF_KEYS, '$5')} RETURNING f.namespace, f.source, f.fingerprint`, [
        ...keysOf(keys),
        at,
      ]);
    },
    async abandon({ namespace, overflow }, at) {
      await rows(leaving('', '$4', 'f.namespace = $2 AND f.overflow = $3'), [namespace, overflow, at]);
    },
    async counts(overflows) {
      const found = await rows<
        Omit<OverflowCount, 'severity' | 'lastSeen' | 'reason'> & {
          worst: number | null;
          seen: string | null;
          reason: OverflowCount['reason'] | null;
        }
      >(
        `SELECT o.namespace, o.overflow, count(f.*)::float8 AS count,
           count(f.*) FILTER (WHERE f.state = 'Firing')::float8 AS firing,
           count(f.*) FILTER (WHERE f.state = 'Expired')::float8 AS expired,
           (array_agg(f.spec->'expired'->>'reason' ORDER BY f.expired_at DESC, f.spec->'expired'->>'reason')
             FILTER (WHERE f.state = 'Expired'))[1] AS reason,
           ${iso("max(f.received_at) FILTER (WHERE f.state = 'Expired')", 'seen')},
           min(${SEVERITY_RANK}) FILTER (WHERE f.state = 'Firing') AS worst
         FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS o(namespace, overflow, since)
         LEFT JOIN folded_alerts f ON f.scope = $1 AND f.namespace = o.namespace AND f.overflow = o.overflow AND f.left_at IS NULL
           AND ${ofEpisode('o.since')}
         GROUP BY 1, 2`,
        [overflows.map((o) => o.namespace), overflows.map((o) => o.overflow), overflows.map((o) => o.since)],
      );
      return found.map(({ worst, seen, reason, ...one }) => ({
        ...one,
        reason: reason ?? undefined,
        lastSeen: seen ?? undefined,
        severity: SEVERITIES[(worst ?? 0) - 1],
      }));
    },
    async firing(namespace) {
      const found = await rows<Row>(
        `SELECT DISTINCT ON (f.namespace, f.overflow) ${FIELDS} FROM folded_alerts f
         WHERE f.scope = $1 AND f.left_at IS NULL AND f.state = 'Firing' AND ($2::text IS NULL OR f.namespace = $2)
         ORDER BY f.namespace, f.overflow, f.fingerprint`,
        [namespace ?? null],
      );
      return found.map(foldedOf);
    },
    async list(filter) {
      const { where, values } = whereOf(filter);
      const limit = Math.min(MAX_LISTED, Math.max(0, filter.limit ?? MAX_LISTED));
      const found = await rows<Row & { total: number }>(
        `SELECT ${FIELDS}, count(*) OVER ()::float8 AS total FROM folded_alerts f WHERE f.scope = $1 AND ${where}
         ORDER BY ${STATE_RANK}, ${SEVERITY_RANK}, f.starts_at DESC, f.name LIMIT ${limit}`,
        values,
      );
      return { items: found.map(({ total: _, ...row }) => foldedOf(row)), total: found[0]?.total ?? 0 };
    },
    async byName(namespace, name) {
      const [row] = await rows<Row>(
        `SELECT ${FIELDS} FROM folded_alerts f WHERE f.scope = $1 AND f.namespace = $2 AND f.name = $3 LIMIT 1`,
        [namespace, name],
      );
      return row === undefined ? undefined : foldedOf(row);
    },
  };
}

/** What others changed in between is not in the answer. A repeat is only read. */
async function putOnce(
  { pool, scope }: { pool: pg.Pool; scope: string },
  folds: readonly Fold[],
  at: string,
): Promise<Map<string, Folded>> {
  const held = await withSession(pool, (session) => readHeld(session, scope, folds));
  const done = new Map<string, Folded>();
  const changed = new Map<string, Folded & { row: object }>();
  for (const fold of folds) {
    const key = faultKey(fold);
    const row = held.get(key);
    const isCounted = row !== undefined && row.left_at === null;
    const spec = fold.merge(row?.spec);
    const before = isCounted ? row.spec.state : undefined;
    const goesOn = isCounted && (before === 'Firing' || (before === 'Expired' && fold.isThere(row.overflow)));
    const overflow = goesOn ? row.overflow : fold.overflow;
    if (isCounted && row !== undefined && fold.isSame(row.spec, spec)) {
      done.set(key, { outcome: 'unchanged', spec, before, overflow: row.overflow });
      continue;
    }
    const outcome = isCounted ? 'updated' : 'created';
    const foldedAt = goesOn ? row.folded_at : at;
    const cells = rowOf({ ...fold, overflow, spec, foldedAt, version: Number(row?.version ?? 0) + 1 });
    changed.set(key, { outcome, spec, before, overflow, row: cells });
  }
  if (changed.size === 0) return done;
  const json = storableJson(JSON.stringify([...changed.values()].map(({ row }) => row)));
  const written = await inTransaction(pool, (session) => session.query<FoldKey>(UPSERT, [scope, json]));
  for (const key of written.rows) {
    const one = changed.get(faultKey(key));
    if (one === undefined) continue;
    const { row: _, ...folded } = one;
    done.set(faultKey(key), folded);
  }
  return done;
}

async function readHeld(
  session: Session,
  scope: string,
  folds: readonly Fold[],
): Promise<Map<string, Row & { version: string | number }>> {
  const { rows } = await session.query<Row & { version: string | number }>(`SELECT ${FIELDS}, f.version ${BY_KEY}`, [
    scope,
    ...keysOf(folds),
  ]);
  return new Map(rows.map((row) => [faultKey(row), row]));
}

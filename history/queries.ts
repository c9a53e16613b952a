/** What the API asks of history. Reads only; who may read what is the caller's to decide, by `namespaces`. */
import type { Alert, Incident, Phase, Priority, Severity } from '@funnelai/crds/generated/types';
import type pg from 'pg';
import { withSession } from './connection.ts';
import { type ChangeRow, changeOf, type StoredChange } from './rows.ts';
import { CHANGE_FIELDS, iso } from './sql.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
/** An incident's alerts in one answer at most. */
const MAX_ALERTS = 5_000;
/** What was said of an incident in one answer at most. */
const MAX_EVENTS = 500;

export interface IncidentRecord {
  /** The last version that history has, without managedFields. */
  incident: Incident;
  uid: string;
  /** RFC 3339, six digits, UTC; as all times here. */
  createdAt: string;
  deletedAt?: string;
  /** When the row was last written. */
  updatedAt: string;
}
export interface AlertRecord {
  /** The last version that history has; it may be in a later episode by now, and in another incident. */
  alert: Alert;
  deletedAt?: string;
  /** When the row was last written. */
  updatedAt: string;
  /** Those episodes of the alert that belonged to the incident, oldest first. */
  episodes: Episode[];
}
export interface Episode {
  episode: number;
  state: Alert['spec']['state'];
  severity: Severity;
  startsAt: string;
  endsAt?: string;
  /** How often the sender repeated it; about. */
  repeats: number;
}
/** How often a fault came back, whatever object stood for it. */
export interface Recurrence {
  episodes: number;
  repeats: number;
}
export interface IncidentFilter {
  /** Only these; an empty list finds nothing, absent means all. */
  namespaces?: readonly string[];
  /** Of the lists below an absent or empty one does not filter. */
  phases?: readonly Phase[];
  severities?: readonly Severity[];
  priorities?: readonly Priority[];
  owners?: readonly string[];
  rules?: readonly string[];
  /** Part of the title or name, in any case. */
  text?: string;
  /** RFC 3339; created at or after, created before. */
  createdFrom?: string;
  createdBefore?: string;
  /** true: only those gone from the cluster; false: only those still in it. */
  deleted?: boolean;
}
export interface IncidentSearch {
  items: IncidentRecord[];
  /** Opaque; hand it in as `after` for the next page. Absent on the last. */
  next?: string;
}
export interface IncidentCounts {
  total: number;
  byPhase: Partial<Record<Phase, number>>;
  bySeverity: Partial<Record<Severity, number>>;
}

/** Something that the operator said about an object; `count` times the same. */
export interface SaidEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  note: string;
  count: number;
  firstAt: string;
  lastAt: string;
}

export interface Queries {
  /** The newest incident of that name, also when it is deleted. */
  incidentByName(namespace: string, name: string): Promise<IncidentRecord | undefined>;
  incidentByUid(uid: string): Promise<IncidentRecord | undefined>;
  /** The newest alert of that name, also when it is deleted. */
  alertByName(namespace: string, name: string): Promise<Omit<AlertRecord, 'episodes'> | undefined>;
  /** All changes of its story in order of number, also of before it was restored. */
  changesOf(uid: string): Promise<StoredChange[]>;
  /** What the operator said about the incident and is no change, oldest first; also before it was restored. */
  eventsOf(uid: string): Promise<SaidEvent[]>;
  /** Every alert that had an episode in this incident, also before it was restored, oldest start first. */
  alertsOf(uid: string): Promise<AlertRecord[]>;
  /** Of one fault, the episodes that began at `since` (RFC 3339) or later. */
  recurrenceOf(fault: { namespace: string; source: string; fingerprint: string }, since: string): Promise<Recurrence>;
  /** Newest first. @throws {RangeError} for an `after` that no page gave. */
  incidents(filter: IncidentFilter, page?: { limit?: number; after?: string }): Promise<IncidentSearch>;
  countIncidents(filter: IncidentFilter): Promise<IncidentCounts>;
}

const INCIDENT_FIELDS = `i.uid, i.object, ${iso('i.created_at')}, ${iso('i.deleted_at')}, ${iso('i.updated_at')}`;
interface IncidentRow {
  uid: string;
  object: Incident;
  created_at: string;
  deleted_at: string | null;
  updated_at: string;
}
const recordOf = (row: IncidentRow): IncidentRecord => ({
  incident: row.object,
  uid: row.uid,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at }),
});

const ALERT_FIELDS = `a.object, ${iso('a.deleted_at')}, ${iso('a.updated_at')}`;
interface AlertRow {
  object: Alert;
  deleted_at: string | null;
  updated_at: string;
}
const alertRecordOf = (row: AlertRow): Omit<AlertRecord, 'episodes'> => ({
  alert: row.object,
  updatedAt: row.updated_at,
  ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at }),
});

/** Whose story the incident $1 is. */
const ORIGIN_OF = `coalesce((SELECT s.origin_uid FROM incidents s WHERE s.uid = $1), $1)`;

const ALERTS_OF = `
SELECT ${ALERT_FIELDS}, e.episode, e.state, e.severity, ${iso('e.started_at')}, ${iso('e.ended_at')}, e.repeats::float8 AS repeats
FROM alert_episodes e JOIN alerts a ON a.uid = e.alert_uid
WHERE e.incident_uid IN (SELECT o.uid FROM incidents o WHERE o.origin_uid = ${ORIGIN_OF})
ORDER BY min(e.started_at) OVER (PARTITION BY e.alert_uid), e.alert_uid, e.episode
LIMIT ${MAX_ALERTS}`;
interface EpisodeRow extends AlertRow {
  episode: number;
  state: Alert['spec']['state'];
  severity: Severity;
  started_at: string;
  ended_at: string | null;
  repeats: number;
}

/** Each method throws {HistoryUnavailable} when Postgres is away. */
export function createQueries({ pool }: { pool: pg.Pool }): Queries {
  const rows = <Row extends object>(text: string, values: unknown[]): Promise<Row[]> =>
    withSession(pool, async (session) => (await session.query<Row>(text, values)).rows);
  const one = async (where: string, values: unknown[]): Promise<IncidentRecord | undefined> => {
    const [row] = await rows<IncidentRow>(`SELECT ${INCIDENT_FIELDS} FROM incidents i WHERE ${where} LIMIT 1`, values);
    return row === undefined ? undefined : recordOf(row);
  };
  return {
    incidentByName: (namespace, name) =>
      one('i.namespace = $1 AND i.name = $2 ORDER BY i.created_at DESC, i.deleted_at DESC NULLS FIRST', [
        namespace,
        name,
      ]),
    incidentByUid: (uid) => one('i.uid = $1', [uid]),
    async alertByName(namespace, name) {
      const [row] = await rows<AlertRow>(
        `SELECT ${ALERT_FIELDS} FROM alerts a WHERE a.namespace = $1 AND a.name = $2 ORDER BY a.created_at DESC LIMIT 1`,
        [namespace, name],
      );
      return row === undefined ? undefined : alertRecordOf(row);
    },
    async changesOf(uid) {
      const found = await rows<ChangeRow>(
        `SELECT ${CHANGE_FIELDS} FROM incident_changes c WHERE c.incident_uid = ${ORIGIN_OF} ORDER BY c.sequence`,
        [uid],
      );
      return found.map(changeOf);
    },
    async eventsOf(uid) {
      const found = await rows<Omit<SaidEvent, 'firstAt' | 'lastAt'> & { first_at: string; last_at: string }>(
        `SELECT e.type, e.reason, e.note, e.count::float8 AS count, ${iso('e.first_at')}, ${iso('e.last_at')} FROM object_events e
         WHERE e.object_uid = $1 OR e.object_uid IN (SELECT o.uid FROM incidents o WHERE o.origin_uid = ${ORIGIN_OF})
         ORDER BY e.first_at, e.reason LIMIT ${MAX_EVENTS}`,
        [uid],
      );
      return found.map(({ first_at, last_at, ...event }) => ({ ...event, firstAt: first_at, lastAt: last_at }));
    },
    async alertsOf(uid) {
      const records = new Map<string, AlertRecord>();
      for (const row of await rows<EpisodeRow>(ALERTS_OF, [uid])) {
        const key = row.object.metadata.uid ?? '';
        const record = records.get(key) ?? { ...alertRecordOf(row), episodes: [] };
        records.set(key, record);
        record.episodes.push({
          episode: row.episode,
          state: row.state,
          severity: row.severity,
          startsAt: row.started_at,
          ...(row.ended_at === null ? {} : { endsAt: row.ended_at }),
          repeats: row.repeats,
        });
      }
      return [...records.values()];
    },
    async recurrenceOf({ namespace, source, fingerprint }, since) {
      const [row] = await rows<Recurrence>(
        `SELECT count(*)::float8 AS episodes, coalesce(sum(e.repeats), 0)::float8 AS repeats FROM alert_episodes e
         WHERE e.namespace = $1 AND e.source = $2 AND e.fingerprint = $3 AND e.started_at >= $4::timestamptz`,
        [namespace, source, fingerprint, since],
      );
      return row ?? { episodes: 0, repeats: 0 };
    },
    async incidents(filter, page = {}) {
      const limit = Math.min(MAX_LIMIT, Math.max(1, Math.trunc(page.limit ?? DEFAULT_LIMIT)));
      const { where, values } = whereOf(filter);
      if (page.after !== undefined) {
        const after = parseCursor(page.after);
        values.push(after.createdAt, after.uid);
        where.push(`(i.created_at, i.uid) < ($${values.length - 1}::timestamptz, $${values.length})`);
      }
      const found = await rows<IncidentRow>(
        `SELECT ${INCIDENT_FIELDS} FROM incidents i WHERE ${where.join(' AND ')} ORDER BY i.created_at DESC, i.uid DESC LIMIT ${limit + 1}`,
        values,
      );
      const items = found.slice(0, limit).map(recordOf);
      const last = items.at(-1);
      return found.length > limit && last !== undefined ? { items, next: cursorOf(last) } : { items };
    },
    async countIncidents(filter) {
      const { where, values } = whereOf(filter);
      const groups = await rows<{ phase: Phase; severity: Severity; count: number }>(
        `SELECT i.phase, i.severity, count(*)::float8 AS count FROM incidents i WHERE ${where.join(' AND ')} GROUP BY 1, 2`,
        values,
      );
      const counts: IncidentCounts = { total: 0, byPhase: {}, bySeverity: {} };
      for (const { phase, severity, count } of groups) {
        counts.total += count;
        counts.byPhase[phase] = (counts.byPhase[phase] ?? 0) + count;
        counts.bySeverity[severity] = (counts.bySeverity[severity] ?? 0) + count;
      }
      return counts;
    },
  };
}

function whereOf(filter: IncidentFilter): { where: string[]; values: unknown[] } {
  const where = ['true'];
  const values: unknown[] = [];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  const anyOf = (column: string, list: readonly string[] | undefined): void => {
    if (list !== undefined && list.length > 0) add((parameter) => `${column} = ANY(${parameter})`, [...list]);
  };
  if (filter.namespaces !== undefined) add((parameter) => `i.namespace = ANY(${parameter})`, [...filter.namespaces]);
  anyOf('i.phase', filter.phases);
  anyOf('i.severity', filter.severities);
  anyOf('i.priority', filter.priorities);
  anyOf('i.owner', filter.owners);
  anyOf('i.rule', filter.rules);
  if (filter.text !== undefined && filter.text !== '') {
    const pattern = `%${filter.text
      .toWellFormed()
      .replaceAll('\0', '\ufffd')
      .replace(/[\\%_]/g, '\\$&')}%`;
    add((parameter) => `(i.title ILIKE ${parameter} OR i.name ILIKE ${parameter})`, pattern);
  }
  if (filter.createdFrom !== undefined)
    add((parameter) => `i.created_at >= ${parameter}::timestamptz`, filter.createdFrom);
  if (filter.createdBefore !== undefined)
    add((parameter) => `i.created_at < ${parameter}::timestamptz`, filter.createdBefore);
  if (filter.deleted !== undefined) where.push(`i.deleted_at IS ${filter.deleted ? 'NOT NULL' : 'NULL'}`);
  return { where, values };
}

const cursorOf = (record: IncidentRecord): string =>
  Buffer.from(JSON.stringify([record.createdAt, record.uid])).toString('base64url');

function parseCursor(cursor: string): { createdAt: string; uid: string } {
  try {
    const [createdAt, uid] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (typeof createdAt === 'string' && typeof uid === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(createdAt))
      return { createdAt, uid };
  } catch {
    // Falls through to the one message.
  }
  throw new RangeError('after: expected the `next` of an earlier page, found something else');
}

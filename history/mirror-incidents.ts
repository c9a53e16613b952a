/** One transaction for a chunk of incidents: their rows, then the changes that history lacks, then alerts that waited for them. */
import type { Incident } from '@funnelai/crds/generated/types';
import type { Session } from './connection.ts';
import { HistoryUnavailable } from './errors.ts';
import type { Fence } from './fence.ts';
import type { IncidentResult } from './mirror.ts';
import { type ChangePlan, planChanges } from './plan-changes.ts';
import { CHANGE_COLUMNS, type ChangeRow, INCIDENT_COLUMNS, type Row } from './rows.ts';
import { CHANGE_FIELDS, found, isNewer, iso, names, prefixed, taken, typed } from './sql.ts';

// The row is locked even where the guard refuses the update, so changes of one incident are numbered by one writer at a time.
const UPSERT = `
INSERT INTO incidents (${names(INCIDENT_COLUMNS)}, epoch)
SELECT ${prefixed('r', INCIDENT_COLUMNS)}, $2::bigint FROM json_to_recordset($1::json) AS r(${typed(INCIDENT_COLUMNS)}) ORDER BY r.uid
ON CONFLICT (uid, created_at) DO UPDATE SET ${taken(INCIDENT_COLUMNS)}, ${found('incidents')}
WHERE ${isNewer('incidents')} OR incidents.vanished
RETURNING uid`;

// What was restored more than once goes on with the first of all.
const FIRST_ORIGIN = `
UPDATE incidents i SET origin_uid = o.origin_uid FROM incidents o
WHERE i.uid = ANY($1) AND i.origin_uid <> i.uid AND o.uid = i.origin_uid AND o.origin_uid <> i.origin_uid`;

// The changes of a story lie where its first ones do: by the first incident's creation, where that is known.
const STORIES = `
SELECT i.uid, i.origin_uid, ${iso('coalesce(o.created_at, i.created_at)', 'place')}
FROM incidents i LEFT JOIN incidents o ON o.uid = i.origin_uid AND i.origin_uid <> i.uid
WHERE i.uid = ANY($1)`;

const LAST_CHANGES = `
SELECT o.uid, c.sequence::float8 AS sequence, ${iso('c.incident_created_at', 'place')}
FROM unnest($1::text[]) AS o(uid) CROSS JOIN LATERAL (
  SELECT l.sequence, l.incident_created_at FROM incident_changes l WHERE l.incident_uid = o.uid ORDER BY l.sequence DESC LIMIT 1
) c`;

const STORED_CHANGES = `
SELECT ${CHANGE_FIELDS}
FROM unnest($1::text[], $2::bigint[]) AS o(uid, first)
JOIN incident_changes c ON c.incident_uid = o.uid AND c.sequence >= o.first`;

const INSERT_CHANGES = `
INSERT INTO incident_changes (${names(CHANGE_COLUMNS)})
SELECT ${prefixed('r', CHANGE_COLUMNS)} FROM json_to_recordset($1::json) AS r(${typed(CHANGE_COLUMNS)})
ON CONFLICT (incident_uid, sequence, incident_created_at) DO NOTHING`;

// An alert that was gone before the incident was made belongs to an earlier incident of that name.
// Alerts first, then their episodes, as who writes alerts does: else the two would wait for each other.
const LINK_ALERTS = `
UPDATE alerts a SET incident_uid = i.uid FROM incidents i
WHERE i.uid = ANY($1) AND a.namespace = i.namespace AND a.incident_name = i.name
  AND a.incident_uid IS NULL AND (a.deleted_at IS NULL OR a.deleted_at >= i.created_at)`;
const LINK_EPISODES = `
UPDATE alert_episodes e SET incident_uid = i.uid FROM incidents i, alerts a
WHERE i.uid = ANY($1) AND e.alert_uid = a.uid AND e.namespace = i.namespace AND e.incident_name = i.name
  AND e.incident_uid IS NULL AND (a.deleted_at IS NULL OR a.deleted_at >= i.created_at)`;

/** @param rows in the order of `incidents`, each uid once. @returns results in the same order. */
export async function putIncidentRows(
  fence: Fence,
  rows: readonly Row[],
  incidents: readonly Incident[],
  now: string,
): Promise<IncidentResult[]> {
  return fence.write(async (session, epoch) => {
    const uids = rows.map((row) => row.uid);
    const upserted = await session.query<{ uid: string }>(UPSERT, [
      `[${rows.map((row) => row.json).join(',')}]`,
      epoch,
    ]);
    const written = new Set(upserted.rows.map((row) => row.uid));
    if (rows.some((row) => row.story !== row.uid)) await session.query(FIRST_ORIGIN, [uids]);
    const stories = await storiesOf(session, uids);
    const plans = await plan(session, uids, stories, incidents, now);
    const insert = plans.flatMap((one, index) =>
      one.insert.map((row) => ({ ...row, incident_created_at: stories.get(uids[index] ?? '')?.place })),
    );
    if (insert.length > 0) {
      const inserted = await session.query(INSERT_CHANGES, [JSON.stringify(insert)]);
      // Cannot be while all writers lock the incident's row first; if one does not, its number is looked at again.
      if (inserted.rowCount !== insert.length)
        throw new HistoryUnavailable('changes were written by somebody else at the same moment', '40001');
    }
    await session.query(LINK_ALERTS, [uids]);
    await session.query(LINK_EPISODES, [uids]);
    return plans.map(({ insert: _, ...outcome }, index) => {
      const uid = uids[index] ?? '';
      return { uid, written: written.has(uid), ...outcome };
    });
  });
}

interface Story {
  uid: string;
  origin_uid: string;
  /** The last number that is stored. */
  sequence: number;
  place: string;
}

async function storiesOf(session: Session, uids: string[]): Promise<Map<string, Story>> {
  const found = await session.query<Omit<Story, 'sequence'>>(STORIES, [uids]);
  const origins = [...new Set(found.rows.map((row) => row.origin_uid))];
  const last = await session.query<{ uid: string; sequence: number; place: string }>(LAST_CHANGES, [origins]);
  const byOrigin = new Map(last.rows.map((row) => [row.uid, row]));
  return new Map(
    found.rows.map((row) => [row.uid, { ...row, sequence: 0, ...withoutUid(byOrigin.get(row.origin_uid)) }]),
  );
}
const withoutUid = (row: { sequence: number; place: string } | undefined) =>
  row === undefined ? {} : { sequence: row.sequence, place: row.place };

async function plan(
  session: Session,
  uids: string[],
  stories: ReadonlyMap<string, Story>,
  incidents: readonly Incident[],
  now: string,
): Promise<ChangePlan[]> {
  const changesOf = (incident: Incident) => incident.status?.changes ?? [];
  const firsts = incidents.map((incident) => {
    const numbers = changesOf(incident)
      .map((change) => change.sequence)
      .filter(Number.isSafeInteger);
    return numbers.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...numbers);
  });
  const origins = uids.map((uid) => stories.get(uid)?.origin_uid ?? uid);
  const stored = await session.query<ChangeRow>(STORED_CHANGES, [origins, firsts]);
  const byStory = Map.groupBy(stored.rows, (row) => String(row.incident_uid));
  return incidents.map((incident, index) => {
    const originUid = origins[index] ?? '';
    const known = {
      originUid,
      stored: new Map((byStory.get(originUid) ?? []).map((row) => [row.sequence, row])),
      storedSequence: stories.get(uids[index] ?? '')?.sequence ?? 0,
      now,
    };
    return planChanges(known, changesOf(incident), incident.status?.changeSequence ?? 0);
  });
}

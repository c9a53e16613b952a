/**
 * Which incidents of a lost cluster can be made anew: the last of each line that was neither closed nor deleted, with its changes. A
 * line is an incident and whatever was restored from it; its changes stand under the uid of the first. Reads only.
 */
import type { Incident, IncidentChange } from '@funnelai/crds/generated/types';
import type pg from 'pg';
import { withSession } from './connection.ts';
import { type ChangeRow, changeOf, type StoredChange } from './rows.ts';
import { CHANGE_FIELDS, iso } from './sql.ts';

/** So many are held in memory at once; how many there are has no bound but the disk. */
export const RESTORABLE_PER_PAGE = 500;

export interface Restorable {
  /** The last version that history has. */
  incident: Incident;
  /** uid of the first incident of its line. */
  originUid: string;
  /** Number of the last change that history has; 0 for none. */
  changeSequence: number;
  /** Its last changes, oldest first. */
  changes: IncidentChange[];
}

// The newest of each line, and of those the newest of each name. What vanished was deleted by nobody: its cluster was lost.
const RESTORABLE = `
WITH candidates AS (
  SELECT DISTINCT ON (i.namespace, i.name) i.origin_uid AS line, i.object, i.created_at, i.uid, i.phase
  FROM incident_stories i
  WHERE i.deleted_at IS NULL OR i.vanished
  ORDER BY i.namespace, i.name, i.created_at DESC, i.uid
)
SELECT c.object, c.line, ${iso('c.created_at', 'born')}, c.uid, (SELECT coalesce(max(n.sequence), 0)::float8 FROM incident_changes n WHERE n.incident_uid = c.line) AS sequence
FROM candidates c
WHERE c.phase <> 'Closed' AND ($1::text IS NULL OR (c.created_at, c.uid) > ($1::timestamptz, $2::text))
ORDER BY c.created_at, c.uid
LIMIT $3`;

const LAST_CHANGES = `SELECT ${CHANGE_FIELDS} FROM incident_changes c WHERE c.incident_uid = $1 ORDER BY c.sequence DESC LIMIT $2`;

interface Row {
  object: Incident;
  line: string;
  sequence: number;
  /** As text: a Date has no microseconds, and those tell where the next page begins. */
  born: string;
  uid: string;
}

/**
 * All of them, oldest first, read page by page as they are asked for.
 * @param lastChanges how many changes of each are wanted.
 * @throws {HistoryUnavailable} when Postgres is away.
 */
export async function* restorableIncidents(
  pool: pg.Pool,
  lastChanges: number,
  perPage = RESTORABLE_PER_PAGE,
): AsyncGenerator<Restorable, void, undefined> {
  let last: Row | undefined;
  do {
    const page = await pageAfter(pool, last, lastChanges, perPage);
    yield* page.restorable;
    last = page.restorable.length < perPage ? undefined : page.last;
  } while (last !== undefined);
}

async function pageAfter(pool: pg.Pool, after: Row | undefined, lastChanges: number, perPage: number) {
  return withSession(pool, async (session) => {
    const found = await session.query<Row>(RESTORABLE, [after?.born ?? null, after?.uid ?? null, perPage]);
    const restorable: Restorable[] = [];
    for (const { object, line, sequence } of found.rows) {
      const { rows } = await session.query<ChangeRow>(LAST_CHANGES, [line, lastChanges]);
      restorable.push({
        incident: object,
        originUid: line,
        changeSequence: sequence,
        changes: afterLost(rows.map(changeOf).reverse()),
      });
    }
    return { restorable, last: found.rows.at(-1) };
  });
}

/** What history knows to have lost has no place in a status; what comes after it has. */
function afterLost(changes: readonly StoredChange[]): IncidentChange[] {
  const from = changes.findLastIndex(({ kind }) => kind === 'Lost') + 1;
  return changes.slice(from).flatMap(({ kind, ...rest }) => (kind === 'Lost' ? [] : [{ ...rest, kind }]));
}

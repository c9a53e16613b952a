/** What was said about objects, kept beyond Kubernetes' hour: the same said again is counted, and no object fills the table. */
import type { Temporal } from 'temporal-polyfill';
import type { Fence } from './fence.ts';
import { microsOf, storableText } from './rows.ts';

/** Different things said of one object that are kept; of later ones the Events remain for their hour. */
export const EVENTS_PER_OBJECT = 100;
/** Together with reason and uid it is a key, which must fit into an index entry. */
const MAX_NOTE_CHARS = 512;

export interface ObjectEvent {
  objectUid: string;
  kind: string;
  namespace: string;
  name: string;
  type: 'Normal' | 'Warning';
  reason: string;
  note: string;
  at: Temporal.Instant;
}

const COLUMNS =
  'object_uid text, kind text, namespace text, name text, type text, reason text, note text, count bigint, first_at timestamptz, last_at timestamptz';
const PUT = `
INSERT INTO object_events
SELECT r.* FROM json_to_recordset($1::json) AS r(${COLUMNS})
WHERE (SELECT count(*) FROM object_events o WHERE o.object_uid = r.object_uid) < ${EVENTS_PER_OBJECT}
   OR EXISTS (SELECT FROM object_events o WHERE o.object_uid = r.object_uid AND o.reason = r.reason AND o.note = r.note)
ORDER BY r.object_uid, r.reason, r.note
ON CONFLICT (object_uid, reason, note) DO UPDATE
  SET count = object_events.count + excluded.count, last_at = greatest(object_events.last_at, excluded.last_at)`;

/** Said twice after a lost answer of Postgres is counted twice; nothing rests on these counts. */
export async function putObjectEvents(fence: Fence, events: readonly ObjectEvent[]): Promise<void> {
  const rows = new Map<string, Record<string, string | number>>();
  for (const event of events) {
    const at = microsOf(event.at);
    const note = [...storableText(event.note)].slice(0, MAX_NOTE_CHARS).join('');
    const key = JSON.stringify([event.objectUid, event.reason, note]);
    const row = rows.get(key);
    if (row !== undefined) rows.set(key, { ...row, count: Number(row.count) + 1, last_at: at });
    else {
      const { objectUid, kind, namespace, name, type, reason } = event;
      rows.set(key, {
        object_uid: objectUid,
        kind,
        namespace,
        name,
        type,
        reason,
        note,
        count: 1,
        first_at: at,
        last_at: at,
      });
    }
  }
  if (rows.size > 0) await fence.write((session) => session.query(PUT, [JSON.stringify([...rows.values()])]));
}

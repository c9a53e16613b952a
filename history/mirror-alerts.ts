/** One transaction for a chunk of alerts: their rows, and what is known of the episode that each is in. */
import type { Alert } from '@funnelai/crds/generated/types';
import type { Fence } from './fence.ts';
import type { AlertResult } from './mirror.ts';
import { ALERT_COLUMNS, isOfCorrelatedEpisode, type Row } from './rows.ts';
import { found, isNewer, names, prefixed, taken, typed } from './sql.ts';

// Names come back: an incident that was deleted before the alert's last report is not the one it is in.
const INCIDENT_OF_R = `(
  SELECT i.uid FROM incidents i
  WHERE i.namespace = r.namespace AND i.name = r.incident_name AND (i.deleted_at IS NULL OR i.deleted_at >= r.received_at)
  ORDER BY i.created_at DESC LIMIT 1)`;
/** While name and episode stay what they were, a link once made stays too. */
const keptLink = (table: string, sameEpisode: string): string => `
  incident_uid = CASE
    WHEN ${table}.incident_name IS NOT DISTINCT FROM excluded.incident_name AND ${sameEpisode}
    THEN coalesce(${table}.incident_uid, excluded.incident_uid)
    ELSE excluded.incident_uid END`;

const UPSERT = `
INSERT INTO alerts (${names(ALERT_COLUMNS)}, incident_uid, epoch)
SELECT ${prefixed('r', ALERT_COLUMNS)}, ${INCIDENT_OF_R}, $2::bigint
FROM json_to_recordset($1::json) AS r(${typed(ALERT_COLUMNS)}) ORDER BY r.uid
ON CONFLICT (uid, created_at) DO UPDATE SET ${taken(ALERT_COLUMNS)}, ${found('alerts')},
${keptLink('alerts', 'alerts.episode IS NOT DISTINCT FROM excluded.episode')}
WHERE ${isNewer('alerts')} OR alerts.vanished
RETURNING uid`;

/** Column of an episode → the alert's that it comes from. */
const EPISODE_FIELDS: Record<string, string> = {
  namespace: 'namespace',
  source: 'source',
  fingerprint: 'fingerprint',
  incident_name: 'incident_name',
  state: 'state',
  severity: 'severity',
  started_at: 'starts_at',
  ended_at: 'ends_at',
  received_at: 'received_at',
  resource_version: 'resource_version',
};
const EPISODE_NAMES = Object.keys(EPISODE_FIELDS);
const UPSERT_EPISODES = `
INSERT INTO alert_episodes (alert_uid, alert_created_at, episode, ${EPISODE_NAMES.join(', ')}, incident_uid, epoch)
SELECT r.uid, r.created_at, r.episode, ${Object.values(EPISODE_FIELDS)
  .map((name) => `r.${name}`)
  .join(', ')}, ${INCIDENT_OF_R}, $2::bigint
FROM json_to_recordset($1::json) AS r(${typed(ALERT_COLUMNS)}) ORDER BY r.uid
ON CONFLICT (alert_uid, episode, alert_created_at) DO UPDATE SET ${EPISODE_NAMES.map((name) => `${name} = excluded.${name}`).join(', ')}, epoch = excluded.epoch,
${keptLink('alert_episodes', 'true')}
WHERE ${isNewer('alert_episodes')}`;

/** @param rows in the order of `alerts`, each uid once. @returns results in the same order. */
export async function putAlertRows(
  fence: Fence,
  rows: readonly Row[],
  alerts: readonly Alert[],
): Promise<AlertResult[]> {
  const correlated = rows.filter((_, index) => {
    const alert = alerts[index];
    return alert !== undefined && isOfCorrelatedEpisode(alert);
  });
  const jsonOf = (some: readonly Row[]) => `[${some.map((row) => row.json).join(',')}]`;
  return fence.write(async (session, epoch) => {
    const upserted = await session.query<{ uid: string }>(UPSERT, [jsonOf(rows), epoch]);
    if (correlated.length > 0) await session.query(UPSERT_EPISODES, [jsonOf(correlated), epoch]);
    const written = new Set(upserted.rows.map((row) => row.uid));
    return rows.map((row) => ({ uid: row.uid, written: written.has(row.uid) }));
  });
}

/** A folded alert as a row of its table, and how such rows are written. */
import type { AlertSpec } from '@funnelai/crds/generated/types';
import type { FoldKey } from './folded.ts';
import { storableText, toMicros } from './rows.ts';

const COLUMNS = {
  namespace: 'text',
  source: 'text',
  fingerprint: 'text',
  name: 'text',
  overflow: 'text',
  alertname: 'text',
  state: 'text',
  severity: 'text',
  title: 'text',
  starts_at: 'timestamptz',
  ends_at: 'timestamptz',
  received_at: 'timestamptz',
  folded_at: 'timestamptz',
  expired_at: 'timestamptz',
  version: 'bigint',
  spec: 'jsonb',
} as const;
const NAMES = Object.keys(COLUMNS).join(', ');
const KEY = ['namespace', 'source', 'fingerprint'];
/** Stores the rows of a JSON list under a scope; of those that others have changed meanwhile none. Returns the keys of the stored ones. */
export const UPSERT = `
INSERT INTO folded_alerts AS f (scope, ${NAMES})
SELECT $1, ${NAMES} FROM json_to_recordset($2::json) AS r(${Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')}) ORDER BY namespace, source, fingerprint
ON CONFLICT (scope, namespace, source, fingerprint) DO UPDATE SET left_at = NULL, ${Object.keys(COLUMNS)
  .filter((name) => !KEY.includes(name))
  .map((name) => `${name} = excluded.${name}`)
  .join(', ')}
WHERE f.version = excluded.version - 1
RETURNING f.namespace, f.source, f.fingerprint`;

/**
 * Those of `folded_alerts f` of the scope $1 that are counted, that `join` leaves and for which `which` holds, are not counted any more,
 * since the parameter `at`. Locked in the order in which all others lock them, so that two of them never wait for each other.
 */
export const leaving = (join: string, at: string, which = 'true'): string => `
WITH gone AS (
  SELECT f.namespace, f.source, f.fingerprint FROM folded_alerts f ${join} WHERE f.scope = $1 AND ${which} AND f.left_at IS NULL
  ORDER BY f.namespace, f.source, f.fingerprint FOR UPDATE OF f
)
UPDATE folded_alerts f SET left_at = ${at}::timestamptz, version = f.version + 1
FROM gone g WHERE f.scope = $1 AND f.namespace = g.namespace AND f.source = g.source AND f.fingerprint = g.fingerprint`;

/** @throws {HistoryRefused} naming the column that cannot hold it. */
export function rowOf(
  o: FoldKey & { name: string; overflow: string; spec: AlertSpec; foldedAt: string; version: number },
) {
  const { spec } = o;
  const labels = spec.labels ?? {};
  return {
    namespace: o.namespace,
    source: o.source,
    fingerprint: o.fingerprint,
    name: o.name,
    overflow: o.overflow,
    alertname: storableText(Object.hasOwn(labels, 'alertname') ? (labels.alertname ?? '') : ''),
    state: spec.state,
    severity: spec.severity,
    title: storableText(spec.title),
    starts_at: toMicros('starts_at', spec.startsAt),
    ends_at: spec.endsAt === undefined ? null : toMicros('ends_at', spec.endsAt),
    received_at: toMicros('received_at', spec.receivedAt),
    folded_at: toMicros('folded_at', o.foldedAt),
    expired_at: spec.state === 'Expired' && spec.expired !== undefined ? toMicros('expired_at', spec.expired.at) : null,
    version: o.version,
    spec,
  };
}

/** Small pieces of SQL that mirror and queries share. */

/** A time as RFC 3339 in UTC with six digits, whatever the session's settings are. */
export const iso = (column: string, as = column.replace(/^.*\./, '')): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${as}`;

/** Columns of a change, as `ChangeRow` wants them. */
export const CHANGE_FIELDS = `c.incident_uid, c.sequence::float8 AS sequence, c.kind, c.from_value, c.to_value, ${iso('c.at')}, ${iso('c.recorded_at')}, c.by, c.reason, c.verified`;

export const names = (columns: Record<string, string>): string => Object.keys(columns).join(', ');
/** Column list with types, for `json_to_recordset(…) AS r(…)`. */
export const typed = (columns: Record<string, string>): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');
export const prefixed = (prefix: string, columns: Record<string, string>): string =>
  Object.keys(columns)
    .map((name) => `${prefix}.${name}`)
    .join(', ');
/** `SET` list that takes every column but the key (which decides where the row lies) from the row that was offered. */
export const taken = (columns: Record<string, string>): string =>
  Object.keys(columns)
    .filter((name) => name !== 'uid' && name !== 'created_at')
    .map((name) => `${name} = excluded.${name}`)
    .join(', ');

/**
 * May the offered row take the place of the one that is there? Versions are only comparable within an epoch: etcd can be set back.
 * What was believed lost and comes lives.
 */
export const isNewer = (table: string): string =>
  `(${table}.epoch < excluded.epoch OR (${table}.epoch = excluded.epoch AND ${table}.resource_version < excluded.resource_version))`;
/** `SET` list by which what was believed lost lives again. A deletion that was seen stays. */
export const found = (table: string): string =>
  `epoch = excluded.epoch, deleted_at = CASE WHEN ${table}.vanished THEN NULL ELSE ${table}.deleted_at END, vanished = false`;

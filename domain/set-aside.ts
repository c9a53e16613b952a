/** What lies aside in Postgres' inbox, and what a person does about it: the statements for who administers the database. Pure. */

/** Rows that a source left there. `scope` marks those of this cluster. */
export interface SetAside {
  scope: string;
  namespace: string;
  source: string;
}

/** The reason for which a row whose source is gone is set aside; `isForWantOfSource` knows it again. */
export const sourceIsGone = (namespace: string, source: string): string =>
  `AlertSource ${source} in namespace ${namespace} is not there any more`;
/** Whether the cause is mended by making the source anew, whatever name it has. */
export const isForWantOfSource = (reason: string): boolean =>
  /^AlertSource \S+ in namespace \S+ is not there any more$/.test(reason);

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const where = ({ scope, namespace, source }: SetAside): string =>
  `scope = ${quoted(scope)} AND namespace = ${quoted(namespace)} AND source = ${quoted(source)}`;

/** Shows the oldest of them, with what was reported. */
export const lookAtThem = (of: SetAside): string =>
  `SELECT id, received_at, reason, reports FROM inbox_set_aside\nWHERE ${where(of)}\nORDER BY id LIMIT 20;`;

/** Puts them back into the inbox, from where they are drained anew, in their old order. */
export const putThemBack = (of: SetAside): string => `WITH back AS (
  DELETE FROM inbox_set_aside
  WHERE ${where(of)}
  RETURNING *)
INSERT INTO inbox (scope, id, namespace, source, fingerprint, demo, received_at, reports)
SELECT scope, id, namespace, source, fingerprint, demo, received_at, reports FROM back;`;

/** Throws them away: what they reported is lost. */
export const deleteThem = (of: SetAside): string => `DELETE FROM inbox_set_aside\nWHERE ${where(of)};`;

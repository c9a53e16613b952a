/** Which folded alerts a list shows, as a condition in SQL on `folded_alerts f`. */
import type { OverflowKey } from './folded.ts';
import { storableText } from './rows.ts';

export interface FoldedFilter {
  /** Only these; absent means all. */
  namespaces?: readonly string[];
  /** Only those that these overflow Alerts count; `since` leaves out what had resolved before. */
  overflows?: readonly (OverflowKey & { since?: string; until?: string })[];
  /** An absent or empty list does not filter. */
  states?: readonly string[];
  severities?: readonly string[];
  sources?: readonly string[];
  alertnames?: readonly string[];
  /** Each must be part of the name, title or a label as `name=value`, in any case. */
  words?: readonly string[];
  limit?: number;
}

/**
 * Does it count to an episode of its overflow Alert that began at `since`? What had ended before does not. One that expired was silent for
 * long then: what counts is when that was found.
 */
export const ofEpisode = (since: string): string =>
  `CASE f.state WHEN 'Firing' THEN true WHEN 'Expired' THEN f.expired_at >= ${since} ELSE f.received_at >= ${since} END`;

/** The condition, and its values for the parameters from $2 on. */
export function whereOf(filter: FoldedFilter): { where: string; values: unknown[] } {
  const where = ['f.left_at IS NULL'];
  const values: unknown[] = [];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    where.push(condition(`$${values.length + 1}`));
  };
  const anyOf = (column: string, list: readonly string[] | undefined): void => {
    if (list !== undefined && list.length > 0) add((parameter) => `f.${column} = ANY(${parameter})`, [...list]);
  };
  if (filter.namespaces !== undefined) add((parameter) => `f.namespace = ANY(${parameter})`, [...filter.namespaces]);
  anyOf('state', filter.states);
  anyOf('severity', filter.severities);
  anyOf('source', filter.sources);
  anyOf('alertname', filter.alertnames);
  for (const word of filter.words ?? []) {
    const pattern = `%${storableText(word).replace(/[\\%_]/g, '\\$&')}%`;
    add(
      (parameter) =>
        `(f.name ILIKE ${parameter} OR f.title ILIKE ${parameter} OR f.source ILIKE ${parameter} OR EXISTS (
           SELECT FROM jsonb_each_text(f.spec->'labels') l WHERE l.key || '=' || l.value ILIKE ${parameter}))`,
      pattern,
    );
  }
  if (filter.overflows !== undefined) {
    const base = values.length + 1;
    values.push(
      filter.overflows.map((o) => o.namespace),
      filter.overflows.map((o) => o.overflow),
      filter.overflows.map((o) => o.since ?? '-infinity'),
      filter.overflows.map((o) => o.until ?? 'infinity'),
    );
    where.push(`EXISTS (SELECT FROM unnest($${base + 1}::text[], $${base + 2}::text[], $${base + 3}::timestamptz[], $${base + 4}::timestamptz[])
      AS o(namespace, overflow, since, until) WHERE o.namespace = f.namespace AND o.overflow = f.overflow
      AND ${ofEpisode('o.since')} AND f.folded_at <= o.until)`);
  }
  return { where: where.join(' AND '), values };
}

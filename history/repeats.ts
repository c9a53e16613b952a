/** Adds to episodes how often their sender repeated them: many in one statement, each only where its episode is known. */
import type pg from 'pg';
import { inTransaction } from './connection.ts';

/** Episodes of one statement at most. */
export const REPEATS_PER_WRITE = 2_000;

export interface EpisodeRepeats {
  alertUid: string;
  episode: number;
  repeats: number;
}
export interface RepeatStore {
  /**
   * Each episode at most once in `counts`, at most `REPEATS_PER_WRITE` of them.
   * @returns those that were added; of the rest history does not know the episode (yet).
   * @throws {HistoryUnavailable} then it may have been added all the same.
   */
  add(counts: readonly EpisodeRepeats[]): Promise<{ alertUid: string; episode: number }[]>;
}

const ADD = `
UPDATE alert_episodes e SET repeats = e.repeats + r.repeats
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS r(alert_uid, episode, repeats)
WHERE e.alert_uid = r.alert_uid AND e.episode = r.episode
RETURNING e.alert_uid AS "alertUid", e.episode`;

export function createRepeatStore({ pool }: { pool: pg.Pool }): RepeatStore {
  return {
    add: (counts) =>
      inTransaction(pool, async (session) => {
        const added = await session.query<{ alertUid: string; episode: number }>(ADD, [
          counts.map((one) => one.alertUid),
          counts.map((one) => one.episode),
          counts.map((one) => one.repeats),
        ]);
        return added.rows;
      }),
  };
}

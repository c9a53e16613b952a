/**
 * Lets one term write and no earlier one: Postgres issues an epoch when the term first writes, and each transaction locks and
 * compares it. Nobody is locked out: whoever comes later takes the next epoch, also on a database that was emptied or set back.
 * Who leads is not known here.
 */
import type pg from 'pg';
import type { Temporal } from 'temporal-polyfill';
import { inTransaction, type Session, withSession } from './connection.ts';
import { HistoryFenced, HistoryUnavailable, NO_TABLE } from './errors.ts';
import type { Log } from './log.ts';
import { microsOf } from './rows.ts';

/** What one write may find: an epoch renewed under it, the database set back, taken anew, and set back once more. */
const TAKE_ATTEMPTS = 5;

export interface FenceOptions {
  pool: pg.Pool;
  clock: { now(): Temporal.Instant };
  log: Log;
  /** Writers of one scope exclude each other: the cluster, or one namespace. */
  scope: string;
  /** Tells this term from every other one. */
  holder: string;
  /** Runs before an epoch is taken; makes the tables. */
  prepare?(): Promise<void>;
}
export interface Fence {
  /**
   * Runs `work` in a transaction of this term; like any transaction it may run more than once.
   * @throws {HistoryFenced} when a later term has begun; then nothing was written.
   */
  write<T>(work: (session: Session, epoch: number) => Promise<T>): Promise<T>;
  /** The epoch that it has; undefined before the first. Another one than before: the database was set back, or it was renewed. */
  epoch(): number | undefined;
  /** Tells the server that was written to last from others, and from itself before it was restarted; undefined before the first write. */
  server(): number | undefined;
  /** Takes the next epoch: versions of objects went backwards, and what was written before is to give way. */
  renew(): Promise<void>;
}

// Greater than the epochs of all scopes, so that rows can be compared whoever wrote them; and than the one this term had before the
// database was set back. A later term's is never taken over.
const TAKE = `
INSERT INTO history_epochs AS h (scope, epoch, holder, taken_at)
SELECT $1, 1 + greatest($3::bigint, (SELECT coalesce(max(epoch), 0) FROM history_epochs)), $2, $4::timestamptz
ON CONFLICT (scope) DO UPDATE
  SET epoch = greatest(h.epoch + 1, excluded.epoch), holder = excluded.holder, taken_at = excluded.taken_at
  WHERE $3::bigint = 0 OR h.epoch <= $3::bigint OR h.holder = excluded.holder
RETURNING epoch::float8 AS epoch`;
const FOUND = `
SELECT epoch::float8 AS epoch, holder, extract(epoch FROM pg_postmaster_start_time())::float8 AS server
FROM history_epochs WHERE scope = $1`;
// A takeover waits for who holds this, so nothing of an earlier term is committed after it.
const HOLD = `${FOUND} FOR SHARE`;

interface EpochRow {
  epoch: number;
  holder: string;
  server: number;
}

export function createFence(o: FenceOptions): Fence {
  const { pool, scope, holder } = o;
  /** The highest that this term ever had; 0 before the first. */
  let highest = 0;
  let held: Promise<void> | undefined;
  let server: number | undefined;

  async function take(): Promise<void> {
    await o.prepare?.();
    const epoch = await withSession(pool, async (session) => {
      const taken = await session.query<{ epoch: number }>(TAKE, [scope, holder, highest, microsOf(o.clock.now())]);
      const mine = taken.rows[0]?.epoch;
      if (mine !== undefined) return mine;
      const found = await session.query<EpochRow>(FOUND, [scope]);
      throw new HistoryFenced(scope, highest, found.rows[0]?.epoch ?? 0);
    });
    o.log.info({ scope, epoch }, highest === 0 ? 'took an epoch of history' : 'took a new epoch of history');
    // Of two that were on their way at once the later counts.
    highest = Math.max(highest, epoch);
  }

  /** One attempt at a time, shared by all who wait for it. */
  function taken(): Promise<void> {
    held ??= take().catch((error: unknown) => {
      held = undefined;
      throw error;
    });
    return held;
  }

  async function attempt<T>(
    work: (session: Session, epoch: number) => Promise<T>,
  ): Promise<{ done: T } | 'renewed' | 'set back'> {
    await taken();
    const mine = highest;
    try {
      return await inTransaction(pool, async (session) => {
        const found = (await session.query<EpochRow>(HOLD, [scope])).rows[0];
        server = found?.server ?? server;
        if (found?.epoch === mine && found.holder === holder) return { done: await work(session, mine) };
        // Taken by ourselves, while this was on its way.
        if (found?.holder === holder && found.epoch > mine) return 'renewed';
        if (found !== undefined && found.epoch > mine) throw new HistoryFenced(scope, mine, found.epoch);
        return 'set back';
      });
    } catch (error) {
      // Emptied while we worked: the tables are made again before the next epoch is taken.
      if (error instanceof HistoryUnavailable && error.code === NO_TABLE) held = undefined;
      throw error;
    }
  }

  return {
    async write(work) {
      for (let attempts = 0; attempts < TAKE_ATTEMPTS; attempts += 1) {
        const outcome = await attempt(work);
        if (typeof outcome === 'object') return outcome.done;
        if (outcome === 'renewed') continue;
        o.log.warn({ scope, epoch: highest }, 'the history database was set back or emptied; taking a new epoch');
        held = undefined;
      }
      throw new HistoryUnavailable('the history database does not keep the epoch that it gave');
    },
    epoch: () => (highest === 0 ? undefined : highest),
    server: () => server,
    async renew() {
      held = undefined;
      await taken();
    },
  };
}

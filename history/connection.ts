/** Borrowing a connection: each error comes out as one of ours, and a connection in doubt never goes back into the pool. */
import type pg from 'pg';
import { fromPg, HistoryRefused, isTransactionVictim } from './errors.ts';

/** How often a transaction that lost to another one (deadlock, serialization) is run again at once. */
const TRANSACTION_ATTEMPTS = 4;

/**
 * Each statement sees what others committed before it: the writes rely on it after they have locked a row. A server that
 * answers before a commit is safe on disk is told to wait, as a finalizer is taken off on the strength of that answer.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`;

export interface QueryOptions {
  timeoutMs: number;
  /** One name for one text: then each connection has the server read and plan it once. Only for what is asked all the time. */
  name?: string;
}

/** What work inside a connection may do. `pg` knows more types than a query here needs. */
export interface Session {
  query<Row extends object>(
    text: string,
    values?: unknown[],
    o?: QueryOptions,
  ): Promise<{ rows: Row[]; rowCount: number }>;
}

/** Runs `work` on one connection. @throws {HistoryUnavailable | HistoryRefused} and what `work` throws itself. */
export async function withSession<T>(pool: pg.Pool, work: (session: Session) => Promise<T>): Promise<T> {
  return borrow(pool, (client) => work(sessionOf(client, fromPg)));
}

/** Runs `work` in one transaction: all of it or nothing. It may run more than once, so it must have no other effects. */
export async function inTransaction<T>(pool: pg.Pool, work: (session: Session) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await borrow(pool, async (client) => {
        const session = sessionOf(client, (error) => error);
        await session.query(BEGIN);
        try {
          const result = await work(session);
          await session.query('COMMIT');
          return result;
        } catch (error) {
          // Else the connection is thrown away, and the server rolls back by itself; one that hangs must not be asked again.
          if (isRefusal(error)) await session.query('ROLLBACK');
          throw error;
        }
      });
    } catch (error) {
      if (isTransactionVictim(error) && attempt < TRANSACTION_ATTEMPTS) continue;
      throw isOfPg(error) ? fromPg(error) : error;
    }
  }
}

/** Marks what came out of `pg`, so that an error of our own code is never taken for trouble with Postgres. */
const ofPg = new WeakSet<object>();
const isOfPg = (error: unknown): boolean => typeof error === 'object' && error !== null && ofPg.has(error);
const isRefusal = (error: unknown): boolean =>
  error instanceof HistoryRefused || (isOfPg(error) && fromPg(error) instanceof HistoryRefused);
const marked = (error: unknown): object => {
  const object = error instanceof Error ? error : new Error(String(error));
  ofPg.add(object);
  return object;
};

function sessionOf(client: pg.PoolClient, translate: (error: unknown) => unknown): Session {
  return {
    async query<Row extends object>(text: string, values?: unknown[], o?: QueryOptions) {
      try {
        const query: pg.QueryConfig & { query_timeout?: number } = { text };
        if (values !== undefined) query.values = values;
        if (o !== undefined) query.query_timeout = o.timeoutMs;
        if (o?.name !== undefined) query.name = o.name;
        const result = await client.query<Row>(query);
        return { rows: result.rows, rowCount: result.rowCount ?? 0 };
      } catch (error) {
        throw translate(marked(error));
      }
    },
  };
}

async function borrow<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw fromPg(error);
  }
  let broken = false;
  // A connection that dies while it is borrowed emits an error beside the rejected query; unheard, it would end the process.
  const onError = (): void => {
    broken = true;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    // A timed-out or cut connection may still be busy; only after a plain refusal it is known to be idle.
    broken ||= !isRefusal(error);
    throw error;
  } finally {
    client.removeListener('error', onError);
    client.release(broken);
  }
}

/**
 * One drainer per cluster: a session-level advisory lock of Postgres on a connection of its own. Whoever holds it notices within seconds
 * that its connection died, sooner than Postgres gives the lock to another; statements that rely on it can prove it (HOLDS_LOCK).
 * What is done while it is held is the caller's, and has to do no harm when two do it for a moment.
 */
import type pg from 'pg';
import { fromPg } from './errors.ts';
import type { Log } from './log.ts';

/** How often it is tried for while another holds it. */
const TRY_EVERY_MS = 2_000;
/** How often the connection is asked whether it lives, and how long it may take to say so. */
const BEAT_EVERY_MS = 1_000;
const BEAT_TIMEOUT_MS = 2_000;
/** Without a word of Postgres for so long it is not believed to be held: this process may have been paused. */
const TRUST_MS = 4_000;
/** Tells our locks from those of others in the same database. */
const SEED = 7_142_019_002;

/** Channel on which it is said, by scope, that something was put into an inbox. */
export const NEWS = 'funnelai_inbox';
/** What is said on it, by whoever calls himself so, in one word. */
export const newsOf = (scope: string, from = ''): string => `${from} ${scope}`;

/** Does the backend with process id `pid` hold the drain lock of `scope`? Both are parameters of the statement that this stands in. */
export const HOLDS_LOCK = (scope: string, pid: string): string => `EXISTS (
  SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = ${pid}::integer
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(${scope}::text, ${SEED}))`;
// The server, too, has to notice when a peer is gone without a word; later than the peer itself does.
const PREPARE = `SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; LISTEN ${NEWS}`;
const TRY = `SELECT pg_try_advisory_lock(hashtextextended($1, ${SEED})) AS held, pg_backend_pid() AS pid`;
const GIVE_BACK = `SELECT pg_advisory_unlock(hashtextextended($1, ${SEED}))`;

export interface DrainLock {
  held(): boolean;
  /** Process id of the backend that holds it, for HOLDS_LOCK; undefined while it is not held. */
  holder(): number | undefined;
  /** Calls `listener` after each change; returns what ends that. */
  subscribe(listener: (held: boolean) => void): () => void;
  /** Tries for it until `stop`. */
  start(): void;
  /** Gives it back. */
  stop(): Promise<void>;
}
export interface DrainLockOptions {
  /** One of its connections is taken for good. */
  pool: pg.Pool;
  clock: { monotonicMs(): number; after(ms: number, fn: () => void): () => void };
  log: Log;
  /** Who has the same scope excludes each other: the cluster. */
  scope: string;
  /** Hears on its connection of what others put into the inbox of this scope: soon, and not of all. */
  onNews?: () => void;
  /** Who puts there under this name is not heard. */
  self?: string;
}

export function createDrainLock({ pool, clock, log, scope, self, onNews = () => {} }: DrainLockOptions): DrainLock {
  const listeners = new Set<(held: boolean) => void>();
  let connection: pg.PoolClient | undefined;
  let pid: number | undefined;
  let confirmedAtMs = 0;
  let told = false;
  let stopped = true;
  let isAway = false;
  let cancel = () => {};
  let turn: Promise<void> = Promise.resolve();

  const held = () => pid !== undefined && clock.monotonicMs() - confirmedAtMs < TRUST_MS;

  function tell(): void {
    const now = held();
    if (now === told) return;
    told = now;
    log.info({ scope }, now ? 'took the drain lock' : 'the drain lock is not held any more');
    for (const listener of [...listeners]) listener(now);
  }

  function drop(): void {
    const lost = connection;
    connection = undefined;
    pid = undefined;
    // With the connection the server gives the lock up, too.
    lost?.release(true);
    tell();
  }

  async function connect(): Promise<pg.PoolClient> {
    const client = await pool.connect();
    const onLost = (): void => {
      if (connection === client) drop();
    };
    client.on('error', onLost);
    client.on('end', onLost);
    client.on('notification', ({ channel, payload }) => {
      const [from] = payload?.split(' ', 1) ?? [];
      // Of its own news a replica knows more than they say.
      if (channel === NEWS && payload === newsOf(scope, from) && from !== self) onNews();
    });
    connection = client;
    await ask(client, PREPARE);
    return client;
  }

  const ask = async <Row extends object>(client: pg.PoolClient, text: string, values?: unknown[]): Promise<Row[]> => {
    const query: pg.QueryConfig & { query_timeout?: number } = { text, query_timeout: BEAT_TIMEOUT_MS };
    if (values !== undefined) query.values = values;
    return (await client.query(query)).rows as Row[];
  };

  /** One beat: the lock is tried for, or the connection that holds it asked whether it lives. */
  async function beat(): Promise<void> {
    const askedAtMs = clock.monotonicMs();
    try {
      const client = connection ?? (await connect());
      if (pid === undefined) {
        const [row] = await ask<{ held: boolean; pid: number }>(client, TRY, [scope]);
        // It may have died while the answer was on its way to us.
        if (row?.held === true && connection === client) pid = row.pid;
      } else await ask(client, 'SELECT 1');
      confirmedAtMs = askedAtMs;
      isAway = false;
      tell();
    } catch (error) {
      if (!isAway) log.warn({ scope, why: fromPg(error).message }, 'the drain lock cannot be asked for');
      isAway = true;
      drop();
    }
  }

  function arm(): void {
    if (stopped) return;
    cancel = clock.after(pid === undefined ? TRY_EVERY_MS : BEAT_EVERY_MS, () => {
      turn = beat().then(arm);
    });
  }

  return {
    held,
    holder: () => (held() ? pid : undefined),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start() {
      if (!stopped) return;
      stopped = false;
      turn = beat().then(arm);
    },
    async stop() {
      stopped = true;
      cancel();
      await turn;
      if (connection !== undefined && pid !== undefined) await ask(connection, GIVE_BACK, [scope]).catch(() => {});
      drop();
    },
  };
}

/**
 * Knows whether the database has all tables that this webhook needs: the operator makes them when it starts, and may start later, or be of an
 * older version. Says so once, and once when it is over; never throws.
 */
import type { Schema } from '@funnelai/history/schema';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { SCHEMA_LOOK_MS } from '../limits.ts';
import { createListeners } from '../listeners.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { createLooking } from './looking.ts';

export interface SchemaWatch {
  /** Does it lack migrations? Not while that cannot be read. */
  isBehind(): boolean;
  /** Does it have the migration of this number? What is not known is taken to be there. */
  has(migration: number): boolean;
  /** Calls `listener` when the answers change. */
  subscribe(listener: () => void): () => void;
  start(): void;
  stop(): Promise<void>;
}
export interface SchemaWatchDeps {
  read(): Promise<Schema>;
  clock: Clock;
  log: Log;
  metrics: Pick<WebhookMetrics, 'schemaBehind'>;
}

export function createSchemaWatch({ read, clock, log, metrics }: SchemaWatchDeps): SchemaWatch {
  const { tell, subscribe } = createListeners();
  let schema: Schema | undefined;
  let isUnread = false;
  const lacksAny = () => schema !== undefined && schema.found < schema.known;

  async function look(): Promise<void> {
    try {
      const next = await read();
      const isNews = isUnread || next.found !== schema?.found;
      isUnread = false;
      if (isNews) learn(next);
    } catch (error) {
      if (isUnread) return;
      isUnread = true;
      log.warn({ why: messageOf(error) }, 'which migrations the history database has cannot be read');
      tell();
    }
  }

  function learn(next: Schema): void {
    const [before, lacked] = [schema, lacksAny()];
    schema = next;
    metrics.schemaBehind(Math.max(0, next.known - next.found));
    tell();
    if (next.found === before?.found) return;
    if (lacksAny())
      log.error(
        next,
        `the history database has migration ${next.found} and this webhook needs ${next.known}: until an operator of this version has started, which runs them, further alerts of a source at its bound wait in the inbox, and where it has none yet are answered 503, and not all of history can be shown`,
      );
    else if (lacked) log.info(next, 'the history database has all migrations that this webhook needs');
  }

  return {
    isBehind: () => lacksAny() && !isUnread,
    has: (migration) => schema === undefined || schema.found >= migration,
    subscribe,
    ...createLooking(clock, SCHEMA_LOOK_MS, look),
  };
}

/** Where no database was named, nothing is missing in it. */
export const noSchemaWatch: SchemaWatch = {
  isBehind: () => false,
  has: () => true,
  subscribe: () => () => {},
  start() {},
  async stop() {},
};

/**
 * Says to people whether alerts take the long way now (by the inbox, because the API server does not take them, or late out of it), and what
 * does not work: that none is stored at all, that Postgres is away, or that some are turned away for want of room.
 */

import type { IntakeSpare } from '@funnelai/domain/wire';
import type { Clock } from '@funnelai/kube/clock';
import type { TurnedAway } from '../intake/turned-away.ts';
import { DATABASE_AWAY_SAID_AFTER_MS, INBOX_LATE_MS, SPARE_SAID_EVERY_MS } from '../limits.ts';
import { createListeners } from '../listeners.ts';
import type { ApiServer } from './api-server.ts';
import type { Inbox } from './inbox.ts';
import { noSchemaWatch, type SchemaWatch } from './schema-watch.ts';

export interface Spare {
  /** Undefined while all is well: alerts go straight to etcd, and Postgres is there, if one was named. */
  now(): IntakeSpare | undefined;
  /** Calls `listener` when that changes, and now and then while it lasts. */
  subscribe(listener: (spare: IntakeSpare | undefined) => void): () => void;
}
export const noSpare: Spare = { now: () => undefined, subscribe: () => () => {} };

export interface SpareDeps {
  api: Pick<ApiServer, 'isAway' | 'subscribe'>;
  inbox: Pick<Inbox, 'depth' | 'takes' | 'isAway' | 'subscribe'>;
  turnedAway: Pick<TurnedAway, 'lately' | 'subscribe'>;
  schema: Pick<SchemaWatch, 'isBehind' | 'subscribe'>;
  clock: Clock;
}

/** Where no database was named there is no inbox, and nobody asks whether the API server takes alerts before they come. */
export const createSpareWithoutDatabase = (deps: Pick<SpareDeps, 'turnedAway' | 'clock'>): Spare =>
  createSpare({
    ...deps,
    schema: noSchemaWatch,
    api: { isAway: () => false, subscribe: () => () => {} },
    inbox: { depth: () => undefined, takes: () => false, isAway: () => false, subscribe: () => () => {} },
  });

export function createSpare({ api, inbox, turnedAway, schema, clock }: SpareDeps): Spare {
  const { tell, subscribe } = createListeners<[spare: IntakeSpare | undefined]>();
  let last: IntakeSpare | undefined;
  let saidAtMs = Number.NEGATIVE_INFINITY;
  /** Since when Postgres is away. */
  let gone: { ms: number; since: string } | undefined;

  function why(): IntakeSpare['why'] | undefined {
    if (api.isAway()) return inbox.takes() ? 'apiServerAway' : 'bothAway';
    // Tables that are missing are asked for in vain, too.
    if (schema.isBehind()) return 'databaseOld';
    if (gone !== undefined && clock.monotonicMs() - gone.ms >= DATABASE_AWAY_SAID_AFTER_MS) return 'databaseAway';
    // Of an inbox that does not answer nobody knows what it holds.
    if (gone === undefined && (inbox.depth()?.oldestAgeMs ?? 0) > INBOX_LATE_MS) return 'late';
    return turnedAway.lately() ? 'full' : undefined;
  }

  function look(): void {
    const now = clock.now().toString();
    gone = inbox.isAway() ? (gone ?? { ms: clock.monotonicMs(), since: now }) : undefined;
    const before = last;
    last = spareOf(why(), before, now);
    const isSame = last?.why === before?.why && last?.isRefusing === before?.isRefusing;
    const nowMs = clock.monotonicMs();
    if (isSame && (last === undefined || nowMs - saidAtMs < SPARE_SAID_EVERY_MS)) return;
    saidAtMs = nowMs;
    tell(last);
  }

  function spareOf(
    why: IntakeSpare['why'] | undefined,
    before: IntakeSpare | undefined,
    now: string,
  ): IntakeSpare | undefined {
    if (why === undefined) return undefined;
    const isSameMatter = before !== undefined && MATTER[before.why] === MATTER[why];
    const began = MATTER[why] === 'database' ? (gone?.since ?? now) : now;
    return {
      why,
      waiting: inbox.depth()?.rows ?? 0,
      since: isSameMatter ? before.since : began,
      ...(MATTER[why] === 'database' && turnedAway.lately() && { isRefusing: true }),
    };
  }
  api.subscribe(look);
  inbox.subscribe(look);
  turnedAway.subscribe(look);
  schema.subscribe(look);

  return {
    now: () => last,
    subscribe,
  };
}

/** While one goes over into another of the same matter, that has one beginning. */
const MATTER: Readonly<Record<IntakeSpare['why'], string>> = {
  apiServerAway: 'detour',
  late: 'detour',
  bothAway: 'nothing is stored',
  databaseAway: 'database',
  databaseOld: 'database',
  full: 'room',
};

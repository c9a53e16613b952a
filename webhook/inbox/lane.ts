/**
 * How many writes of alerts may be under way to the API server, learned from how long they take: so few that none waits long, whatever
 * it bears. Who waits has his turn by fair-queue.ts; who finds it full takes the inbox: after a while in calm, soon once somebody had to, for
 * then more comes than it bears. While the inbox is being drained half of it belongs to the drain, or what came first would come last. Pure
 * but for the queue of those who wait.
 */
import type { Clock } from '@funnelai/kube/clock';
import { type Entry, FairQueue, NEW_RANKS, type Place } from '../intake/fair-queue.ts';
import { LANE_CALM_AFTER_MS, LANE_WAITING, LANE_WAITING_CALM, STORES_IN_FLIGHT } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';

/**
 * A write that takes longer than this, and than so many times the quickest of the last minute, says that too many are under way: where each
 * takes long by nature, as on a cluster far away, fewer would not make them quicker.
 */
export const LANE_TARGET_MS = 40;
const TIMES_THE_QUICKEST = 3;
const MOST_TARGET_MS = 300;
const WINDOW_MS = 30_000;
const FIRST_LIMIT = 16;
const LEAST_LIMIT = 4;
/** One shrinking at a time: all that was under way then says the same. */
const SHRINK_APART_MS = 250;
const SHRINK_BY = 0.8;

export interface LaneLimit {
  /** Its whole part counts. */
  limit: number;
  shrunkAtMs: number;
  /** The quickest write of this window of time, and of the one before. */
  quickestMs: number;
  quickestBeforeMs: number;
  windowAtMs: number;
}
export const NEW_LIMIT: LaneLimit = {
  limit: FIRST_LIMIT,
  shrunkAtMs: Number.NEGATIVE_INFINITY,
  quickestMs: Number.POSITIVE_INFINITY,
  quickestBeforeMs: Number.POSITIVE_INFINITY,
  windowAtMs: Number.NEGATIVE_INFINITY,
};

/** The limit after a write that took so long; `wasFull`: only then more could have been of use. */
export function learned(before: LaneLimit, tookMs: number, wasFull: boolean, nowMs: number): LaneLimit {
  const lane = withQuickest(before, tookMs, nowMs);
  const quickest = Math.min(lane.quickestMs, lane.quickestBeforeMs);
  if (tookMs > Math.min(MOST_TARGET_MS, Math.max(LANE_TARGET_MS, TIMES_THE_QUICKEST * quickest))) {
    if (nowMs - lane.shrunkAtMs < SHRINK_APART_MS) return lane;
    return { ...lane, limit: Math.max(LEAST_LIMIT, lane.limit * SHRINK_BY), shrunkAtMs: nowMs };
  }
  return wasFull ? { ...lane, limit: Math.min(STORES_IN_FLIGHT, lane.limit + 1 / lane.limit) } : lane;
}

function withQuickest(lane: LaneLimit, tookMs: number, nowMs: number): LaneLimit {
  if (nowMs - lane.windowAtMs < WINDOW_MS) return tookMs < lane.quickestMs ? { ...lane, quickestMs: tookMs } : lane;
  return { ...lane, quickestMs: tookMs, quickestBeforeMs: lane.quickestMs, windowAtMs: nowMs };
}

/** Gives a place back; one that was not used says nothing about the API server. */
export type Leave = (o?: { isUnused: boolean }) => void;

export interface LaneWait {
  /** It stands at the end of more of the same where absent. */
  place?: Place | undefined;
  /** Waits as long as `signal` allows where absent. */
  waitMs?: number;
  /** The same while all that comes is borne; `waitMs` where absent. */
  calmWaitMs?: number;
  /** The same for what is new among those that wait; `waitMs` where absent. */
  newWaitMs?: number;
  signal?: AbortSignal;
}

export interface Lane {
  /** Resolves with what gives the place back, or undefined when none was to be had in time. */
  enter(o: LaneWait): Promise<Leave | undefined>;
  /** Likewise for the drain, which never waits. */
  enterDrain(): Leave | undefined;
  /** There is, or is not any more, something to drain: half of the places are kept for it. */
  drains(hasWork: boolean): void;
  readonly limit: number;
}

interface Waiter {
  sinceMs: number;
  go(entry: Entry<Waiter>): void;
}

const ANYWHERE: Place = { source: '', name: '', request: 0, severity: 'Info', isNew: false };
const NOT_COUNTED: Pick<WebhookMetrics, 'waiting' | 'waited'> = { waiting: () => {}, waited: () => {} };

export function createLane(o: { clock: Clock; metrics?: Pick<WebhookMetrics, 'waiting' | 'waited'> }): Lane {
  const { clock, metrics = NOT_COUNTED } = o;
  const queue = new FairQueue<Waiter>();
  let state = NEW_LIMIT;
  let live = 0;
  let drain = 0;
  let hasDrain = false;
  let turnedAwayAtMs = Number.NEGATIVE_INFINITY;

  const places = () => Math.floor(state.limit);
  const kept = () => (hasDrain ? Math.max(drain, Math.floor(places() / 2)) : drain);
  const hasRoom = () => live + kept() < places();
  const isCalm = () => !hasDrain && clock.monotonicMs() - turnedAwayAtMs >= LANE_CALM_AFTER_MS;
  const count = ({ rank }: Entry<Waiter>) => metrics.waiting(rank, queue.waitingIn(rank));

  function place(entry: Entry<Waiter> | undefined): Leave {
    if (entry !== undefined) live += 1;
    else drain += 1;
    const beganMs = clock.monotonicMs();
    const wasFull = live + drain >= places();
    return (left) => {
      if (entry !== undefined) {
        live -= 1;
        queue.done(entry);
      } else drain -= 1;
      const nowMs = clock.monotonicMs();
      if (left?.isUnused !== true) state = learned(state, nowMs - beganMs, wasFull, nowMs);
      admit();
    };
  }
  function admit(): void {
    while (hasRoom()) {
      const entry = queue.next();
      if (entry === undefined) return;
      count(entry);
      metrics.waited(entry.rank, (clock.monotonicMs() - entry.item.sinceMs) / 1_000);
      entry.item.go(entry);
    }
  }

  return {
    enter({ place: where = ANYWHERE, waitMs, calmWaitMs = waitMs, newWaitMs = waitMs, signal }) {
      return new Promise((resolve) => {
        let cancel = () => {};
        const end = () => {
          cancel();
          signal?.removeEventListener('abort', giveUp);
        };
        const go = (its: Entry<Waiter>) => {
          end();
          resolve(place(its));
        };
        const entry = queue.add(where, { sinceMs: clock.monotonicMs(), go });
        const giveUp = () => {
          queue.drop(entry);
          count(entry);
          end();
          resolve(undefined);
        };
        const turnAway = () => {
          turnedAwayAtMs = clock.monotonicMs();
          giveUp();
        };
        count(entry);
        const isNew = entry.rank < NEW_RANKS;
        const calm = isCalm();
        const mayWaitMs = isNew ? newWaitMs : calm ? calmWaitMs : waitMs;
        const mayWait = isNew ? LANE_WAITING : calm ? LANE_WAITING_CALM : places();
        if (signal?.aborted) return giveUp();
        // So many are ahead of it that waiting would only make it late.
        if (mayWaitMs !== undefined && queue.size > mayWait && !hasRoom()) return turnAway();
        if (mayWaitMs !== undefined) cancel = clock.after(mayWaitMs, turnAway);
        signal?.addEventListener('abort', giveUp, { once: true });
        admit();
      });
    },
    enterDrain() {
      // At least one, or a full lane would hold up what came first for ever.
      const most = Math.max(1, queue.size > 0 ? Math.floor(places() / 2) : places() - live);
      return drain < most ? place(undefined) : undefined;
    },
    drains(hasWork) {
      hasDrain = hasWork;
      if (!hasWork) admit();
    },
    get limit() {
      return places();
    },
  };
}

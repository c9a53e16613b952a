/**
 * How many writes of alerts may be under way to the API server, learned from how long they take: so few that none waits long, whatever
 * it bears. Who finds it full hears so soon and takes the inbox. While the inbox is being drained half of it belongs to the drain, or what
 * came first would come last. Pure but for the queue of those who wait.
 */
import type { Clock } from '@funnelai/kube/clock';
import { STORES_IN_FLIGHT } from '../limits.ts';

/** A write that takes longer says that too many are under way. */
export const LANE_TARGET_MS = 80;
const FIRST_LIMIT = 16;
const LEAST_LIMIT = 4;
/** One shrinking at a time: all that was under way then says the same. */
const SHRINK_APART_MS = 250;
const SHRINK_BY = 0.8;

export interface LaneLimit {
  /** Its whole part counts. */
  limit: number;
  shrunkAtMs: number;
}
export const NEW_LIMIT: LaneLimit = { limit: FIRST_LIMIT, shrunkAtMs: Number.NEGATIVE_INFINITY };

/** The limit after a write that took so long; `wasFull`: only then more could have been of use. */
export function learned(lane: LaneLimit, tookMs: number, wasFull: boolean, nowMs: number): LaneLimit {
  if (tookMs > LANE_TARGET_MS) {
    if (nowMs - lane.shrunkAtMs < SHRINK_APART_MS) return lane;
    return { limit: Math.max(LEAST_LIMIT, lane.limit * SHRINK_BY), shrunkAtMs: nowMs };
  }
  return wasFull ? { ...lane, limit: Math.min(STORES_IN_FLIGHT, lane.limit + 1 / lane.limit) } : lane;
}

/** Gives a place back; one that was not used says nothing about the API server. */
export type Leave = (o?: { isUnused: boolean }) => void;

export interface Lane {
  /**
   * Resolves with what gives the place back, or undefined when none was to be had in `waitMs`. Without `waitMs` it waits as long as
   * `signal` allows.
   */
  enter(o: { waitMs?: number; signal?: AbortSignal }): Promise<Leave | undefined>;
  /** Likewise for the drain, which never waits. */
  enterDrain(): Leave | undefined;
  /** There is, or is not any more, something to drain: half of the places are kept for it. */
  drains(hasWork: boolean): void;
  readonly limit: number;
}

export function createLane({ clock }: { clock: Clock }): Lane {
  let state = NEW_LIMIT;
  let live = 0;
  let drain = 0;
  let hasDrain = false;
  const waiting = new Set<() => void>();

  const places = () => Math.floor(state.limit);
  const kept = () => (hasDrain ? Math.max(drain, Math.floor(places() / 2)) : drain);
  const hasRoom = () => live + kept() < places();

  function place(kind: 'live' | 'drain'): Leave {
    if (kind === 'live') live += 1;
    else drain += 1;
    const beganMs = clock.monotonicMs();
    const wasFull = live + drain >= places();
    return (o) => {
      if (kind === 'live') live -= 1;
      else drain -= 1;
      const nowMs = clock.monotonicMs();
      if (o?.isUnused !== true) state = learned(state, nowMs - beganMs, wasFull, nowMs);
      admit();
    };
  }
  function admit(): void {
    for (const go of waiting) {
      if (!hasRoom()) return;
      waiting.delete(go);
      go();
    }
  }

  return {
    enter({ waitMs, signal }) {
      if (hasRoom() && waiting.size === 0) return Promise.resolve(place('live'));
      // So many are ahead of it that each place has been given away: waiting would only make it late.
      if (waitMs !== undefined && waiting.size >= places()) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const end = () => {
          cancel();
          signal?.removeEventListener('abort', giveUp);
        };
        const giveUp = () => {
          waiting.delete(go);
          end();
          resolve(undefined);
        };
        const go = () => {
          end();
          resolve(place('live'));
        };
        const cancel = waitMs === undefined ? () => {} : clock.after(waitMs, giveUp);
        signal?.addEventListener('abort', giveUp, { once: true });
        waiting.add(go);
        if (signal?.aborted) giveUp();
      });
    },
    enterDrain() {
      // At least one, or a full lane would hold up what came first for ever.
      const most = Math.max(1, waiting.size > 0 ? Math.floor(places() / 2) : places() - live);
      return drain < most ? place('drain') : undefined;
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

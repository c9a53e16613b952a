/**
 * Which sources are left alone for a while because several writes in a row failed of them, as with a quota that is used up, and after that
 * asked about with one write at a time; and which of their alert names, so that those of one that a policy refuses hold up no others. Pure.
 */
import { backoffMs } from '@funnelai/kube/backoff';
import { DRAIN_FAILURES_TO_PAUSE, DRAIN_NAMES_FAILING, DRAIN_RETRY_MAX_MS, DRAIN_RETRY_MS } from '../limits.ts';

/** What a write is of. */
export interface Kind {
  /** "namespace/name" of its source. */
  place: string;
  /** Its alert name. */
  name: string;
}

export interface Pausing {
  /** Is it left alone now, or does it wait for the one write with which it is asked about? */
  waits(kind: Kind, nowMs: number): 'paused' | 'onTrial' | undefined;
  /** Has none of that name failed since one went well? */
  isFresh(kind: Kind): boolean;
  /** Sources that are tried after a pause, and of which these hold a name that had no part in it: that one is asked about first. */
  withFresh(kinds: () => Iterable<Kind>): ReadonlySet<string>;
  began(kind: Kind): void;
  /** `isGood` undefined: nothing was learned of it. True when this began a pause of the source after a time without any. */
  ended(kind: Kind, isGood: boolean | undefined, nowMs: number): boolean;
  /** Sources that are. */
  paused(nowMs: number): string[];
}

interface Trouble {
  failures: number;
  untilMs: number;
  underWay: number;
}
const NONE: Trouble = { failures: 0, untilMs: Number.NEGATIVE_INFINITY, underWay: 0 };

export function createPausing(random?: () => number): Pausing {
  const places = new Map<string, Trouble & { names: Map<string, Trouble> }>();
  const isTroubled = ({ failures }: Trouble) => failures >= DRAIN_FAILURES_TO_PAUSE;
  const isPaused = (place: string, nowMs: number) => (places.get(place)?.untilMs ?? nowMs) > nowMs;

  function fail(one: Trouble, nowMs: number): void {
    // Begun beside those that began the pause: together they say no more.
    if (one.untilMs > nowMs) return;
    one.failures += 1;
    const over = one.failures - DRAIN_FAILURES_TO_PAUSE;
    const options = { baseMs: DRAIN_RETRY_MS, maxMs: DRAIN_RETRY_MAX_MS, ...(random === undefined ? {} : { random }) };
    if (over >= 0) one.untilMs = nowMs + backoffMs(over + 1, options);
  }

  const isFresh = ({ place, name }: Kind) => places.get(place)?.names.has(name) !== true;

  return {
    waits({ place, name }, nowMs) {
      const held = places.get(place);
      const troubles = [held, held?.names.get(name)].filter((one) => one !== undefined).filter(isTroubled);
      if (troubles.some(({ untilMs }) => untilMs > nowMs)) return 'paused';
      return troubles.some(({ underWay }) => underWay > 0) ? 'onTrial' : undefined;
    },
    isFresh,
    withFresh(kinds) {
      const found = new Set<string>();
      if (![...places.values()].some(isTroubled)) return found;
      for (const kind of kinds())
        if (isTroubled(places.get(kind.place) ?? NONE) && isFresh(kind)) found.add(kind.place);
      return found;
    },
    began({ place, name }) {
      const held = places.get(place);
      if (held === undefined) return;
      held.underWay += 1;
      const own = held.names.get(name);
      if (own !== undefined) own.underWay += 1;
    },
    ended({ place, name }, isGood, nowMs) {
      const held = places.get(place) ?? { ...NONE, names: new Map<string, Trouble>() };
      const own = held.names.get(name) ?? { ...NONE };
      for (const one of [held, own]) one.underWay = Math.max(0, one.underWay - 1);
      if (isGood === undefined) return false;
      if (isGood) {
        held.names.delete(name);
        held.failures = 0;
        held.untilMs = NONE.untilMs;
        if (held.names.size === 0) places.delete(place);
        return false;
      }
      const before = isTroubled(held);
      fail(held, nowMs);
      fail(own, nowMs);
      if (held.names.has(name) || held.names.size < DRAIN_NAMES_FAILING) held.names.set(name, own);
      places.set(place, held);
      return !before && isTroubled(held);
    },
    paused: (nowMs) => [...places.keys()].filter((place) => isPaused(place, nowMs)),
  };
}

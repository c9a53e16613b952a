/** Chance that is the same in each run: a story that a seed told once, it tells again. */

export interface Dice {
  /** A whole number from 0 to `sides - 1`. */
  roll(sides: number): number;
  /** One of these; throws RangeError when there is none. */
  pick<T>(from: readonly T[]): T;
  /** True once in `times`. */
  oneIn(times: number): boolean;
}

/** mulberry32. */
export function createDice(seed: number): Dice {
  let state = (seed + 0x6d2b79f5) | 0;
  const roll = (sides: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
  return {
    roll,
    pick(from) {
      const index = from.length === 0 ? -1 : roll(from.length);
      const found = from[index];
      if (found === undefined) throw new RangeError('nothing to pick from');
      return found;
    },
    oneIn: (times) => roll(times) === 0,
  };
}

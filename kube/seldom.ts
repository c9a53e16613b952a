/** Keeps a log readable while thousands of things fail for one reason: the first few are said, the rest are counted. */
import type { Clock } from './clock.ts';

/** Said in full in each period, for each reason. */
const MOST = 5;
const PERIOD_MS = 60_000;
/** Reasons that are told apart; past it they share one count. */
const MOST_REASONS = 100;

export interface Seldom {
  /** Undefined when it is to be left unsaid; else how often that has happened to this reason before. */
  say(reason: string): { unsaid: number } | undefined;
}

export function createSeldom(clock: Clock): Seldom {
  const reasons = new Map<string, { sinceMs: number; said: number; unsaid: number }>();
  return {
    say(reason) {
      const now = clock.monotonicMs();
      const key = reasons.has(reason) || reasons.size < MOST_REASONS ? reason : 'others';
      let entry = reasons.get(key);
      if (entry === undefined) {
        entry = { sinceMs: now, said: 0, unsaid: 0 };
        reasons.set(key, entry);
      }
      if (now - entry.sinceMs >= PERIOD_MS) {
        entry.sinceMs = now;
        entry.said = 0;
      }
      if (entry.said >= MOST) {
        entry.unsaid++;
        return undefined;
      }
      entry.said++;
      const { unsaid } = entry;
      entry.unsaid = 0;
      return { unsaid };
    },
  };
}

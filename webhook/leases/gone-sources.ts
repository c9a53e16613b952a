/**
 * Which AlertSources are gone for good: nobody can report any more what fires under them. Whoever makes one anew within minutes, as tools
 * do that replace an object, loses nothing. Pure but for its memory.
 */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { SOURCE_GONE_MS } from '../limits.ts';
import type { Known } from './decide.ts';

export interface GoneSources {
  /** Begins a pass; forgets all when the clock was set back, and what nobody has asked about for as long as it takes to be gone. */
  begin(known: Pick<Known, 'untilMs'>): void;
  /** Of a source as it is now: undefined when it is not there. */
  isGone(namespace: string, name: string, source: AlertSource | undefined): boolean;
}

export function createGoneSources(): GoneSources {
  const missing = new Map<string, { sinceMs: number; askedMs: number }>();
  let nowMs = 0;
  return {
    begin({ untilMs }) {
      if (untilMs < nowMs) missing.clear();
      nowMs = untilMs;
      for (const [key, { askedMs }] of missing) if (nowMs - askedMs >= SOURCE_GONE_MS) missing.delete(key);
    },
    isGone(namespace, name, source) {
      const key = `${namespace}/${name}`;
      if (source !== undefined) {
        missing.delete(key);
        return false;
      }
      const sinceMs = missing.get(key)?.sinceMs ?? nowMs;
      missing.set(key, { sinceMs, askedMs: nowMs });
      return nowMs - sinceMs >= SOURCE_GONE_MS;
    },
  };
}

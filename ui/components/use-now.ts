/** One clock for all that shows an age: components that ask for the same grain share one timer and render together. */
import { useCallback, useSyncExternalStore } from 'react';

interface Ticker {
  now: number;
  listeners: Set<() => void>;
  timer: ReturnType<typeof setInterval>;
}
const tickers = new Map<number, Ticker>();

function subscribe(everyMs: number, listener: () => void): () => void {
  let ticker = tickers.get(everyMs);
  if (ticker === undefined) {
    const created: Ticker = {
      now: Date.now(),
      listeners: new Set(),
      timer: setInterval(() => {
        created.now = Date.now();
        for (const tell of created.listeners) tell();
      }, everyMs),
    };
    ticker = created;
    tickers.set(everyMs, ticker);
  }
  const joined = ticker;
  joined.listeners.add(listener);
  return () => {
    joined.listeners.delete(listener);
    if (joined.listeners.size > 0) return;
    clearInterval(joined.timer);
    tickers.delete(everyMs);
  };
}

/** Now in epoch milliseconds, brought up to date every `everyMs`. */
export function useNow(everyMs = 15_000): number {
  const listen = useCallback((listener: () => void) => subscribe(everyMs, listener), [everyMs]);
  return useSyncExternalStore(listen, () => tickers.get(everyMs)?.now ?? Math.floor(Date.now() / everyMs) * everyMs);
}

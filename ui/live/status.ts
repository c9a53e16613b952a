/** Whether what is on screen is live, for everyone who shows it. */
import { useSyncExternalStore } from 'react';

export type LiveStatus =
  | { state: 'connecting' }
  | { state: 'live' }
  /** This person may watch nothing here. */
  | { state: 'forbidden' }
  /** `since` in epoch milliseconds. */
  | { state: 'down'; since: number; reason: string };

let current: LiveStatus = { state: 'connecting' };
const listeners = new Set<() => void>();

export const liveStatus = (): LiveStatus => current;

/** Sets the state for all; a loss keeps the time at which it began. */
export function setLiveStatus(next: LiveStatus): void {
  if (next.state === current.state && next.state !== 'down') return;
  current =
    next.state === 'down' && current.state === 'down' ? { ...next, since: Math.min(next.since, current.since) } : next;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** The state, and a new render whenever it changes. */
export const useLiveStatus = (): LiveStatus => useSyncExternalStore(subscribe, liveStatus);

/** Whether alerts come in by the long way now, as the stream last said it, for everyone who shows it. */
import type { IntakeSpare } from '@funnelai/domain/wire';
import { useSyncExternalStore } from 'react';

let current: IntakeSpare | undefined;
const listeners = new Set<() => void>();

export function setSpare(next: IntakeSpare | undefined): void {
  if (current === next) return;
  current = next;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useSpare = (): IntakeSpare | undefined => useSyncExternalStore(subscribe, () => current);

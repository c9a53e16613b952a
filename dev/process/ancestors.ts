/** Notices that whoever started us is gone: a kill -9 of npm sends us no signal, and a service without its owner is an orphan. */
import { startStampOf } from './identity.ts';

const POLL_MS = 500;

/** Calls `onGone` once when one of the processes that the bootstrap named has ended. Answers with how to stop watching. */
export function watchAncestors(named: string | undefined, onGone: () => void): () => void {
  const stamps = new Map(
    (named ?? '')
      .split(',')
      .map(Number)
      .filter((pid) => pid > 1)
      .map((pid) => [pid, startStampOf(pid)] as const),
  );
  if (stamps.size === 0) return () => undefined;
  const timer = setInterval(() => {
    for (const [pid, stamp] of stamps) {
      if (startStampOf(pid) === stamp && stamp !== undefined) continue;
      clearInterval(timer);
      onGone();
      return;
    }
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

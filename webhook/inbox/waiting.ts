/** Which faults have reports in the inbox: those that this replica has put there, and those that a look found there. Pure bookkeeping. */
import { INBOX_FAULTS_REMEMBERED } from '../limits.ts';

export interface Waiting {
  add(fingerprint: string): void;
  has(fingerprint: string): boolean;
  /** Begins a look: what it finds takes the place of all that was known before it began; undefined: it found too many to say. */
  mark(): { replace(found: readonly string[] | undefined): void };
}

export function createWaiting(): Waiting {
  let known = new Set<string>();
  /** Added since the last look began. */
  let recent = new Set<string>();
  return {
    add(fingerprint) {
      recent.add(fingerprint);
      // Beyond it order is kept only by the times of receipt, which is enough for the state.
      if (known.size < INBOX_FAULTS_REMEMBERED) known.add(fingerprint);
    },
    has: (fingerprint) => known.has(fingerprint),
    mark() {
      const added = new Set<string>();
      recent = added;
      return {
        replace(found) {
          if (found !== undefined) known = new Set([...found, ...added]);
        },
      };
    },
  };
}

/** One npm start per data directory. */
import { join } from 'node:path';
import { Fault } from '../process/fault.ts';
import { tryLockFile } from '../process/lock-file.ts';

export interface Lock {
  /** Tells a second start where this one can be reached. */
  announce(url: string): void;
  release(): void;
}

/** Takes the lock of `directory`. Throws a Fault naming pid and address of the one that runs. */
export function takeLock(directory: string): Lock {
  const taken = tryLockFile(join(directory, 'lock'));
  if ('heldBy' in taken) {
    const { pid, note } = taken.heldBy;
    throw new Fault(
      `one is running in this clone already: pid ${pid}${note ? ` at ${note}` : ', still starting'}. Stop it first (Ctrl-C there, or kill ${pid})`,
    );
  }
  const { lock } = taken;
  return { announce: (url) => lock.note(url), release: () => lock.release() };
}

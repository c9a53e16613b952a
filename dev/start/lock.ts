/** One npm start per clone. The lock names its owner by pid and start time, so that what a kill -9 left behind is seen to be stale. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Fault } from '../process/fault.ts';
import { startStampOf } from '../process/identity.ts';

interface Owner {
  pid: number;
  stamp: string;
  url?: string;
}

export interface Lock {
  /** Tells a second start where this one can be reached. */
  announce(url: string): void;
  release(): void;
}

function read(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner;
    return typeof owner.pid === 'number' ? owner : undefined;
  } catch (error) {
    // An unreadable lock was not written by us whole: it holds nothing.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isAlive = (owner: Owner | undefined): owner is Owner =>
  owner !== undefined && startStampOf(owner.pid) === owner.stamp;

/** Takes the lock of `directory`. Throws a Fault naming pid and address of the one that runs. */
export function takeLock(directory: string): Lock {
  const path = join(directory, 'lock');
  const mine: Owner = { pid: process.pid, stamp: startStampOf(process.pid) ?? '' };
  const draft = join(directory, `lock.${process.pid}`);
  // Linked, not written: the lock is there with all of its content or not at all.
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (let tries = 0; ; tries++) {
      try {
        linkSync(draft, path);
        break;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' || tries > 5) throw error;
      }
      const owner = read(path);
      if (isAlive(owner)) {
        throw new Fault(
          `one is running in this clone already: pid ${owner.pid}${owner.url ? ` at ${owner.url}` : ', still starting'}. Stop it first (Ctrl-C there, or kill ${owner.pid})`,
        );
      }
      removeStale(path);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    announce(url) {
      writeFileSync(draft, JSON.stringify({ ...mine, url }), { mode: 0o600 });
      renameSync(draft, path);
    },
    release() {
      if (read(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/** Moves the lock aside before removing it: if another start was quicker and what was moved is alive, it is put back. */
function removeStale(path: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (isAlive(read(aside))) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

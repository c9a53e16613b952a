/**
 * A lock on disk that names its owner by pid and start time, so that what a kill -9 left behind is seen to be stale. It is
 * there with all of its content or not at all, and two who find a stale one do not both take it.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from './fault.ts';
import { startStampOf } from './identity.ts';

export interface Owner {
  pid: number;
  stamp: string;
  /** What the owner wants whoever comes second to know. */
  note?: string;
}

export interface LockFile {
  note(text: string): void;
  release(): void;
}

/** How often a stale lock is moved out of the way before somebody else is taken to be quicker each time. */
const TRIES = 5;

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

/** Takes the lock, or answers with who holds it. */
export function tryLockFile(path: string): { lock: LockFile } | { heldBy: Owner } {
  const mine: Owner = { pid: process.pid, stamp: startStampOf(process.pid) ?? '' };
  const draft = `${path}.${process.pid}`;
  // Linked, not written: the lock is there with all of its content or not at all.
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (let tries = 0; ; tries++) {
      try {
        linkSync(draft, path);
        break;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST' || tries > TRIES) throw error;
      }
      const owner = read(path);
      if (isAlive(owner)) return { heldBy: owner };
      removeStale(path);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    lock: {
      note(text) {
        writeFileSync(draft, JSON.stringify({ ...mine, note: text }), { mode: 0o600 });
        renameSync(draft, path);
      },
      release() {
        if (read(path)?.pid === process.pid) rmSync(path, { force: true });
      },
    },
  };
}

/** Moves the lock aside before removing it: if another was quicker and what was moved is alive, it is put back. */
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

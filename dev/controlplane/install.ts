/**
 * Puts a finished directory of binaries in place: made beside its target and renamed, under a lock, so that two starts do
 * not both build and no one ever sees half of it.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type LockFile, tryLockFile } from '../process/lock-file.ts';
import { patiently, type Say } from '../process/say.ts';
import { until } from '../process/until.ts';

const LOCK_WAIT_MS = 30 * 60_000;
const LOCK_POLL_MS = 500;

async function takeLock(path: string, say: Say): Promise<LockFile> {
  const first = tryLockFile(path);
  if ('lock' in first) return first.lock;
  return patiently(say, `waiting for process ${first.heldBy.pid}`, 'it is installing the same control plane', () =>
    until(
      'the other installation of the control plane',
      LOCK_WAIT_MS,
      () => {
        const taken = tryLockFile(path);
        return 'lock' in taken && taken.lock;
      },
      { everyMs: LOCK_POLL_MS },
    ),
  );
}

/**
 * Has `fill` fill an empty directory, which then becomes `target`. When another process is doing the same, waits for it;
 * `isDone` then tells whether anything is left to do.
 */
export async function installOnce(
  target: string,
  isDone: () => boolean,
  say: Say,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(target);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  const lock = await takeLock(`${target}.lock`, say);
  try {
    if (isDone()) return;
    const prefix = `${basename(target)}.draft-`;
    // Left by one that was killed: nobody else fills while we hold the lock.
    for (const entry of readdirSync(parent)) {
      if (entry.startsWith(prefix)) rmSync(join(parent, entry), { recursive: true, force: true });
    }
    const draft = mkdtempSync(join(parent, prefix));
    try {
      await fill(draft);
      rmSync(target, { recursive: true, force: true });
      renameSync(draft, target);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  } finally {
    lock.release();
  }
}

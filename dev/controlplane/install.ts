/**
 * Puts a finished directory of binaries in place: made beside its target and renamed, under a lock, so that two starts do
 * not both build and no one ever sees half of it.
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../process/fault.ts';
import { processExists } from '../process/identity.ts';
import { patiently, type Say } from '../process/say.ts';
import { until } from '../process/until.ts';

const LOCK_WAIT_MS = 30 * 60_000;

/** Takes the lock file, or answers with the pid that holds it. A lock whose owner is gone is taken over. */
function tryLock(path: string): { held: true } | { held: false; by: number } {
  for (let tries = 0; tries < 3; tries++) {
    try {
      const fd = openSync(path, 'wx', 0o600);
      writeSync(fd, `${process.pid}\n`);
      closeSync(fd);
      return { held: true };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    let by = 0;
    try {
      by = Number(readFileSync(path, 'utf8').trim());
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    if (by > 0 && processExists(by)) return { held: false, by };
    rmSync(path, { force: true });
  }
  return { held: false, by: 0 };
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
  const lock = `${target}.lock`;
  const first = tryLock(lock);
  if (!first.held) {
    await patiently(say, `waiting for process ${first.by}`, 'it is installing the same control plane', () =>
      until('the other installation of the control plane', LOCK_WAIT_MS, () => tryLock(lock).held, { everyMs: 500 }),
    );
  }
  const draft = mkdtempSync(join(parent, '.draft-'));
  try {
    if (isDone()) return;
    await fill(draft);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    rmSync(lock, { force: true });
  }
}

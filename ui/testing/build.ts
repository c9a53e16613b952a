/** Builds the pages once for all browser tests of a run: whoever comes first builds, the others wait; nothing is built when nothing changed. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const UI = fileURLToPath(new URL('..', import.meta.url));
/** Where the built pages are. */
export const PAGES = join(UI, 'dist');
const DOMAIN = fileURLToPath(new URL('../../domain', import.meta.url));
const LOCK = join(UI, 'node_modules', '.building');
/** A build takes seconds; a lock that is older was left by a process that died. */
const LOCK_LAPSES_MS = 60_000;
const IGNORED = new Set(['node_modules', 'dist', 'testing']);

async function newest(folder: string): Promise<number> {
  let latest = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (IGNORED.has(entry.name) || entry.name.includes('.test.')) continue;
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? await newest(path) : (await stat(path)).mtimeMs);
  }
  return latest;
}
const builtAt = async (): Promise<number> =>
  (await stat(join(UI, 'dist', 'index.html')).catch(() => undefined))?.mtimeMs ?? 0;
const isFresh = async (): Promise<boolean> => (await builtAt()) > Math.max(await newest(UI), await newest(DOMAIN));

/** After this, `ui/dist` is that of the sources as they stand. Throws with Vite's words when it does not build. */
export async function buildPages(): Promise<void> {
  await mkdir(join(UI, 'node_modules'), { recursive: true });
  const deadline = Date.now() + LOCK_LAPSES_MS;
  while (!(await isFresh())) {
    const isMine = await mkdir(LOCK).then(
      () => true,
      () => false,
    );
    if (isMine) {
      try {
        // vitest says NODE_ENV=test, with which React would be built for development: slower, larger, and not what people get.
        await promisify(execFile)('npx', ['vite', 'build'], {
          cwd: UI,
          env: { ...process.env, NODE_ENV: 'production' },
        });
      } finally {
        await rm(LOCK, { recursive: true, force: true });
      }
      return;
    }
    if (Date.now() > deadline) await rm(LOCK, { recursive: true, force: true });
    await wait(100);
  }
}

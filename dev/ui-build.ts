/** Builds the pages when their sources changed since the last build, and only then. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment } from './process/environment.ts';
import { Fault } from './process/fault.ts';
import { patiently, type Say } from './process/say.ts';
import { runTask, TaskFailed } from './process/task.ts';

/** Everything that goes into the bundle. */
const SOURCES = ['ui', 'domain', 'crds', 'package-lock.json'];
const SKIP = new Set(['node_modules', 'dist', 'testing']);

function filesOf(root: string, path: string): string[] {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (path.endsWith('.json')) return [path];
  return readdirSync(full, { withFileTypes: true }).flatMap((entry) => {
    if (SKIP.has(entry.name) || /\.test\.tsx?$/.test(entry.name)) return [];
    const below = join(path, entry.name);
    return entry.isDirectory() ? filesOf(root, below) : [below];
  });
}

export function sourceHash(root: string, sources = SOURCES): string {
  const hash = createHash('sha256');
  for (const file of sources.flatMap((source) => filesOf(root, source)).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Resolves the directory of the built pages. */
export async function buildUi(root: string, say: Say): Promise<string> {
  const out = join(root, 'ui', 'dist');
  const stamp = join(out, '.sources');
  const hash = sourceHash(root);
  if (existsSync(join(out, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return out;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const why = existsSync(stamp) ? 'their sources changed; about 20 s' : 'not built yet; about 20 s';
  await patiently(say, 'building the pages', why, async () => {
    try {
      await runTask({
        command: process.execPath,
        args: [vite, 'build', '--logLevel', 'warn'],
        cwd: join(root, 'ui'),
        env: childEnvironment({ NODE_ENV: 'production', NO_COLOR: '1', FORCE_COLOR: '0' }),
      });
    } catch (error) {
      if (!(error instanceof TaskFailed)) throw error;
      throw new Fault(`the pages could not be built:\n${error.output.split('\n    at ')[0]?.trim()}`);
    }
    // Last: a build that broke off leaves no stamp.
    writeFileSync(stamp, hash);
  });
  return out;
}

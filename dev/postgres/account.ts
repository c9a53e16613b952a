/**
 * As whom Postgres runs, and where its data can lie. It refuses to run as root, and another user cannot enter every
 * directory that root can: a clone under /root is closed to it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, Fault } from '../process/fault.ts';

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

const CANDIDATES = ['postgres', 'nobody'];

function idOf(flag: '-u' | '-g', name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}

/** The user to run as; undefined when this process may run it itself. */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const uid = idOf('-u', name);
    const gid = idOf('-g', name);
    if (uid !== undefined && uid !== 0 && gid !== undefined) return { name, uid, gid };
  }
  throw new Fault(
    `Postgres refuses to run as root, and there is no user ${CANDIDATES.join(' or ')}: make one (useradd --system postgres), or run npm start as another user`,
  );
}

/** Whether `account` may enter `directory` and every directory above it. */
export function mayEnter(directory: string, account: Account): boolean {
  for (let at = directory; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** A directory owned by `account` alone; refuses one that somebody else put there. */
export function ownDirectory(path: string, account: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!account) return;
  const found = lstatSync(path);
  if (!found.isDirectory() || (found.uid !== 0 && found.uid !== account.uid)) {
    throw new Fault(
      `${path} belongs to another user (uid ${found.uid}): remove it, it is where Postgres' data has to go`,
    );
  }
  chownSync(path, account.uid, account.gid);
  chmodSync(path, 0o700);
}

/**
 * Where Postgres' files of this data directory go: inside it when the account may enter, else under /var/lib in a folder
 * named after it. `moved` says which.
 */
export function placeFor(dataDirectory: string, account: Account | undefined): { directory: string; moved: boolean } {
  const inside = join(dataDirectory, 'postgres');
  if (!account) return { directory: inside, moved: false };
  if (mayEnter(dataDirectory, account)) return { directory: inside, moved: false };
  const key = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
  const shelf = '/var/lib/funnelai';
  try {
    mkdirSync(shelf, { mode: 0o755 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (lstatSync(shelf).uid !== 0)
      throw new Fault(`${shelf} does not belong to root: remove it, Postgres' data has to go there`);
  }
  return { directory: join(shelf, key), moved: true };
}

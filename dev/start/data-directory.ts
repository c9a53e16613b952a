/** The directory in which one installation stores everything: made, known again, and wiped, without touching what somebody else put there. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataDirectory, wipePostgres } from '../postgres/server.ts';
import { codeOf, Fault, messageOf } from '../process/fault.ts';

/** What no other program leaves under these names. */
const TELLING = ['control-plane', 'database-url', 'postgres-password', 'tokens.json', 'welcome.json'];
const STORED = [...TELLING, 'kubeconfig', 'kubectl', 'kubectl-cache', 'logs', 'postgres', 'run.json', 'sign-in.json'];
const SHOWN = 3;

const isLock = (entry: string): boolean => entry.startsWith('lock');
/** Whether a start stores something under that name; also what a write that was killed has left beside it. */
export const isStored = (entry: string): boolean =>
  STORED.some((name) => entry === name || (entry.startsWith(`${name}.`) && entry.endsWith('.draft')));

/** Makes the directory, or enters that of an earlier start. Throws a Fault when it is somebody else's, or cannot be made. */
export function enterDataDirectory(directory: string): void {
  const named = `--data: ${directory}`;
  let entries: string[];
  try {
    if (existsSync(directory) && !statSync(directory).isDirectory()) throw new Fault(`${named} is no directory`);
    entries = existsSync(directory) ? readdirSync(directory).sort() : [];
    const others = entries.filter((entry) => !isStored(entry) && !isLock(entry));
    if (others.length > 0 && !entries.some((entry) => TELLING.includes(entry))) {
      const more = others.length > SHOWN ? ` and ${others.length - SHOWN} more` : '';
      throw new Fault(
        `${named} holds ${others.slice(0, SHOWN).join(', ')}${more}, and nothing that a start has stored: name a new or an empty directory`,
      );
    }
    makeDataDirectory(directory);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new Fault(`${named} cannot be used, for everything is stored there: ${messageOf(error)}; name another one`);
  }
}

/** Removes what earlier starts have stored, here and where Postgres may have had to go. What else lies there stays. */
export function wipeDataDirectory(directory: string): void {
  wipePostgres(directory);
  for (const entry of readdirSync(directory).filter(isStored))
    rmSync(join(directory, entry), { recursive: true, force: true });
}

/** Keeps a guardian beside this process: a small program that clears up after us when we die without having done so. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./guardian-main.js', import.meta.url));

/** How the guardian ends a child: at once, or asked first. Postgres needs asking: SIGKILL leaves its shared memory behind. */
export type Farewell = 'kill' | 'interrupt';

let guardian: ChildProcess | undefined;
const watched = new Map<number, Farewell>();
const files = new Set<string>();

function tell(line: string): void {
  guardian?.stdin?.write(`${line}\n`);
}

function start(): void {
  // Its own session, so that neither a Ctrl-C nor the kill of our group reaches it.
  const child = spawn(process.execPath, [PROGRAM], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
  guardian = child;
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.once('exit', () => {
    guardian = undefined;
    if (watched.size + files.size > 0) start();
  });
  child.unref();
  if (child.stdin && 'unref' in child.stdin) (child.stdin as unknown as { unref(): void }).unref();
  for (const [pid, how] of watched) tell(`add ${pid} ${how}`);
  for (const path of files) tell(`add-file ${path}`);
}

/** From now on the process group of `pid` does not outlive this process. */
export function guard(pid: number, how: Farewell): void {
  watched.set(pid, how);
  if (guardian) tell(`add ${pid} ${how}`);
  else start();
}

export function unguard(pid: number): void {
  watched.delete(pid);
  tell(`remove ${pid}`);
}

/** From now on the file is removed when this process dies: it would be a lie after that. */
export function guardFile(path: string): void {
  files.add(path);
  if (guardian) tell(`add-file ${path}`);
  else start();
}

export function unguardFile(path: string): void {
  files.delete(path);
  tell(`remove-file ${path}`);
}

/** Starts the guardian before the first child, so that none is ever without one. */
export function startGuardian(): void {
  if (!guardian) start();
}

export const guardianPid = (): number | undefined => guardian?.pid;

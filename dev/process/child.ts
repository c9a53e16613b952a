/**
 * One child process in a process group of its own, watched by the guardian, its output in a bounded log. Promises that
 * `stop` ends the whole group; when to start it again is the supervisor's business.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { childEnvironment } from './environment.ts';
import { Fault } from './fault.ts';
import { type Farewell, guard, startGuardian, unguard } from './guardian.ts';
import { type LogFile, openLog } from './log-file.ts';

export interface Program {
  /** Short name, as in run.json and the log's file name. */
  name: string;
  command: string;
  args: string[];
  cwd?: string;
  env?: Record<string, string>;
  /** Another system user to run as; only root can ask for one. */
  as?: { uid: number; gid: number };
  logPath: string;
  stopSignal?: NodeJS.Signals;
  farewell?: Farewell;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly log: LogFile;
  readonly exited: Promise<Exit>;
  /** Undefined while it runs. */
  readonly exit: Exit | undefined;
  signal(name: NodeJS.Signals): void;
  /** Asks it to stop, kills it after `graceMs`. Resolves once it is gone. */
  stop(graceMs?: number): Promise<Exit>;
  /** `kill -9` to the whole group. */
  kill(): Promise<Exit>;
}

const STOP_GRACE_MS = 5_000;
/** How long the last words may take to come through the pipe after the exit; a grandchild may hold it open for ever. */
const LAST_WORDS_MS = 250;

const live = new Set<Running>();

/** Every child that was launched and has not ended, ready or not. */
export const liveChildren = (): Running[] => [...live];

export function describeExit(exit: Exit): string {
  return exit.signal ? `was ended by ${exit.signal}` : `exited with code ${exit.code}`;
}

/** Starts `program`. Throws a Fault when it cannot be executed at all. */
export async function launch(program: Program): Promise<Running> {
  startGuardian();
  const log = openLog(program.logPath);
  const child: ChildProcess = spawn(program.command, program.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment(program.env),
    ...(program.cwd ? { cwd: program.cwd } : {}),
    ...(program.as ?? {}),
  });
  const { pid } = child;
  if (pid !== undefined) guard(pid, program.farewell ?? 'kill');
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));

  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      // Whatever it started goes with it: a shell's child, a Postgres backend of a killed postmaster.
      if (pid !== undefined && program.farewell !== 'interrupt') send(pid, 'SIGKILL');
      if (pid !== undefined) unguard(pid);
      const told = () => resolve({ code, signal });
      setTimeout(told, LAST_WORDS_MS);
      child.once('close', told);
    });
  });
  // The pipe may hold the last words after the exit.
  child.once('close', () => log.close());
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      log.close();
      reject(new Fault(`${program.name}: ${program.command} could not be started: ${error.message}`));
    });
  });
  if (pid === undefined) throw new Fault(`${program.name}: ${program.command} could not be started`);

  const running: Running = {
    name: program.name,
    pid,
    log,
    exited,
    get exit() {
      return exit;
    },
    signal: (name) => send(pid, name),
    async stop(graceMs = STOP_GRACE_MS) {
      if (exit) return exit;
      // Only the leader is asked: it knows how to end its own children.
      child.kill(program.stopSignal ?? 'SIGTERM');
      const timer = setTimeout(() => send(pid, 'SIGKILL'), graceMs);
      return exited.finally(() => clearTimeout(timer));
    },
    async kill() {
      if (exit) return exit;
      send(pid, 'SIGKILL');
      return exited;
    },
  };
  live.add(running);
  void exited.then(() => live.delete(running));
  return running;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone.
  }
}

/** One program that runs to its end as a step of something bigger: in a group of its own, ended by the guardian if we die before it does. */
import { spawn } from 'node:child_process';
import { describeExit, type Exit } from './child.ts';
import { guard, startGuardian, unguard } from './guardian.ts';

export interface Task {
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Another system user to run as; only root can ask for one. */
  as?: { uid: number; gid: number } | undefined;
}

/** The last of what it said, whichever stream it said it on. */
const OUTPUT_CHARACTERS = 4_000;

/** It did not end well. */
export class TaskFailed extends Error {
  readonly output: string;
  constructor(exit: Exit, output: string) {
    super(describeExit(exit));
    this.output = output.trim();
  }
}

/** Resolves when it ended with code 0. Throws TaskFailed with its last words otherwise. */
export function runTask({ command, args, cwd, env, as }: Task): Promise<void> {
  startGuardian();
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(as ?? {}),
  });
  const { pid } = child;
  if (pid !== undefined) guard(pid, 'kill');
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (pid !== undefined) unguard(pid);
      if (code === 0) resolve();
      else reject(new TaskFailed({ code, signal }, output));
    });
  });
}

/** Runs kubectl against the cluster that was named to us and no other: kubeconfig and context are always given, the environment never asked. */
import { execFile } from 'node:child_process';
import { childEnvironment } from './process/environment.ts';
import { Fault } from './process/fault.ts';

const TIMEOUT_MS = 60_000;

export interface KubectlTarget {
  /** Path of the program. */
  program: string;
  kubeconfig: string;
  context: string;
  /** Where it keeps what it learned about a server. */
  cache: string;
  /** Namespace that lines for people name. */
  namespace?: string;
}

/** Resolves what it printed. Throws a Fault with its own words. */
export function kubectl(target: KubectlTarget, args: string[], input = ''): Promise<string> {
  const { program, kubeconfig, context, cache } = target;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      ['--kubeconfig', kubeconfig, '--context', context, '--cache-dir', cache, ...args],
      { env: childEnvironment(), timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else reject(new Fault(`kubectl ${args.slice(0, 2).join(' ')} failed: ${stderr.trim() || error.message}`));
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

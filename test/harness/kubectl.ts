/** kubectl of the control plane's own version, as any of the test users. Answers with what it printed. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { childEnvironment } from '@funnelai/dev/process/environment';
import type { Context } from './users.ts';

export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Kubectl {
  /** Resolves however it exits. */
  try(args: string[], o?: KubectlOptions): Promise<KubectlResult>;
  /** Resolves stdout; throws with stderr when it exits with anything but 0. */
  run(args: string[], o?: KubectlOptions): Promise<string>;
}
export interface KubectlOptions {
  as?: Context;
  input?: string;
  env?: Record<string, string>;
  timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;

export function createKubectl({ assets, kubeconfig }: { assets: string; kubeconfig: string }): Kubectl {
  const attempt = (args: string[], o: KubectlOptions = {}) =>
    new Promise<KubectlResult>((resolve) => {
      const child = execFile(
        join(assets, 'kubectl'),
        ['--kubeconfig', kubeconfig, '--context', o.as ?? 'admin', ...args],
        // Its discovery cache would outlive the control plane that it describes.
        {
          env: childEnvironment({ HOME: '/nonexistent', KUBECACHEDIR: `${kubeconfig}.cache`, ...o.env }),
          timeout: o.timeoutMs ?? TIMEOUT_MS,
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, stdout, stderr) =>
          resolve({
            code: error ? (typeof error.code === 'number' ? error.code : 1) : 0,
            stdout,
            stderr: stderr || (error && !stdout ? error.message : ''),
          }),
      );
      child.stdin?.end(o.input ?? '');
    });
  return {
    try: attempt,
    async run(args, o) {
      const result = await attempt(args, o);
      if (result.code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${result.code}: ${result.stderr}`);
      return result.stdout;
    },
  };
}

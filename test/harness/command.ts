/** Runs a command of the operator to its end, with the flags of a real installation. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '@funnelai/dev/process/environment';
import type { Context } from './users.ts';

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));
const TIMEOUT_MS = 120_000;

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** `node operator/main.ts NAME …` as that user; resolves however it exits. */
export function runOperatorCommand(
  name: 'leave' | 'restore',
  o: { kubeconfig: string; context?: Context; databaseUrl?: string; args?: string[] },
): Promise<CommandResult> {
  const args = [MAIN, name, '--kubeconfig', o.kubeconfig, '--context', o.context ?? 'operator', ...(o.args ?? [])];
  if (o.databaseUrl !== undefined) {
    const file = join(mkdtempSync(join(tmpdir(), 'funnelai-command-')), 'database-url');
    writeFileSync(file, o.databaseUrl, { mode: 0o600 });
    args.push('--database-url-file', file);
  }
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: childEnvironment({}), timeout: TIMEOUT_MS }, (error, stdout, stderr) =>
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : -1) : 0, stdout, stderr }),
    );
  });
}

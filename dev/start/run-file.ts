/** `.funnelai/run.json`: where everything is, for scripts. docs/run-json.md is its contract; it is true or it is not there. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../process/atomic-file.ts';
import { guardFile, unguardFile } from '../process/guardian.ts';

export interface RunSource {
  namespace: string;
  name: string;
  format: string;
  /** Where Alertmanager's webhook posts to; Prometheus appends /api/v2/alerts by itself. */
  url: string;
  token: string;
}

export interface RunFile {
  url: string;
  /** Signs in once; a new one stands here as soon as it was used. Null with --context: sign in with a token of that cluster. */
  signInUrl: string | null;
  token: string | null;
  kubeconfig: string;
  databaseUrl: string;
  sources: RunSource[];
  processes: Record<'etcd' | 'apiserver' | 'controllerManager' | 'postgres' | 'operator' | 'webhook', number | null>;
}

export const runFilePath = (directory: string): string => join(directory, 'run.json');

export function writeRunFile(directory: string, content: RunFile): void {
  // Before it is there: a kill -9 of ours must not leave it to be believed.
  guardFile(runFilePath(directory));
  writeAtomically(runFilePath(directory), `${JSON.stringify(content, undefined, 2)}\n`);
}

export function removeRunFile(directory: string): void {
  rmSync(runFilePath(directory), { force: true });
  unguardFile(runFilePath(directory));
}

/** What an earlier start has written; undefined while none runs. */
export function readRunFile(directory: string): RunFile | undefined {
  const path = runFilePath(directory);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunFile) : undefined;
}

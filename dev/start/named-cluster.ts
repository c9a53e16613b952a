/** A cluster or database that a person named: shown to them before anything is written, and entered only after a typed yes. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parse } from 'yaml';
import { childEnvironment } from '../process/environment.ts';
import { codeOf, Fault } from '../process/fault.ts';
import type { Say } from '../process/say.ts';

interface Kubeconfig {
  clusters?: { name: string; cluster?: { server?: string } }[];
  contexts?: { name: string; context?: { cluster?: string; user?: string; namespace?: string } }[];
}

export interface NamedCluster {
  server: string;
  namespace: string;
  user: string;
}

/** What the context leads to. Throws a Fault that lists the contexts there are. */
export function lookUpContext(kubeconfig: string, context: string): NamedCluster {
  let file: Kubeconfig;
  try {
    file = (parse(readFileSync(kubeconfig, 'utf8')) ?? {}) as Kubeconfig;
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new Fault(
        `--context ${context}: there is no kubeconfig at ${kubeconfig}; name another with --kubeconfig FILE (the variable KUBECONFIG is ignored)`,
      );
    throw new Fault(
      `--context ${context}: ${kubeconfig} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
  const found = file.contexts?.find(({ name }) => name === context)?.context;
  if (!found) {
    const names = (file.contexts ?? []).map(({ name }) => name);
    throw new Fault(
      `--context ${context}: ${kubeconfig} has no such context; it has ${names.length > 0 ? names.join(', ') : 'none'}`,
    );
  }
  const server = file.clusters?.find(({ name }) => name === found.cluster)?.cluster?.server;
  if (!server)
    throw new Fault(`--context ${context}: ${kubeconfig} names no server for its cluster "${found.cluster ?? ''}"`);
  return { server, namespace: found.namespace ?? 'default', user: found.user ?? '' };
}

/** Host, port and database of a URL, without what is secret in it. */
export function withoutSecret(databaseUrl: string): string {
  try {
    const { host, pathname, username } = new URL(databaseUrl);
    return `${pathname.slice(1) || 'postgres'} on ${host || 'the local host'}${username ? ` as ${decodeURIComponent(username)}` : ''}`;
  } catch {
    throw new Fault('--database-url: this is no URL; special characters in the password have to be percent-encoded');
  }
}

/** Waits for a typed yes. Throws a Fault when the answer is another one, or when nobody is there to give one. */
export async function confirm(
  lines: string[],
  yes: boolean,
  say: Say,
  input: NodeJS.ReadStream = process.stdin,
): Promise<void> {
  for (const line of lines) say(line);
  if (yes) {
    say('  --yes was given: going on');
    return;
  }
  if (!input.isTTY)
    throw new Fault(
      'this needs a typed yes, and there is no terminal to type it in: give --yes to go on without being asked',
    );
  const asked = createInterface({ input, output: process.stdout });
  const gone = new Promise<string>((resolve) => asked.once('close', () => resolve('')));
  const answer = await Promise.race([asked.question('  type yes to go on: '), gone]);
  asked.close();
  if (answer.trim() !== 'yes') throw new Fault(`found "${answer.trim()}", expected yes: nothing was touched`);
}

const OLDEST_KUBECTL_MINOR = 30;

/** kubectl on the PATH when it is new enough for a named cluster; undefined otherwise. */
export function kubectlOnPath(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'kubectl',
      ['version', '--client', '-o', 'json'],
      { env: childEnvironment(), timeout: 10_000 },
      (error, stdout) => {
        if (error) return resolve(undefined);
        const minor = /"minor":\s*"(\d+)/.exec(stdout)?.[1];
        resolve(Number(minor) >= OLDEST_KUBECTL_MINOR ? 'kubectl' : undefined);
      },
    );
  });
}

/**
 * For tests: kubectl against the real API server that the test run provides, as any of its users, each in a namespace of its own.
 * CRDs, rights and policies are there already; this leaves nothing behind but the namespaces.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of a kubeconfig of the cluster's administrator. */
    kubeconfig: string;
    /** Folder that holds kubectl. */
    assets: string;
  }
}

/** Users of the test run's API server, by the token that each one shows. */
const TOKENS = {
  admin: 'admin-token',
  ana: 'ana-token',
  bo: 'bo-token',
  vera: 'viewer-token',
  nadia: 'nsadmin-token',
  sam: 'stranger-token',
  operator: 'operator-token',
  webhook: 'webhook-token',
} as const;
export type User = keyof typeof TOKENS;

export interface Answer {
  ok: boolean;
  stdout: string;
  stderr: string;
}

const COMMAND_DEADLINE_MS = 30_000;
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

const clusters = z.object({
  'current-context': z.string(),
  contexts: z.array(z.object({ name: z.string(), context: z.looseObject({ cluster: z.string() }) })),
  clusters: z.array(z.object({ name: z.string(), cluster: z.looseObject({ server: z.string() }) })),
});

/** Writes a kubeconfig that holds nothing but the cluster and one token: a client certificate beside it would win. */
function kubeconfigFor(directory: string, user: User): string {
  const admin = clusters.parse(parse(readFileSync(inject('kubeconfig'), 'utf8')));
  const context = admin.contexts.find(({ name }) => name === admin['current-context']);
  const cluster = admin.clusters.find(({ name }) => name === context?.context.cluster)?.cluster;
  if (!cluster) throw new Error(`${inject('kubeconfig')}: the current context names no cluster`);
  const file = join(directory, `${user}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: user, user: { token: TOKENS[user] } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  };
  writeFileSync(file, stringify(config), { mode: 0o600 });
  return file;
}

/** Belongs to the test file that runs, and goes when it has run. */
export const directory = mkdtempSync(join(tmpdir(), 'funnelai-crds-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const kubeconfigs = new Map<User, string>();

/** Runs kubectl as `user`; `input` goes to its standard input, as JSON unless it is text; `env` is added to the environment. Never throws for an exit code. */
export function kubectl(
  user: User,
  args: readonly string[],
  input?: unknown,
  env: NodeJS.ProcessEnv = {},
): Promise<Answer> {
  const kubeconfig = kubeconfigs.get(user) ?? kubeconfigFor(directory, user);
  kubeconfigs.set(user, kubeconfig);
  const all = ['--kubeconfig', kubeconfig, '--cache-dir', join(directory, 'cache'), ...args];
  return new Promise((resolve) => {
    const options = { timeout: COMMAND_DEADLINE_MS, maxBuffer: OUTPUT_MAX_BYTES, env: { ...process.env, ...env } };
    const child = execFile(join(inject('assets'), 'kubectl'), all, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout, stderr });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input === undefined ? '' : typeof input === 'string' ? input : JSON.stringify(input));
  });
}

/** As `kubectl`, for what must succeed: returns standard output, throws an Error with what kubectl said. */
export async function mustKubectl(user: User, args: readonly string[], input?: unknown): Promise<string> {
  const answer = await kubectl(user, args, input);
  if (!answer.ok) throw new Error(`kubectl ${args.join(' ')} as ${user}: ${answer.stderr}`);
  return answer.stdout;
}

/** Makes a namespace with a name of its own, and binds ClusterRoles there: user → role. */
export async function makeNamespace(purpose: string, roles: Partial<Record<User, string>> = {}): Promise<string> {
  const name = `${purpose}-${randomBytes(4).toString('hex')}`;
  await mustKubectl('admin', ['create', 'namespace', name]);
  for (const [user, role] of Object.entries(roles)) {
    await mustKubectl('admin', ['-n', name, 'create', 'rolebinding', user, `--clusterrole=${role}`, `--user=${user}`]);
  }
  return name;
}

/** Tries `attempt` until `done` likes its result. Throws after 30 s, with the last result. */
export async function eventually<T>(attempt: () => Promise<T>, done: (result: T) => boolean): Promise<T> {
  const deadline = performance.now() + COMMAND_DEADLINE_MS;
  for (;;) {
    const result = await attempt();
    if (done(result)) return result;
    if (performance.now() > deadline) throw new Error(`still not so after 30 s: ${JSON.stringify(result)}`);
  }
}

/** The real operator and webhook as child processes with the flags of a real installation, to be stopped or killed. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, type Running } from '@funnelai/dev/process/child';
import { anyFreePorts } from '@funnelai/dev/process/ports';
import { until } from '@funnelai/dev/process/until';
import { SMALL_HEAP_ARGS, SMALL_HEAP_ENVIRONMENT } from '@funnelai/kube/memory';
import type { Context } from './users.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_MS = 30_000;

export interface ProcessOptions {
  kubeconfig: string;
  /** Defaults to the process's own service account. */
  context?: Context;
  /** Absent: it runs without history. */
  databaseUrl?: string;
  extraArgs?: string[];
  env?: Record<string, string>;
  /** Resolve before it is ready, to watch it become so. */
  waitReady?: boolean;
}

export interface OurProcess {
  readonly running: Running;
  readonly pid: number;
  /** Where /healthz, /readyz and /metrics answer. */
  readonly healthUrl: string;
  readonly metricsUrl: string;
  /** SIGTERM, then waits. */
  stop(): Promise<void>;
  /** kill -9, then waits. */
  kill(): Promise<void>;
  log(): string;
}

export interface WebhookProcess extends OurProcess {
  readonly url: string;
  readonly port: number;
}

function workDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `funnelai-${name}-`));
}

function databaseArgs(directory: string, url: string | undefined): string[] {
  if (url === undefined) return [];
  const file = join(directory, 'database-url');
  writeFileSync(file, url, { mode: 0o600 });
  return ['--database-url-file', file];
}

async function start(
  name: 'operator' | 'webhook',
  args: string[],
  directory: string,
  readyUrl: string,
  o: ProcessOptions,
): Promise<Running> {
  const running = await launch({
    name,
    command: process.execPath,
    args: [...SMALL_HEAP_ARGS, join(ROOT, name, 'main.ts'), ...args, ...(o.extraArgs ?? [])],
    cwd: ROOT,
    logPath: join(directory, `${name}.log`),
    env: { ...SMALL_HEAP_ENVIRONMENT, ...o.env },
  });
  if (o.waitReady !== false) {
    try {
      await until(`${name} to be ready`, READY_MS, async () => {
        if (running.exit) throw new Error(`${name} has ended`);
        return (await fetch(readyUrl, { signal: AbortSignal.timeout(2_000) })).ok;
      });
    } catch (error) {
      await running.kill();
      throw new Error(
        `${error instanceof Error ? error.message : error}; its last lines:\n${running.log.tail().join('\n')}`,
      );
    }
  }
  return running;
}

function ours(running: Running, healthUrl: string, metricsUrl: string): OurProcess {
  return {
    running,
    pid: running.pid,
    healthUrl,
    metricsUrl,
    stop: async () => void (await running.stop()),
    kill: async () => void (await running.kill()),
    log: () => running.log.tail().join('\n'),
  };
}

export async function startOperator(o: ProcessOptions & { healthPort?: number }): Promise<OurProcess> {
  const directory = workDirectory('operator');
  const port = o.healthPort ?? (await anyFreePorts(1))[0] ?? 0;
  const url = `http://127.0.0.1:${port}`;
  const args = ['--kubeconfig', o.kubeconfig, '--context', o.context ?? 'operator', '--health-port', String(port)];
  args.push('--lease-namespace', 'funnel-system', ...databaseArgs(directory, o.databaseUrl));
  return ours(await start('operator', args, directory, `${url}/readyz`, o), url, `${url}/metrics`);
}

export interface WebhookOptions extends ProcessOptions {
  port?: number;
  uiDirectory?: string;
  signInFile?: string;
  welcomeFile?: string;
}

export async function startWebhook(o: WebhookOptions): Promise<WebhookProcess> {
  const directory = workDirectory('webhook');
  const [free = 0, metrics = 0] = await anyFreePorts(2);
  const port = o.port ?? free;
  const url = `http://127.0.0.1:${port}`;
  const uiDirectory = o.uiDirectory ?? join(directory, 'ui');
  if (!o.uiDirectory) {
    mkdirSync(uiDirectory);
    writeFileSync(join(uiDirectory, 'index.html'), '<!doctype html><title>funnelAI</title>');
  }
  const args = [
    '--kubeconfig',
    o.kubeconfig,
    '--context',
    o.context ?? 'webhook',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  ];
  args.push('--metrics-port', String(metrics), '--ui-dir', uiDirectory, ...databaseArgs(directory, o.databaseUrl));
  if (o.signInFile) args.push('--sign-in-file', o.signInFile);
  if (o.welcomeFile) args.push('--welcome-file', o.welcomeFile);
  const running = await start('webhook', args, directory, `${url}/readyz`, o);
  return { ...ours(running, url, `http://127.0.0.1:${metrics}/metrics`), url, port };
}

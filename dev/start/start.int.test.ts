import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDirectory } from '../postgres/server.ts';
import { processExists } from '../process/identity.ts';
import { tryPort } from '../process/ports.ts';
import { until } from '../process/until.ts';
import { isStored } from './data-directory.ts';
import { type RunFile, readRunFile } from './run-file.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_MS = 150_000;

interface Started {
  child: ChildProcess;
  output(): string;
  exit: Promise<number | null>;
}

let base: string;
let data: string;
let recorded: string[];
let recorders: Server[];
let taken: Server;
let port: number;
let environment: NodeJS.ProcessEnv;
const children: ChildProcess[] = [];

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return address.port;
}

/** As a person types it. */
function npmStart(...flags: string[]): Started {
  const child = spawn('npm', ['start', '--', '--empty', '--data', data, ...flags], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text, exit: new Promise((resolve) => child.once('exit', resolve)) };
}

async function ready(started: Started): Promise<RunFile> {
  return until('npm start to be ready', START_MS, () => {
    if (started.child.exitCode !== null) throw new Error(`it ended: ${started.output()}`);
    return started.output().includes('ready in ') && readRunFile(data);
  });
}

const gone = (...files: string[]) =>
  until(`${files.join(' and ')} to be gone`, 5_000, () => files.every((file) => !existsSync(join(data, file))));
function pidsOf(run: RunFile): number[] {
  return Object.values(run.processes).filter((pid) => pid !== null);
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'funnelai-start-'));
  makeDataDirectory(base);
  data = join(base, 'data');
  recorded = [];
  const http = createHttpServer((request, response) => {
    recorded.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  const tcp = createServer((socket) => {
    recorded.push('a connection to the database');
    socket.destroy();
  });
  recorders = [http, tcp];
  const [clusterPort, databasePort] = [await listen(http), await listen(tcp)];
  const kubeconfig = join(base, 'ambient-kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${clusterPort}` } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token: 'secret' } }],
      'current-context': 'c',
    }),
  );
  environment = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(clusterPort),
    DATABASE_URL: `postgres://u:p@127.0.0.1:${databasePort}/d`,
    PGHOST: '127.0.0.1',
    PGPORT: String(databasePort),
  };
  taken = createServer();
  port = await listen(taken);
});

afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  for (const server of [...recorders, taken]) server.close();
  await until('all to end', 20_000, () =>
    children.every((child) => child.exitCode !== null || child.signalCode !== null),
  );
  rmSync(base, { recursive: true, force: true });
});

describe('npm start', { timeout: START_MS + 60_000 }, () => {
  let first: Started;
  let run: RunFile;

  it.each([
    ['cluster', () => ['--context', 'c', '--kubeconfig', environment.KUBECONFIG ?? ''], 'server:    http://127.0.0.1:'],
    ['database', () => ['--database-url', environment.DATABASE_URL ?? ''], 'database:  d on 127.0.0.1:'],
  ])('asks neither before a yes when a %s is named, and without a terminal there is none', async (_, flags, shown) => {
    const asking = npmStart(...flags());
    expect(await asking.exit).toBe(1);
    for (const line of [shown, 'context:', 'namespace: ', 'needs a typed yes']) expect(asking.output()).toContain(line);
    expect(recorded).toEqual([]);
    expect(readdirSync(data)).toEqual([]);
  });

  it('refuses a named database that is not there before anything is started, and keeps its password to itself', async () => {
    const asking = npmStart('--yes', '--database-url', 'postgres://u:hush-hush@127.0.0.1:1/d');
    expect(await asking.exit).toBe(1);
    expect(asking.output()).toMatch(/--database-url: d on 127\.0\.0\.1:1 as u cannot be used: .*ECONNREFUSED/);
    expect(asking.output()).not.toMatch(/starting|hush-hush/);
    expect(readdirSync(data)).toEqual([]);
  });

  it('comes up on the next free port when the wanted one is taken, and says so', async () => {
    first = npmStart('--port', String(port));
    run = await ready(first);
    const found = Number(new URL(run.url).port);
    expect(found).toBeGreaterThan(port);
    expect(first.output()).toContain(`port ${port} (pages and intake) is taken: using ${found}`);
    const page = await fetch(run.url, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });

  it('keeps what is secret to its owner', () => {
    for (const name of ['run.json', 'tokens.json', 'database-url', 'sign-in.json', 'control-plane/kubeconfig']) {
      expect([name, statSync(join(data, name)).mode & 0o077]).toEqual([name, 0]);
    }
  });

  it('stores nothing that a later --fresh would leave behind', () => {
    expect(readdirSync(data).filter((name) => !isStored(name))).toEqual(['lock']);
  });

  it('tells in run.json what runs', () => {
    expect(pidsOf(run)).toHaveLength(6);
    expect(pidsOf(run).every(processExists)).toBe(true);
    expect(run.sources).toEqual([]);
  });

  it('refuses a second one in the same place and says who runs where', async () => {
    const second = npmStart();
    expect(await second.exit).toBe(1);
    expect(second.output()).toContain('one is running in this clone already: pid ');
    expect(second.output()).toContain(run.url);
    expect(pidsOf(run).every(processExists)).toBe(true);
  });

  it.each(['operator', 'webhook', 'postgres'] as const)(
    'starts %s again after kill -9, and run.json is true again',
    async (name) => {
      const before = readRunFile(data)?.processes[name] ?? 0;
      process.kill(before, 'SIGKILL');
      const after = await until(`another ${name}`, 60_000, () => {
        const pid = readRunFile(data)?.processes[name];
        return typeof pid === 'number' && pid !== before && pid;
      });
      expect(processExists(after)).toBe(true);
      expect(first.output()).toContain(`${name} (pid ${before}) was ended by SIGKILL: starting it again`);
    },
  );

  it('leaves no orphan when npm itself is killed with -9', async () => {
    const pids = pidsOf(readRunFile(data) ?? run);
    expect(pids).toHaveLength(6);
    first.child.kill('SIGKILL');
    await until('all parts to be gone', 20_000, () => !pids.some(processExists));
    // The owner outlives its parts by the moment in which it takes these away; only then may another start.
    await gone('run.json', 'lock');
  });

  it('starts again after that; when its own process is killed with -9 the guardian ends the parts', async () => {
    const again = npmStart('--port', String(port));
    const pids = pidsOf(await ready(again));
    const owner = Number(/"pid":(\d+)/.exec(execFileSync('cat', [join(data, 'lock')], { encoding: 'utf8' }))?.[1]);
    process.kill(owner, 'SIGKILL');
    await until('all parts to be gone', 20_000, () => !pids.some(processExists));
    await gone('run.json');
    expect(await again.exit).not.toBe(0);
  });

  it('takes over the lock that was left, and ends within seconds when asked, with nothing left', async () => {
    const last = npmStart('--port', String(port));
    const lastRun = await ready(last);
    const pids = pidsOf(lastRun);
    const asked = performance.now();
    last.child.kill('SIGTERM');
    await last.exit;
    await until('all parts to be gone', 10_000, () => !pids.some(processExists));
    expect(performance.now() - asked).toBeLessThan(10_000);
    await gone('run.json', 'lock');
    expect(await tryPort(Number(new URL(lastRun.url).port))).toBeDefined();
  });

  it('has never asked what KUBECONFIG, DATABASE_URL and their like point to, and said that it ignores them', () => {
    expect(recorded).toEqual([]);
    expect(first.output()).toMatch(/ignored: DATABASE_URL, KUBECONFIG, .* of your environment/);
  });
});

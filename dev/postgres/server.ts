/** A private Postgres on loopback: made once, started as a program. What it stores is `history`'s business. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readiness } from '../controlplane/control-plane.ts';
import { launch, type Running } from '../process/child.ts';
import { childEnvironment } from '../process/environment.ts';
import { Fault, messageOf } from '../process/fault.ts';
import { runTask, TaskFailed } from '../process/task.ts';
import { mayEnter, ownDirectory, placeFor, postgresAccount } from './account.ts';
import type { PostgresBinaries } from './binaries.ts';

const DATABASE = 'postgres';
const OWNER = 'funnelai';
/** After a kill -9 of the postmaster its backends hold the data directory for a moment. */
const RELEASE_MS = 15_000;
const RETRY_MS = 250;

export interface PostgresServer {
  /** Where the data really lies, and whether that is outside the directory that was asked for. */
  readonly place: { directory: string; moved: boolean; account?: string };
  /** URL of the owner; a secret. */
  readonly url: string;
  start(): Promise<Running>;
}

export interface PostgresOptions {
  binaries: PostgresBinaries;
  /** Data directory of the whole installation; mode 0700 or, where another user must pass, 0711. */
  directory: string;
  logs: string;
  port: number;
  fsync: boolean;
}

/** Makes the cluster when it is not there and describes its server. */
export async function createPostgres(o: PostgresOptions): Promise<PostgresServer> {
  const account = postgresAccount();
  const place = placeFor(o.directory, account);
  ownDirectory(place.directory, account);
  const as = account ? { uid: account.uid, gid: account.gid } : undefined;

  const data = join(place.directory, 'data');
  const passwordPath = join(o.directory, 'postgres-password');
  const hasPassword = existsSync(passwordPath);
  let bin = o.binaries.bin;
  if (account && o.binaries.portable && !mayEnter(o.binaries.portable, account)) {
    const copy = join(place.directory, `binaries-${o.binaries.version}`);
    if (!existsSync(copy)) cpSync(o.binaries.portable, copy, { recursive: true, verbatimSymlinks: true });
    bin = join(copy, 'bin');
  }
  checkMajor(data, o.binaries.version);
  if (!existsSync(data) || !hasPassword) {
    rmSync(data, { recursive: true, force: true });
    writeFileSync(passwordPath, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await initialize(bin, data, readFileSync(passwordPath, 'utf8'), as, o.fsync);
  }
  const password = readFileSync(passwordPath, 'utf8').trim();

  const program = {
    name: 'postgres',
    command: join(bin, 'postgres'),
    args: [
      ['-D', data],
      ['-p', String(o.port)],
      ['-c', 'listen_addresses=127.0.0.1'],
      // No socket file: nothing of ours uses it, and its directory differs from system to system.
      ['-c', 'unix_socket_directories='],
      ['-c', 'max_connections=100'],
      ['-c', 'logging_collector=off'],
      ...(o.fsync
        ? []
        : [
            ['-c', 'fsync=off'],
            ['-c', 'synchronous_commit=off'],
            ['-c', 'full_page_writes=off'],
          ]),
    ].flat(),
    cwd: place.directory,
    env: { LC_ALL: 'C' },
    ...(as ? { as } : {}),
    logPath: join(o.logs, 'postgres.log'),
    stopSignal: 'SIGINT',
    farewell: 'interrupt',
  } as const;

  return {
    place: { ...place, ...(account ? { account: account.name } : {}) },
    url: `postgres://${OWNER}:${password}@127.0.0.1:${o.port}/${DATABASE}`,
    async start() {
      const deadline = performance.now() + RELEASE_MS;
      for (;;) {
        const server = await launch(program);
        try {
          await readiness(server, () => acceptsConnections(o.port, server));
          return server;
        } catch (error) {
          const held = /shared memory block|lock file .* already exists/.test(server.log.tail().join('\n'));
          if (!held || performance.now() > deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    },
  };
}

/** Which major version of Postgres made what is stored for `directory`; undefined when nothing is. */
export function storedMajor(directory: string): number | undefined {
  return majorOf(join(placeFor(directory, postgresAccount()).directory, 'data'));
}

function majorOf(data: string): number | undefined {
  const path = join(data, 'PG_VERSION');
  return existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : undefined;
}

function checkMajor(data: string, version: string): void {
  const stored = majorOf(data);
  if (stored !== undefined && Number.parseInt(version, 10) !== stored) {
    throw new Fault(
      `${data} was made by Postgres ${stored}, but Postgres ${version} was found: install ${stored} again, or start anew with npm start -- --fresh (the stored history is lost)`,
    );
  }
}

async function initialize(
  bin: string,
  data: string,
  password: string,
  as: { uid: number; gid: number } | undefined,
  fsync: boolean,
): Promise<void> {
  const draft = mkdtempSync(join(tmpdir(), 'funnelai-initdb-'));
  // Renamed when it is whole: one that was killed half-way must not pass for a cluster.
  const half = `${data}.half`;
  rmSync(half, { recursive: true, force: true });
  try {
    const file = join(draft, 'password');
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    if (as) {
      chownSync(draft, as.uid, as.gid);
      chownSync(file, as.uid, as.gid);
    }
    await runTask({
      command: join(bin, 'initdb'),
      args: [
        ...['-D', half],
        ...['-U', OWNER],
        '--auth=scram-sha-256',
        `--pwfile=${file}`,
        '--encoding=UTF8',
        '--no-locale',
        ...(fsync ? [] : ['--no-sync']),
      ],
      env: childEnvironment({ LC_ALL: 'C' }),
      cwd: draft,
      as,
    });
    renameSync(half, data);
  } catch (error) {
    const why = error instanceof TaskFailed ? `${error.message}: ${error.output}` : messageOf(error);
    throw new Fault(`initdb failed: ${why}`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Ready as the wire protocol sees it: a startup message is answered with a request to authenticate, not an error. */
function acceptsConnections(port: number, server: Running): Promise<boolean> {
  if (!server.log.tail().some((line) => line.includes('ready to accept connections'))) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => done(false));
    socket.once('error', () => done(false));
    socket.once('connect', () => {
      const body = Buffer.from(`user\0${OWNER}\0database\0${DATABASE}\0\0`);
      const head = Buffer.alloc(8);
      head.writeInt32BE(body.length + 8, 0);
      head.writeInt32BE(196_608, 4);
      socket.write(Buffer.concat([head, body]));
    });
    socket.once('data', (chunk) => done(chunk[0] === 'R'.charCodeAt(0)));
  });
}

/** Removes everything that `createPostgres` put outside the data directory. */
export function wipePostgres(directory: string): void {
  if (!existsSync(directory)) return;
  const place = placeFor(directory, postgresAccount());
  if (place.moved) rmSync(place.directory, { recursive: true, force: true });
}

/** Makes the data directory of an installation. Where Postgres runs as another user, that one may pass through and see nothing. */
export function makeDataDirectory(directory: string): void {
  const mode = postgresAccount() ? 0o711 : 0o700;
  mkdirSync(directory, { recursive: true, mode });
  chmodSync(directory, mode);
}

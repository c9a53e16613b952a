/** One real control plane and one real Postgres in a temporary directory, for a test run or for a test that breaks them. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyConfig } from '@funnelai/dev/controlplane/apply-config';
import { findAssets } from '@funnelai/dev/controlplane/assets';
import { type ControlPlane, createControlPlane } from '@funnelai/dev/controlplane/control-plane';
import { findPostgres } from '@funnelai/dev/postgres/binaries';
import { createPostgres, makeDataDirectory, type PostgresServer, wipePostgres } from '@funnelai/dev/postgres/server';
import type { Running } from '@funnelai/dev/process/child';
import { anyFreePorts } from '@funnelai/dev/process/ports';
import type { Say } from '@funnelai/dev/process/say';
import { USERS } from './users.ts';

export type PartName = 'etcd' | 'apiserver' | 'controllerManager' | 'postgres';

export interface Environment {
  readonly kubeconfig: string;
  readonly assets: string;
  readonly etcdUrl: string;
  readonly server: string;
  readonly databaseUrl: string;
  readonly controlPlane: ControlPlane;
  readonly postgres: PostgresServer;
  /** The parts by name, as they run now. */
  readonly parts: Record<PartName, Running>;
  /** Starts a part again where it stood, after it was killed. Resolves once it is ready. */
  restart(name: PartName): Promise<void>;
  stop(): Promise<void>;
}

export interface EnvironmentOptions {
  say: Say;
  /** True for tests of durability. */
  fsync?: boolean;
  /** False leaves the control plane empty, without our kinds. */
  applyConfig?: boolean;
}

export async function startEnvironment(o: EnvironmentOptions): Promise<Environment> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'funnelai-test-')));
  makeDataDirectory(directory);
  const [assets, binaries, ports] = await Promise.all([findAssets(o), findPostgres(o.say), anyFreePorts(4)]);
  const [apiserver = 0, etcd = 0, etcdPeer = 0, postgresPort = 0] = ports;
  const logs = join(directory, 'logs');
  const fsync = o.fsync ?? false;
  const controlPlane = createControlPlane({
    assets,
    directory: join(directory, 'control-plane'),
    logs,
    ports: { apiserver, etcd, etcdPeer },
    fsync,
    users: USERS,
  });
  const started: Running[] = [];
  const stop = async () => {
    for (const part of started.reverse()) await part.stop();
    wipePostgres(directory);
    rmSync(directory, { recursive: true, force: true });
  };
  const keep = (part: Running) => {
    started.push(part);
    return part;
  };
  try {
    const database = createPostgres({ binaries, directory, logs, port: postgresPort, fsync }).then(async (server) => ({
      server,
      running: keep(await server.start()),
    }));
    // Awaited below; a failure before that must not count as unhandled.
    database.catch(() => undefined);
    const parts = {
      etcd: keep(await controlPlane.startEtcd()),
      apiserver: keep(await controlPlane.startApiserver()),
      controllerManager: keep(await controlPlane.startControllerManager()),
      postgres: (await database).running,
    };
    const { kubeconfig } = controlPlane;
    if (o.applyConfig !== false) {
      const cache = join(directory, 'kubectl-cache');
      await applyConfig({ program: join(assets, 'kubectl'), kubeconfig, context: 'admin', cache }, o.say);
    }
    const { server: postgres } = await database;
    const starts: Record<PartName, () => Promise<Running>> = {
      etcd: () => controlPlane.startEtcd(),
      apiserver: () => controlPlane.startApiserver(),
      controllerManager: () => controlPlane.startControllerManager(),
      postgres: () => postgres.start(),
    };
    return {
      kubeconfig,
      assets,
      etcdUrl: controlPlane.etcdUrl,
      server: controlPlane.server,
      databaseUrl: postgres.url,
      controlPlane,
      postgres,
      parts,
      async restart(name) {
        parts[name] = keep(await starts[name]());
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

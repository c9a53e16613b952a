/**
 * Finds the control plane's binaries: KUBEBUILDER_ASSETS, else our cache, else an archive that the person named, else
 * built from source. Answers with a directory in which all four lie and run; starting them is not its business.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../process/fault.ts';
import type { Say } from '../process/say.ts';
import { build } from './build.ts';
import { download } from './download.ts';
import { cacheDirectory, KUBERNETES_VERSION, lackOfCache, lackOfNamed, missingIn, namedAssets } from './needs.js';

const run = promisify(execFile);
/** The policies that write need MutatingAdmissionPolicy v1, which came with 1.36. */
const OLDEST_MINOR = 36;

export interface AssetOptions {
  say: Say;
  assetsUrl?: string;
  environment?: NodeJS.ProcessEnv;
}

async function versionOf(directory: string): Promise<string> {
  try {
    const { stdout } = await run(join(directory, 'kube-apiserver'), ['--version'], { timeout: 20_000 });
    return stdout.trim().replace(/^Kubernetes v?/, '');
  } catch (error) {
    throw new Fault(
      `${join(directory, 'kube-apiserver')} does not run on this machine (${error instanceof Error ? error.message.split('\n')[0] : error}): ` +
        `expected binaries for ${process.platform}/${process.arch}`,
    );
  }
}

async function fromKubebuilder(directory: string, say: Say): Promise<string> {
  const lack = lackOfNamed(directory);
  if (lack !== undefined) throw new Fault(lack);
  const version = await versionOf(directory);
  const minor = Number(/^1\.(\d+)/.exec(version)?.[1]);
  if (!(minor >= OLDEST_MINOR)) {
    throw new Fault(
      `KUBEBUILDER_ASSETS=${directory} holds Kubernetes ${version}; expected 1.${OLDEST_MINOR} or newer (MutatingAdmissionPolicy): ` +
        'point it at newer binaries, or unset it',
    );
  }
  say(`  control plane: Kubernetes ${version} from KUBEBUILDER_ASSETS (${directory})`);
  return directory;
}

/** Resolves the directory with etcd, kube-apiserver, kube-controller-manager and kubectl. Throws a Fault with what to do. */
export async function findAssets({ say, assetsUrl, environment = process.env }: AssetOptions): Promise<string> {
  const named = namedAssets(environment);
  if (named !== undefined) return fromKubebuilder(named, say);
  const cache = cacheDirectory(environment);
  if (missingIn(cache).length === 0) {
    say(`  control plane: Kubernetes ${KUBERNETES_VERSION} from ${cache}`);
    return cache;
  }
  const lack = lackOfCache(cache);
  if (lack !== undefined) throw new Fault(lack);
  if (assetsUrl) await download({ url: assetsUrl, into: cache, say });
  else await build({ into: cache, say, environment });
  const version = await versionOf(cache);
  say(`  control plane: Kubernetes ${version}, kept in ${cache} for every clone`);
  return cache;
}

/**
 * Finds the control plane's binaries: KUBEBUILDER_ASSETS, else our cache, else an archive that the person named, else
 * built from source. Answers with a directory in which all four lie and run; starting them is not its business.
 */
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../process/fault.ts';
import type { Say } from '../process/say.ts';
import { KUBERNETES_VERSION, missingIn, platformName } from './binaries.ts';
import { build } from './build.ts';
import { download } from './download.ts';

const run = promisify(execFile);
/** The policies that write need MutatingAdmissionPolicy v1, which came with 1.36. */
const OLDEST_MINOR = 36;

export interface AssetOptions {
  say: Say;
  assetsUrl?: string;
  environment?: NodeJS.ProcessEnv;
}

/** Our cache outside every clone, so that the second clone builds nothing. */
export function cacheDirectory(environment = process.env): string {
  const base = environment.XDG_CACHE_HOME;
  // The XDG rule: a relative path there is invalid and to be ignored.
  const root = base?.startsWith('/') ? base : join(homedir(), '.cache');
  return join(root, 'funnelai', 'control-plane', platformName());
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

async function fromKubebuilder(named: string, say: Say): Promise<string> {
  const directory = resolve(named);
  const missing = missingIn(directory);
  if (missing.length > 0) {
    const hint = missing.includes('kube-controller-manager')
      ? ' (envtest archives carry no kube-controller-manager; without one no namespace ever ends)'
      : '';
    throw new Fault(
      `KUBEBUILDER_ASSETS=${named} lacks ${missing.join(', ')}${hint}: add what is missing, or unset the variable and let funnelAI use its own cache`,
    );
  }
  const version = await versionOf(directory);
  const minor = Number(/^1\.(\d+)/.exec(version)?.[1]);
  if (!(minor >= OLDEST_MINOR)) {
    throw new Fault(
      `KUBEBUILDER_ASSETS=${named} holds Kubernetes ${version}; expected 1.${OLDEST_MINOR} or newer (MutatingAdmissionPolicy): ` +
        'point it at newer binaries, or unset it',
    );
  }
  say(`  control plane: Kubernetes ${version} from KUBEBUILDER_ASSETS (${directory})`);
  return directory;
}

/** Resolves the directory with etcd, kube-apiserver, kube-controller-manager and kubectl. Throws a Fault with what to do. */
export async function findAssets({ say, assetsUrl, environment = process.env }: AssetOptions): Promise<string> {
  const named = environment.KUBEBUILDER_ASSETS;
  if (named) return fromKubebuilder(named, say);
  const cache = cacheDirectory(environment);
  if (missingIn(cache).length === 0) {
    say(`  control plane: Kubernetes ${KUBERNETES_VERSION} from ${cache}`);
    return cache;
  }
  if (assetsUrl) await download({ url: assetsUrl, into: cache, say });
  else await build({ into: cache, say, environment });
  const version = await versionOf(cache);
  say(`  control plane: Kubernetes ${version}, kept in ${cache} for every clone`);
  return cache;
}

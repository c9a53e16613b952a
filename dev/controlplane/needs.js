/**
 * What a control plane needs of this machine: binaries that are here, or a Go that can build them. Asked before anything that
 * takes long, the first install of the dependencies too: plain JavaScript that Node 20 runs as it is, without any dependency.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The version of the embedded control plane; go.mod beside this file must name the same (a test holds them together). */
export const KUBERNETES_VERSION = '1.37.2';

/** What must lie in a directory of control-plane binaries, under these names. */
export const BINARIES = /** @type {const} */ (['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']);

const GO_MINOR = 26;
const BUILD_BYTES = 6e9;
const ASK_MS = 20_000;

export const QUICKER_WAYS = [
  '    quicker: npm start -- --assets-url URL    (a .tar.gz or a directory of prebuilt binaries, with SHA256SUMS beside it)',
  '    quicker: KUBEBUILDER_ASSETS=DIR npm start (a directory with etcd, kube-apiserver, kube-controller-manager, kubectl)',
].join('\n');

/** Names of the binaries that are missing in `directory` or cannot be executed. @param {string} directory @returns {string[]} */
export function missingIn(directory) {
  return BINARIES.filter((name) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return !statSync(join(directory, name)).isFile();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return true;
      throw error;
    }
  });
}

/** What all clones of a user share. @param {NodeJS.ProcessEnv} environment */
export function sharedDirectory(environment = process.env) {
  const base = environment.XDG_CACHE_HOME;
  // The XDG rule: a relative path there is invalid and to be ignored.
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'funnelai');
}

/** Where binaries lie outside every clone, so that the second clone builds nothing. @param {NodeJS.ProcessEnv} environment */
export function cacheDirectory(environment = process.env) {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return join(sharedDirectory(environment), 'control-plane', `${KUBERNETES_VERSION}-${process.platform}-${arch}`);
}

/**
 * The directory that KUBEBUILDER_ASSETS names, as meant where the person typed it.
 * @param {NodeJS.ProcessEnv} environment @returns {string | undefined}
 */
export function namedAssets(environment = process.env) {
  const named = environment.KUBEBUILDER_ASSETS;
  return named ? resolve(environment.FUNNELAI_CALLED_FROM ?? environment.INIT_CWD ?? process.cwd(), named) : undefined;
}

/** What `directory` lacks of a control plane, and what to do about it. @param {string} directory @returns {string | undefined} */
export function lackOfNamed(directory) {
  const missing = missingIn(directory);
  if (missing.length === 0) return undefined;
  const hint = missing.includes('kube-controller-manager')
    ? ' (envtest archives carry no kube-controller-manager; without one no namespace ever ends)'
    : '';
  return `KUBEBUILDER_ASSETS=${directory} lacks ${missing.join(', ')}${hint}: add what is missing, or unset the variable and let funnelAI use its own cache`;
}

/**
 * Why the control plane cannot be built on this machine, and what to do about it; undefined when it can.
 * @param {string} directory where the binaries are to lie @param {NodeJS.ProcessEnv} environment @returns {string | undefined}
 */
export function lackOfBuild(directory, environment = process.env) {
  const need = `Kubernetes ${KUBERNETES_VERSION} has to be built once and needs Go 1.${GO_MINOR} or newer`;
  const get = `get it from https://go.dev/dl/, or skip the build:\n${QUICKER_WAYS}`;
  let version;
  try {
    // A toolchain download of another 100 MB does not happen unasked.
    version = execFileSync('go', ['env', 'GOVERSION'], {
      env: { ...environment, GOTOOLCHAIN: 'local' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: ASK_MS,
    }).trim();
  } catch {
    return `no control-plane binaries are here, and no "go" that runs is on the PATH: ${need}; ${get}`;
  }
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1]);
  if (!(minor >= GO_MINOR)) return `found ${version || 'an unknown Go'} on the PATH, but ${need}; ${get}`;
  const { bavail, bsize } = statfsSync(firstExisting(directory));
  if (bavail * bsize >= BUILD_BYTES) return undefined;
  const free = ((bavail * bsize) / 1e9).toFixed(1);
  return `building the control plane needs about ${BUILD_BYTES / 1e9} GB of disk, ${free} GB are free at ${directory}: make room, or skip the build:\n${QUICKER_WAYS}`;
}

/**
 * Why nothing can be kept in the cache, and what to do about it; undefined when it can.
 * @param {string} directory where the binaries are to lie @returns {string | undefined}
 */
export function lackOfCache(directory) {
  const there = firstExisting(directory);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
    if (statSync(there).isDirectory()) return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
  }
  return (
    `the control plane's binaries are to be kept in ${directory}, once for all clones, and nothing can be made in ${there}: ` +
    'name a directory that can be written to with XDG_CACHE_HOME=DIR npm start, or binaries that are there already with KUBEBUILDER_ASSETS=DIR npm start'
  );
}

/** @param {string} path @returns {string} */
function firstExisting(path) {
  return existsSync(path) || path === dirname(path) ? path : firstExisting(dirname(path));
}

/** Why no control plane can be had here at all, unless a flag says where it is. @param {NodeJS.ProcessEnv} environment */
export function lackOfControlPlane(environment = process.env) {
  const named = namedAssets(environment);
  if (named !== undefined) return lackOfNamed(named);
  const cache = cacheDirectory(environment);
  return missingIn(cache).length === 0 ? undefined : (lackOfCache(cache) ?? lackOfBuild(cache, environment));
}

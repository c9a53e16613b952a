/**
 * Builds the control plane's binaries from their Go modules, once for all clones. The module beside this file holds no Go
 * code of ours: only the versions, and the sums that Go checks what it downloads against.
 */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeExit } from '../process/child.ts';
import { childEnvironment } from '../process/environment.ts';
import { Fault } from '../process/fault.ts';
import { guard, unguard } from '../process/guardian.ts';
import { patiently, type Say } from '../process/say.ts';
import { KUBERNETES_VERSION, missingIn } from './binaries.ts';
import { installOnce } from './install.ts';

const run = promisify(execFile);
const MODULE = fileURLToPath(new URL('./', import.meta.url));
const GO_MINOR = 26;
const DISK_BYTES = 6e9;
/** Minutes of one core that a cold build took where it was measured: 8 minutes on two cores. */
const CORE_MINUTES = 16;

const COMMANDS = [
  'k8s.io/kubernetes/cmd/kube-apiserver',
  'k8s.io/kubernetes/cmd/kube-controller-manager',
  'k8s.io/kubernetes/cmd/kubectl',
  'go.etcd.io/etcd/server/v3',
];

export const QUICKER_WAYS = [
  '    quicker: npm start -- --assets-url URL    (a .tar.gz or a directory of prebuilt binaries, with SHA256SUMS beside it)',
  '    quicker: KUBEBUILDER_ASSETS=DIR npm start (a directory with etcd, kube-apiserver, kube-controller-manager, kubectl)',
].join('\n');

/** Throws a Fault unless a Go that can build this is on the PATH and the disk has room. */
export async function checkBuildPrerequisites(directory: string, environment = process.env): Promise<void> {
  const need = `Kubernetes ${KUBERNETES_VERSION} has to be built once and needs Go 1.${GO_MINOR} or newer`;
  const get = `get it from https://go.dev/dl/, or skip the build:\n${QUICKER_WAYS}`;
  let version: string;
  try {
    version = (
      await run('go', ['env', 'GOVERSION'], { env: goEnvironment(environment), timeout: 20_000 })
    ).stdout.trim();
  } catch {
    throw new Fault(`no control-plane binaries are here, and no "go" is on the PATH: ${need}; ${get}`);
  }
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1]);
  if (!(minor >= GO_MINOR)) throw new Fault(`found ${version || 'an unknown Go'} on the PATH, but ${need}; ${get}`);
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < DISK_BYTES) {
    throw new Fault(
      `building the control plane needs about ${DISK_BYTES / 1e9} GB of disk, ${((bavail * bsize) / 1e9).toFixed(1)} GB are free at ${directory}: make room, or skip the build:\n${QUICKER_WAYS}`,
    );
  }
}

function goEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // The person's own GOFLAGS, GOPROXY and caches stay; a toolchain download of another 100 MB does not happen unasked.
  return { ...childEnvironment({}, environment), GOTOOLCHAIN: 'local' };
}

export async function build({
  into,
  say,
  environment = process.env,
}: {
  into: string;
  say: Say;
  environment?: NodeJS.ProcessEnv;
}): Promise<void> {
  mkdirSync(dirname(into), { recursive: true });
  await checkBuildPrerequisites(dirname(into), environment);
  const minutes = Math.max(2, Math.ceil(CORE_MINUTES / cpus().length));
  say(
    `  control plane: building Kubernetes ${KUBERNETES_VERSION} and etcd from source, once for all clones (package registries carry no binaries of them).\n` +
      `    about ${minutes} minutes on ${cpus().length} cores with nothing built yet, seconds when Go has built it before; about 1 GB is downloaded\n${QUICKER_WAYS}`,
  );
  await installOnce(
    into,
    () => missingIn(into).length === 0,
    say,
    async (draft) => {
      // Go writes no file beside the sources this way, not even into a clone that is read-only.
      const work = mkdtempSync(join(tmpdir(), 'funnelai-controlplane-'));
      try {
        for (const file of ['go.mod', 'go.sum']) cpSync(join(MODULE, file), join(work, file));
        await patiently(say, 'building the control plane', `about ${minutes} minutes when nothing is built yet`, () =>
          compile(work, draft, environment),
        );
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
      renameSync(join(draft, 'server'), join(draft, 'etcd'));
    },
  );
}

function compile(work: string, out: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const [major, minor] = KUBERNETES_VERSION.split('.');
  const stamp = 'k8s.io/component-base/version';
  const flags = `-s -w -X ${stamp}.gitVersion=v${KUBERNETES_VERSION} -X ${stamp}.gitMajor=${major} -X ${stamp}.gitMinor=${minor}`;
  const child = spawn('go', ['build', `-ldflags=${flags}`, '-o', `${out}/`, ...COMMANDS], {
    cwd: work,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: goEnvironment(environment),
  });
  const { pid } = child;
  if (pid !== undefined) guard(pid, 'kill');
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (pid !== undefined) unguard(pid);
      if (code === 0) resolve();
      else
        reject(
          new Fault(
            `go build ${describeExit({ code, signal })}:\n${output.trim()}\n  skip the build:\n${QUICKER_WAYS}`,
          ),
        );
    });
  });
}

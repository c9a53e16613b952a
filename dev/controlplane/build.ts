/**
 * Builds the control plane's binaries from their Go modules, once for all clones. The module beside this file holds no Go
 * code of ours: only the versions, and the sums that Go checks what it downloads against.
 */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../process/environment.ts';
import { Fault } from '../process/fault.ts';
import { patiently, type Say } from '../process/say.ts';
import { runTask, TaskFailed } from '../process/task.ts';
import { installOnce } from './install.ts';
import { KUBERNETES_VERSION, lackOfBuild, missingIn, QUICKER_WAYS } from './needs.js';

const MODULE = fileURLToPath(new URL('./', import.meta.url));
/** Minutes of one core that a cold build took where it was measured: 8 minutes on two cores. */
const CORE_MINUTES = 16;

const COMMANDS = [
  'k8s.io/kubernetes/cmd/kube-apiserver',
  'k8s.io/kubernetes/cmd/kube-controller-manager',
  'k8s.io/kubernetes/cmd/kubectl',
  'go.etcd.io/etcd/server/v3',
];

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
  const lack = lackOfBuild(dirname(into), environment);
  if (lack !== undefined) throw new Fault(lack);
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

async function compile(work: string, out: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const [major, minor] = KUBERNETES_VERSION.split('.');
  const stamp = 'k8s.io/component-base/version';
  const flags = `-s -w -X ${stamp}.gitVersion=v${KUBERNETES_VERSION} -X ${stamp}.gitMajor=${major} -X ${stamp}.gitMinor=${minor}`;
  try {
    await runTask({
      command: 'go',
      args: ['build', `-ldflags=${flags}`, '-o', `${out}/`, ...COMMANDS],
      cwd: work,
      // The person's own GOFLAGS, GOPROXY and caches stay.
      env: { ...childEnvironment({}, environment), GOTOOLCHAIN: 'local' },
    });
  } catch (error) {
    if (!(error instanceof TaskFailed)) throw error;
    throw new Fault(`go build ${error.message}:\n${error.output}\n  skip the build:\n${QUICKER_WAYS}`);
  }
}

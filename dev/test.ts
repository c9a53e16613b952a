/**
 * `npm test`: what tests need, then the checks, then every test on real parts. Ends with one line, `N passed, N failed`;
 * each check counts as one. Arguments go to vitest (`npm test -- kube`).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecks } from './checks/run.ts';
import { findAssets } from './controlplane/assets.ts';
import { findPostgres } from './postgres/binaries.ts';
import { watchAncestors } from './process/ancestors.ts';
import { childEnvironment, pointersIn } from './process/environment.ts';
import { Fault, messageOf } from './process/fault.ts';
import { guard, unguard } from './process/guardian.ts';
import { sayToTerminal as say } from './process/say.ts';
import { ensurePackages } from './test/packages.ts';
import { type Count, countResults } from './test/results.ts';
import { buildUi } from './ui-build.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = join(ROOT, 'test', '.artifacts', 'report.json');

let vitestPid: number | undefined;
/** vitest has a group of its own, so that nothing of it stays behind; it is asked first, to end the control plane in order. */
function end(code: number): void {
  if (vitestPid === undefined) process.exit(code);
  process.kill(-vitestPid, 'SIGINT');
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(1));
watchAncestors(process.env.FUNNELAI_ANCESTORS, () => end(1));

function runVitest(args: string[]): Promise<Count> {
  rmSync(REPORT, { force: true });
  mkdirSync(join(ROOT, 'test', '.artifacts'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  // KUBEBUILDER_ASSETS is the one pointer that tests may follow: it names programs, not a cluster.
  const assets = process.env.KUBEBUILDER_ASSETS;
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...args],
    {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
      env: childEnvironment(assets ? { KUBEBUILDER_ASSETS: assets } : {}),
    },
  );
  vitestPid = child.pid;
  if (child.pid !== undefined) guard(child.pid, 'interrupt');
  return new Promise((resolve) => {
    child.once('error', () => resolve({ passed: 0, failed: 1 }));
    child.once('exit', (code) => {
      if (child.pid !== undefined) unguard(child.pid);
      vitestPid = undefined;
      const report: unknown = existsSync(REPORT) ? JSON.parse(readFileSync(REPORT, 'utf8')) : undefined;
      resolve(countResults(report, code ?? 1));
    });
  });
}

async function prepare(): Promise<void> {
  const ignored = pointersIn(process.env).filter((name) => !name.startsWith('KUBEBUILDER_'));
  if (ignored.length > 0) say(`ignored: ${ignored.join(', ')} of your environment; tests use parts of their own`);
  await ensurePackages(say);
  await findAssets({ say });
  await findPostgres(say);
  await buildUi(ROOT, say);
}

const total: Count = { passed: 0, failed: 0 };
const add = ({ passed, failed }: Count): void => {
  total.passed += passed;
  total.failed += failed;
};

try {
  await prepare();
  add(await runChecks(ROOT, say));
  add(await runVitest(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Fault ? `npm test: ${messageOf(error)}` : error);
  total.failed++;
}
say(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);

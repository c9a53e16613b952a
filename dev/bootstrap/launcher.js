/**
 * The first step of npm start, npm test and npm run bench: checks what the machine must have, installs the dependencies
 * where they are missing, and hands over to Node 24. Plain JavaScript that Node 20 runs as it is.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPrerequisites, Missing, needsInstall } from './prerequisites.js';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const GUARDIAN = join(ROOT, 'dev', 'process', 'guardian-main.js');
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** @param {string} command name that the person typed, for messages @param {string} program path below the root */
export async function handOver(command, program) {
  // Whoever started us, still being there: a pid alone may be another's by the time that Node 24 looks.
  const parents = ancestors();
  try {
    checkPrerequisites(ROOT, process.argv.slice(2));
    if (needsInstall(ROOT)) await install(parents);
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    console.error(`${command}: ${error.message}`);
    process.exit(1);
  }
  const node = join(ROOT, 'node_modules', '.bin', 'node');
  const child = spawn(node, [join(ROOT, program), ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
    // Tests start programs by name, and a relative path in a flag is relative to where the person typed it.
    env: {
      ...process.env,
      PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
      FUNNELAI_BEGAN: String(Math.round(performance.timeOrigin)),
      FUNNELAI_ANCESTORS: [process.pid, ...parents].join(','),
      FUNNELAI_CALLED_FROM: process.env.INIT_CWD ?? process.cwd(),
    },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`${command}: ${node} could not be started: ${error.message}; remove node_modules and try again`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** @param {number[]} parents */
async function install(parents) {
  const why = existsSync(join(ROOT, 'node_modules'))
    ? 'they are not what package-lock.json says'
    : 'they are not there yet';
  console.log(`installing the dependencies with npm ci: ${why}; Node 24 is one of them. About a minute, once.`);
  const began = Date.now();
  const { code, signal } = await runGuarded('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], parents);
  if (code !== 0) {
    throw new Missing(
      `npm ci failed (exit ${code ?? signal}): its words are above. Is the package registry reachable? (npm ping)`,
    );
  }
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (existsSync(installed)) utimesSync(installed, new Date(), new Date());
  if (!existsSync(join(ROOT, 'node_modules', '.bin', 'node'))) {
    throw new Missing(
      'npm ci did not install Node 24: the install script of the npm package "node" was not allowed to run.\n' +
        '  Allow it (npm config get ignore-scripts must say false), remove node_modules and try again.',
    );
  }
  console.log(`  dependencies installed: ${Math.round((Date.now() - began) / 1000)} s`);
}

/**
 * Runs a program that does not outlive us, however we end: the guardian kills its group when we are gone.
 * @param {string} command @param {string[]} args @param {number[]} parents who started us; without them there is nobody to install for
 * @returns {Promise<{code: number | null, signal: string | null}>}
 */
function runGuarded(command, args, parents) {
  const guardian = spawn(process.execPath, [GUARDIAN], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: withoutLifecycle(),
  });
  if (child.pid !== undefined) guardian.stdin.write(`add ${child.pid} kill\n`);
  /** @param {string} reason */
  const giveUp = (reason) => {
    console.log(`\n${reason}: stopping; the next start installs the rest`);
    process.exit(reason === 'received SIGINT' ? 130 : 1);
  };
  const forward = SIGNALS.map((signal) => /** @type {const} */ ([signal, () => giveUp(`received ${signal}`)]));
  for (const [signal, listener] of forward) process.on(signal, listener);
  const watch = setInterval(() => {
    if (!parents.every(exists)) giveUp('npm, which started this, is gone');
  }, 500);
  return new Promise((resolve) => {
    /** @param {number | null} code @param {string | null} signal */
    const done = (code, signal) => {
      clearInterval(watch);
      for (const [name, listener] of forward) process.off(name, listener);
      guardian.stdin.end(`remove ${child.pid}\n`);
      resolve({ code, signal });
    };
    child.once('error', (error) => done(null, error.message));
    child.once('exit', done);
  });
}

/** @param {number} pid */
function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** npm inside npm takes settings of the outer one from the environment, the script's name among them. */
function withoutLifecycle() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(lifecycle|package|command|config_(argv|local_prefix))/.test(name),
    ),
  );
}

/**
 * npm and the shell that it started, while they are what stands above us. When npm is killed with -9, no signal reaches us:
 * the program that runs has to look whether they are still there.
 * @returns {number[]}
 */
function ancestors() {
  if (!process.env.npm_lifecycle_event) return [];
  const found = [process.ppid];
  const above = psField(process.ppid, 'ppid');
  const isShell = /(^|\/)(ba|da|z|k)?sh$/.test((psField(process.ppid, 'comm') ?? '').replace(/^-/, ''));
  if (isShell && Number(above) > 1) found.push(Number(above));
  return found.filter((pid) => pid > 1);
}

/** @param {number} pid @param {string} field */
function psField(pid, field) {
  try {
    return execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

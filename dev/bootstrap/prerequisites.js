/**
 * What has to be on the machine before anything else, checked before anything takes long. Plain JavaScript that Node 20
 * runs as it is, and without any dependency: it runs before there are any.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lackOfControlPlane } from '../controlplane/needs.js';

const INSTALL_BYTES = 1.5e9;

/** What can be said to a person without a stack. */
export class Missing extends Error {}

/** @param {string} command @param {string[]} args @returns {string | undefined} */
function ask(command, args) {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 30_000,
    }).trim();
  } catch {
    return undefined;
  }
}

/** With these flags another place than this machine may have the control plane, or nothing is started at all. */
const ELSEWHERE = /^--(assets-url|context|help)(=|$)/;

/** @param {string} root @param {string[]} args of the command. Throws Missing with what, why and how to get it. */
export function checkPrerequisites(root, args) {
  /** @type {string[]} */
  const missing = [];
  if (process.platform === 'win32') {
    missing.push(
      'Linux or macOS: the embedded control plane does not run on Windows itself. Get it: WSL 2 (https://learn.microsoft.com/windows/wsl/install)',
    );
  }
  if (ask('npm', ['--version']) === undefined)
    missing.push('npm: it installs the dependencies. It comes with Node: https://nodejs.org');
  if (ask('git', ['--version']) === undefined)
    missing.push('git: checks ask it which files are ours. Get it: https://git-scm.com (Debian: apt-get install git)');
  if (needsInstall(root)) {
    const { bavail, bsize } = statfsSync(root);
    if (bavail * bsize < INSTALL_BYTES) {
      missing.push(
        `${INSTALL_BYTES / 1e9} GB of free disk for the dependencies, found ${((bavail * bsize) / 1e9).toFixed(1)} GB at ${root}: make room`,
      );
    }
    // Later it is asked again, knowing more: now, so that nobody waits for the dependencies to hear it.
    if (!args.some((arg) => ELSEWHERE.test(arg)) && !process.env.npm_config_assets_url) {
      const lack = lackOfControlPlane();
      if (lack !== undefined) missing.push(lack);
    }
  }
  if (missing.length > 0) throw new Missing(`missing:\n${missing.map((line) => `  - ${line}`).join('\n')}`);
}

/** Whether `npm ci` has to run: nothing is installed, or something else than the lockfile says. @param {string} root */
export function needsInstall(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const node = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(installed) || !existsSync(node)) return true;
  // npm writes it last: older than the lockfile means that the lockfile has changed since, or that an install broke off.
  if (statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return false;
  return !sameVersions(root, installed);
}

/** A fresh checkout makes the lockfile newer without changing it: what counts is what it says. @param {string} root @param {string} installed */
function sameVersions(root, installed) {
  /** @type {Record<string, {version?: string, optional?: boolean, link?: boolean}>} */
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages ?? {};
  /** @type {Record<string, {version?: string}>} */
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages ?? {};
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (!path.startsWith('node_modules/') || link) return true;
    return path in present ? present[path]?.version === version : optional === true;
  });
}

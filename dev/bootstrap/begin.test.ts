import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BINARIES } from '../controlplane/needs.js';
import { processExists } from '../process/identity.ts';
import { until } from '../process/until.ts';

const DEV = fileURLToPath(new URL('../', import.meta.url));
let clone: string;
let bin: string;

const program = (directory: string, name: string, script: string) =>
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

/** A fresh clone, as far as its first step can tell, on a machine that has these programs and no others. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'funnelai-clone-'));
  for (const path of ['bootstrap', 'controlplane/needs.js', 'process/guardian-main.js'])
    cpSync(join(DEV, path), join(clone, 'dev', path), { recursive: true });
  writeFileSync(join(clone, 'package.json'), '{"type":"module"}');
  writeFileSync(join(clone, 'package-lock.json'), '{"packages":{}}');
  bin = join(clone, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  program(bin, 'git', 'echo git version 2');
  // Asked for its version it answers; asked to install it says so, and takes longer than anyone waits.
  program(bin, 'npm', 'if [ "$1" = --version ]; then echo 11; else echo "installing in $$"; exec /bin/sleep 600; fi');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

const environment = (more: Record<string, string> = {}) => ({
  HOME: clone,
  PATH: bin,
  ...more,
});

function start(more: Record<string, string> = {}, ...args: string[]): string {
  try {
    return execFileSync(process.execPath, [join(clone, 'dev/bootstrap/start.js'), ...args], {
      env: environment(more),
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    return error instanceof Error && 'stderr' in error
      ? String(error.stderr) + String(Reflect.get(error, 'stdout'))
      : '';
  }
}

describe('on a fresh clone', () => {
  it('what is missing is named before anything is installed, all of it at once', () => {
    rmSync(join(bin, 'git'));
    const said = start();
    expect(said).toContain('git: checks ask it which files are ours. Get it: ');
    expect(said).toMatch(/no "go" that runs is on the PATH: Kubernetes [\d.]+ has to be built once and needs Go 1\.26/);
    expect(said).toContain('--assets-url URL');
    expect(said).not.toContain('installing');
  });

  it('a Go that is too old is found out before anything is installed', () => {
    program(bin, 'go', 'echo go1.22.1');
    const said = start();
    expect(said).toContain('found go1.22.1 on the PATH, but Kubernetes');
    expect(said).not.toContain('installing');
  });

  it('a folder of binaries that lacks some is found out before anything is installed', () => {
    for (const name of BINARIES.slice(1)) program(bin, name, '');
    expect(start({ KUBEBUILDER_ASSETS: 'bin', INIT_CWD: clone })).toContain(`KUBEBUILDER_ASSETS=${bin} lacks etcd:`);
  });

  it('a place where no binaries can be kept is found out before anything is installed', () => {
    program(bin, 'go', 'echo go1.26.0');
    writeFileSync(join(clone, '.cache'), '');
    const said = start();
    expect(said).toMatch(
      /binaries are to be kept in \S+, once for all clones, and nothing can be made in \S+\.cache: /,
    );
    expect(said).toContain('XDG_CACHE_HOME=DIR');
    expect(said).not.toMatch(/installing|ENOTDIR/);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    '%s while it installs leaves no npm behind',
    async (signal) => {
      program(bin, 'go', 'echo go1.26.0');
      const child = spawn(process.execPath, [join(clone, 'dev/bootstrap/start.js')], {
        env: environment(),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const npm = Number(await until('npm to install', 20_000, () => /installing in (\d+)/.exec(said)?.[1]));
      expect(processExists(npm)).toBe(true);
      child.kill(signal);
      try {
        await until('npm to be gone', 10_000, () => !processExists(npm));
      } catch (error) {
        // It would hold up whoever waits for our output.
        process.kill(npm, 'SIGKILL');
        throw error;
      }
    },
    40_000,
  );
});

/** Runs every check, however many fail, and counts. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Say, seconds } from '../process/say.ts';
import { checkClock } from './clock.ts';
import { checkImports } from './imports.ts';
import { type Finding, type Source, textFiles } from './sources.ts';
import { checkWords } from './words.ts';

interface Check {
  name: string;
  /** Resolves what is wrong, or an empty text. */
  run(): Promise<string>;
}

/** Runs a program of this project; its output is what is wrong, when it ends with anything but 0. */
function program(root: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: root, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, FORCE_COLOR: '0' } },
      (error, stdout, stderr) => {
        resolve(error ? `${stdout}${stderr}`.trim() || error.message : '');
      },
    );
  });
}

function listed(findings: Finding[]): string {
  return findings.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n');
}

function checksOf(root: string): Check[] {
  const tool = (path: string) => join(root, 'node_modules', path);
  const tsc = tool('typescript/lib/tsc.js');
  const generator = join(root, 'crds', 'generate', 'main.ts');
  let sources: Source[] | undefined;
  const files = () => {
    sources ??= textFiles(root);
    return sources;
  };
  return [
    { name: 'types', run: () => program(root, tsc, '-p', 'tsconfig.json') },
    ...(existsSync(join(root, 'ui', 'tsconfig.json'))
      ? [{ name: 'types of the pages', run: () => program(root, tsc, '-p', 'ui/tsconfig.json') }]
      : []),
    {
      name: 'format and lint',
      run: () =>
        program(
          root,
          tool('@biomejs/biome/bin/biome'),
          'check',
          '--error-on-warnings',
          '--max-diagnostics=50',
          '--colors=off',
        ),
    },
    { name: 'import column', run: async () => listed(checkImports(files())) },
    { name: 'clock', run: async () => listed(checkClock(files())) },
    { name: 'words', run: async () => listed(checkWords(files())) },
    ...(existsSync(generator) ? [{ name: 'generated files', run: () => program(root, generator, '--check') }] : []),
  ];
}

/** Resolves how many passed and failed. */
export async function runChecks(root: string, say: Say): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  const checks = checksOf(root);
  for (const { name, run } of checks) {
    const began = performance.now();
    const wrong = await run();
    say(`${wrong === '' ? 'ok    ' : 'FAILED'} ${name} (${seconds(performance.now() - began)})`);
    if (wrong !== '') {
      failed++;
      say(wrong.replaceAll(/^/gm, '    '));
    }
  }
  return { passed: checks.length - failed, failed };
}

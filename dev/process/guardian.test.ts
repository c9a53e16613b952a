import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { processExists } from './identity.ts';
import { until } from './until.ts';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

it('nothing that a process started outlives its kill -9, grandchildren included', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'funnelai-guardian-'));
  try {
    const program = join(directory, 'parent.ts');
    // The child ignores every polite signal and has a child of its own.
    const child = `for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => {});
      const g = require('node:child_process').spawn('sleep', ['600']); console.log(g.pid); setInterval(() => {}, 1000)`;
    writeFileSync(
      program,
      `import { launch } from ${JSON.stringify(CHILD)};
      const one = await launch({ name: 'one', command: process.execPath, args: ['-e', ${JSON.stringify(child)}], logPath: ${JSON.stringify(join(directory, 'one.log'))} });
      while (one.log.tail().length === 0) await new Promise((r) => setTimeout(r, 20));
      console.log(JSON.stringify([one.pid, Number(one.log.tail()[0])]));
      setInterval(() => {}, 1000);`,
    );
    const parent = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    parent.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await until('the parent to name its children', 20_000, () => output.includes(']'));
    const pids = JSON.parse(output) as number[];
    expect(pids).toHaveLength(2);
    expect(pids.every(processExists)).toBe(true);
    parent.kill('SIGKILL');
    await until('all of them to be gone', 5_000, () => !pids.some(processExists));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 40_000);

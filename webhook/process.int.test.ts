import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { userOf } from '@funnelai/test/harness/users';
import { until } from '@funnelai/test/harness/wait';
import { afterEach, describe, expect, inject, it } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function run(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  child.stderr?.on('data', (data) => {
    output += data;
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { child, exited, output: () => output };
}

describe('the process', () => {
  it('says what is wrong with its flags, at once', async () => {
    const usage = run(['--port', 'x']);
    expect(await usage.exited).toBe(2);
    expect(usage.output()).toContain('--port: found x, expected a port from 0 to 65535');
    const missing = run(['--kubeconfig', '/nonexistent/kubeconfig']);
    expect(await missing.exited).toBe(1);
    expect(missing.output()).toContain('/nonexistent/kubeconfig');
    expect(missing.output()).not.toContain('    at ');
  });

  it('uses only what it was told to, is ready when its caches are, logs no secret, and ends with 0 on SIGTERM with a stream open', async () => {
    const ambient = { KUBECONFIG: '/nonexistent/ambient', DATABASE_URL: 'postgres://ambient:pass@127.0.0.1:1/x' };
    const main = run(
      [
        '--kubeconfig',
        inject('kubeconfig'),
        '--context',
        'webhook',
        '--port',
        '0',
        '--metrics-port',
        '0',
        '--log-level',
        'debug',
      ],
      ambient,
    );
    const line = await until('the process to listen', 20_000, () =>
      main
        .output()
        .split('\n')
        .find((l) => l.includes('"msg":"listening"')),
    );
    const { address: url, metrics: at }: { address: string; metrics: { port: number } } = JSON.parse(line);
    await until('the process to be ready', 20_000, async () => (await fetch(`${url}/readyz`)).status === 200);
    expect(main.output()).toContain('KUBECONFIG is set in the environment and is ignored');
    const token = userOf('admin').token;
    const stream = await fetch(`${url}/api/stream`, { headers: { authorization: `Bearer ${token}` } });
    expect(stream.status).toBe(200);
    await fetch(`${url}/sign-in?code=very-secret-code`, { redirect: 'manual' });
    await fetch(`${url}/alerts/default/none`, {
      method: 'POST',
      headers: { authorization: 'Bearer very-secret-bearer' },
      body: '{"very":"secret body"}',
    });
    const metrics = await (await fetch(`http://127.0.0.1:${at.port}/metrics`)).text();
    expect(metrics).toMatch(/^funnelai_webhook_streams 1$/m);
    const began = performance.now();
    main.child.kill('SIGTERM');
    expect(await main.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(5_000);
    for (const secret of ['very-secret', 'secret body', token, 'ambient:pass'])
      expect(main.output()).not.toContain(secret);
  });
});

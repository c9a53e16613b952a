import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launch } from '../process/child.ts';
import { processExists } from '../process/identity.ts';
import { until } from '../process/until.ts';
import { createSupervisor, type Part, type Supervisor } from './supervisor.ts';

const STAYS = 'setInterval(() => undefined, 1000)';
const IGNORES_SIGTERM = `process.on('SIGTERM', () => undefined); console.log('up'); ${STAYS}`;

let directory: string;
let supervisors: Supervisor[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-supervisor-'));
  supervisors = [];
});
afterEach(async () => {
  for (const supervisor of supervisors) await supervisor.stop([]);
  rmSync(directory, { recursive: true, force: true });
});

function aPart(name: string, script: string, more: Partial<Part> = {}): Part {
  return {
    name,
    start: () =>
      launch({ name, command: process.execPath, args: ['-e', script], logPath: join(directory, `${name}.log`) }),
    ...more,
  };
}

function aSupervisor() {
  const said: string[] = [];
  const fatal: string[] = [];
  let changes = 0;
  const supervisor = createSupervisor({
    say: (line) => said.push(line),
    onChange: () => {
      changes++;
    },
    onFatal: (reason) => fatal.push(reason),
  });
  supervisors.push(supervisor);
  return { supervisor, said, fatal, changes: () => changes };
}

describe('a supervised part', () => {
  it('that is killed with -9 runs again at once under another pid, and that is told', async () => {
    const { supervisor, said, fatal, changes } = aSupervisor();
    await supervisor.add(aPart('operator', STAYS));
    const first = supervisor.pids().operator ?? 0;
    process.kill(first, 'SIGKILL');
    const second = await until('another pid', 10_000, () => changes() === 2 && supervisor.pids().operator);
    expect(second).not.toBe(first);
    expect(said.join('\n')).toContain(`operator (pid ${first}) was ended by SIGKILL: starting it again`);
    expect(fatal).toEqual([]);
  });

  it('that dies three times within a minute stops the whole, with its last words', async () => {
    const { supervisor, said, fatal } = aSupervisor();
    await supervisor.add(aPart('webhook', `console.error('port 8484 is not mine'); process.exit(7)`));
    await until('the end', 20_000, () => fatal.length > 0);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toContain('webhook');
    expect(fatal[0]).toContain('exited with code 7: the third time within 60 s');
    expect(fatal[0]).toContain('port 8484 is not mine');
    expect(said.filter((line) => line.includes('starting it again'))).toHaveLength(2);
  });

  it('that cannot be started again counts as having died', async () => {
    const { supervisor, fatal } = aSupervisor();
    let starts = 0;
    const part = aPart('etcd', `setTimeout(() => process.exit(1), 50)`);
    await supervisor.add({
      ...part,
      start: () => (++starts === 1 ? part.start() : Promise.reject(new Error('no space left on device'))),
    });
    await until('the end', 20_000, () => fatal.length > 0);
    expect(starts).toBe(3);
    expect(fatal[0]).toContain('etcd did not come back: no space left on device');
  });

  it('that dies because what it needs is away is excused, and waits for it', async () => {
    const { supervisor, fatal } = aSupervisor();
    const events: string[] = [];
    const watched = (part: Part): Part => ({
      ...part,
      start: () => part.start().finally(() => events.push(part.name)),
    });
    await supervisor.add(watched(aPart('apiserver', STAYS)));
    await supervisor.add(watched(aPart('operator', STAYS, { needs: ['apiserver'] })));
    for (let round = 0; round < 2; round++) {
      const { apiserver = 0, operator = 0 } = supervisor.pids();
      process.kill(apiserver, 'SIGKILL');
      process.kill(operator, 'SIGKILL');
      await until('both again', 10_000, () => {
        const pids = supervisor.pids();
        return pids.apiserver !== undefined && pids.operator !== undefined && pids.operator !== operator;
      });
    }
    const { operator = 0 } = supervisor.pids();
    process.kill(operator, 'SIGKILL');
    await until('the operator again', 10_000, () => ![undefined, operator].includes(supervisor.pids().operator));
    expect(events).toEqual(['apiserver', 'operator', 'apiserver', 'operator', 'apiserver', 'operator', 'operator']);
    expect(fatal).toEqual([]);
  });

  it('is stopped in the given order and is not started again', async () => {
    const { supervisor, said } = aSupervisor();
    const log = join(directory, 'order');
    writeFileSync(log, '');
    const tells = (name: string) =>
      `process.on('SIGTERM', () => { require('node:fs').appendFileSync(${JSON.stringify(log)}, '${name} '); process.exit(0) }); console.log('up'); ${STAYS}`;
    for (const name of ['etcd', 'webhook', 'operator']) {
      await supervisor.add(aPart(name, tells(name)));
      await until(`${name} to listen for signals`, 10_000, () => supervisor.running(name)?.log.tail().includes('up'));
    }
    const pids = Object.values(supervisor.pids());
    await supervisor.stop([['webhook'], ['operator'], ['etcd']]);
    expect(readFileSync(log, 'utf8')).toBe('webhook operator etcd ');
    expect(pids.filter(processExists)).toEqual([]);
    expect(said).toEqual([]);
  });

  it('that ignores SIGTERM is killed after its grace', async () => {
    const { supervisor } = aSupervisor();
    await supervisor.add(aPart('operator', IGNORES_SIGTERM));
    const pid = supervisor.pids().operator ?? 0;
    await until('it to listen for signals', 10_000, () => supervisor.running('operator')?.log.tail().includes('up'));
    const began = performance.now();
    await supervisor.stop([['operator']]);
    expect(processExists(pid)).toBe(false);
    expect(performance.now() - began).toBeGreaterThan(3_500);
  }, 15_000);

  it('that is not ready yet is stopped too, at once', async () => {
    const { supervisor } = aSupervisor();
    const part = aPart('apiserver', STAYS);
    let pid = 0;
    const added = supervisor.add({
      ...part,
      start: async () => {
        const running = await part.start();
        pid = running.pid;
        await running.exited;
        throw new Error('it ended before it was ready');
      },
    });
    const refused = expect(added).rejects.toThrow('before it was ready');
    await until('it to be launched', 10_000, () => pid > 0);
    const began = performance.now();
    await supervisor.stop([['apiserver']]);
    await refused;
    expect(processExists(pid)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_500);
  });
});

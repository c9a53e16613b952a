import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anyFreePorts, nextFreePort } from '../process/ports.ts';
import { createPortClaims } from './ports.ts';

let directory: string;
const said: string[] = [];
const say = (line: string) => said.push(line);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-ports-'));
  said.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a port', () => {
  it('that another start has found is taken, though nothing listens there yet', async () => {
    const [wanted = 0] = await anyFreePorts(1);
    const [one, other] = [createPortClaims(say, directory), createPortClaims(say, directory)];
    expect(await one.claim('etcd', wanted)).toBe(wanted);
    expect(said).toEqual([]);
    const found = await other.claim('etcd', wanted);
    expect(found).toBeGreaterThan(wanted);
    expect(said).toEqual([`  port ${wanted} (etcd) is taken: using ${found}`]);
    one.release();
    other.release();
    expect(readdirSync(directory)).toEqual([]);
    expect(await createPortClaims(say, directory).claim('etcd', wanted)).toBe(wanted);
  });

  it('is not given twice by one start, nor while a program listens there', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const wanted = typeof address === 'object' && address ? address.port : 0;
    const claims = createPortClaims(say, directory);
    const found = [await claims.claim('a', wanted), await claims.claim('b', wanted)];
    server.close();
    expect(new Set([wanted, ...found]).size).toBe(3);
  });

  it.each([
    [65_500, /from 65500 to 65535: stop what listens there, or name another with --port$/],
    [80, /from 80 to 279: .* \(below 1024 most systems let only root listen\)$/],
  ])('is said not to be there, from %i on, with what may be in the way', async (wanted, words) => {
    await expect(nextFreePort(wanted, () => false)).rejects.toThrow(words);
  });

  it('is found where claims cannot be kept', async () => {
    const file = join(directory, 'no-directory');
    writeFileSync(file, '');
    const [wanted = 0] = await anyFreePorts(1);
    expect(await createPortClaims(say, join(file, 'ports')).claim('etcd', wanted)).toBe(wanted);
  });
});

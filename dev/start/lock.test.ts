import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startStampOf } from '../process/identity.ts';
import { takeLock } from './lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the lock of a clone', () => {
  it('refuses a second start and says who runs and where', () => {
    const first = takeLock(directory);
    expect(() => takeLock(directory)).toThrow(`pid ${process.pid}, still starting`);
    first.announce('http://127.0.0.1:8484');
    expect(() => takeLock(directory)).toThrow(`pid ${process.pid} at http://127.0.0.1:8484`);
    first.release();
    takeLock(directory).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['a process that is gone', { pid: 2 ** 22 + 1, stamp: '1' }],
    ['a pid that belongs to someone else now', { pid: process.ppid, stamp: 'another time' }],
  ])('takes over what %s left behind', (_, owner) => {
    writeFileSync(join(directory, 'lock'), JSON.stringify(owner));
    takeLock(directory);
    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toEqual({
      pid: process.pid,
      stamp: startStampOf(process.pid),
    });
  });

  it('takes over half a file', () => {
    writeFileSync(join(directory, 'lock'), '{"pid":');
    takeLock(directory).release();
  });
});

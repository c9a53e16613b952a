import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findPostgres } from './binaries.ts';

let directory: string;
let path: string[];
const said: string[] = [];

function install(version: string): string {
  const bin = join(directory, version, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['postgres', 'initdb']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} (PostgreSQL) ${version}"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  path.push(bin);
  return bin;
}
const find = (storedMajor?: number) =>
  findPostgres((line) => said.push(line), { storedMajor, environment: { PATH: path.join(':') } });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'funnelai-postgres-'));
  path = [];
  said.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('is the first installed one that is new enough, and that is said', async () => {
  install('14.9');
  const bin = install('16.2');
  install('17.1');
  expect(await find()).toEqual({ bin, version: '16.2' });
  expect(said).toEqual([`  Postgres 16.2 from ${bin}`]);
});

it('is the one that can read what is stored, though another would be preferred', async () => {
  install('16.2');
  const bin = install('17.1');
  expect(await find(17)).toEqual({ bin, version: '17.1' });
});

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSignInLinks } from './sign-in-link.ts';

const hash = (code: string) => createHash('sha256').update(code).digest('hex');
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sign-in-'));
  path = join(folder, 'codes.json');
  await writeFile(path, JSON.stringify({ codes: { [hash('first')]: 'token-1', [hash('second')]: 'token-2' } }));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a one-time sign-in link', () => {
  it('works for exactly one of many who come at once, and is off the disk', async () => {
    const links = createSignInLinks(path);
    const got = await Promise.all(Array.from({ length: 20 }, () => links.consume('first')));
    expect(got.filter((token) => token === 'token-1')).toHaveLength(1);
    expect(got.filter((token) => token === undefined)).toHaveLength(19);
    expect(await readFile(path, 'utf8')).not.toContain('token-1');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('leaves the others standing, also for a process that starts anew', async () => {
    await createSignInLinks(path).consume('first');
    const links = createSignInLinks(path);
    expect(await links.consume('first')).toBeUndefined();
    expect(await links.peek('second')).toBe('token-2');
    expect(await links.consume('second')).toBe('token-2');
  });

  it('knows no code that is only like one: not the hash, not a property of objects', async () => {
    const links = createSignInLinks(path);
    for (const code of ['', hash('first'), '__proto__', 'constructor'])
      expect(await links.consume(code)).toBeUndefined();
  });

  it('does not exist where there is no file', async () => {
    expect(await createSignInLinks(undefined).consume('first')).toBeUndefined();
    expect(await createSignInLinks(join(folder, 'none')).consume('first')).toBeUndefined();
  });
});

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enterDataDirectory, wipeDataDirectory } from './data-directory.ts';

let base: string;
const put = (directory: string, ...names: string[]) => {
  mkdirSync(directory, { recursive: true });
  for (const name of names) writeFileSync(join(directory, name), '');
  return directory;
};

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'funnelai-data-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('the directory that --data names', () => {
  it('is made, or that of an earlier start, also of one that was stopped early', () => {
    enterDataDirectory(join(base, 'new', 'one'));
    enterDataDirectory(put(join(base, 'early'), 'lock', 'logs', 'kubectl-cache'));
    enterDataDirectory(put(join(base, 'used'), 'tokens.json', 'notes of mine.txt'));
    expect(readdirSync(join(base, 'new', 'one'))).toEqual([]);
  });

  it.each([
    [
      'a place where people work',
      ['package.json', 'src', 'logs', 'README.md', 'x'],
      /holds README\.md, package\.json, src and 1 more, and nothing/,
    ],
    ['a home', ['.bashrc'], /holds \.bashrc, and nothing that a start has stored: name a new or an empty directory/],
  ])('is refused when it is %s', (_, names, words) => {
    const directory = put(join(base, 'theirs'), ...names);
    expect(() => enterDataDirectory(directory)).toThrow(words);
  });

  it('is refused in words when it cannot be one', () => {
    const file = join(put(base, 'file'), 'file');
    expect(() => enterDataDirectory(file)).toThrow(/--data: .*file is no directory/);
    expect(() => enterDataDirectory(join(file, 'below'))).toThrow(
      /--data: .* cannot be used, .*ENOTDIR.*; name another one/,
    );
  });

  it('is wiped of what starts have stored, and of nothing else', () => {
    const directory = put(
      join(base, 'used'),
      'tokens.json',
      'run.json',
      'run.json.7.draft',
      'lock',
      'notes of mine.txt',
    );
    put(join(directory, 'control-plane'), 'ca.crt');
    wipeDataDirectory(directory);
    expect(readdirSync(directory).sort()).toEqual(['lock', 'notes of mine.txt']);
  });
});

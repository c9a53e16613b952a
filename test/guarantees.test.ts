/** docs/guarantees.md names a test for each promise: they are there, and under those names. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const page = readFileSync(`${ROOT}docs/guarantees.md`, 'utf8');
const ROW = /^\| (?<promise>.+) \| `(?<file>[\w./-]+\.test\.ts)`: (?<title>.+) \|$/gm;
const promises = [...page.matchAll(ROW)].map(
  ({ groups }) => groups as { promise: string; file: string; title: string },
);
/** Every row of a table but its head and the line under it. */
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| promise'));

describe('each promise', () => {
  it('names its test', () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(promises).toHaveLength(rows.length);
  });

  it.each(promises)('$promise', ({ file, title }) => {
    expect(existsSync(`${ROOT}${file}`), file).toBe(true);
    expect(titlesIn(readFileSync(`${ROOT}${file}`, 'utf8'))).toContain(title);
  });
});

/** What stands first in the brackets of it(…), describe(…) and the second brackets of …each(…)(…). */
function titlesIn(source: string): string[] {
  return [...source.matchAll(/(?:\b(?:it|describe)|\))\(\s*(?<quote>['"`])(?<title>.*?)(?<!\\)\k<quote>/g)].map(
    ({ groups }) => groups?.title ?? '',
  );
}

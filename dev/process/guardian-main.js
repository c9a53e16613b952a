/**
 * The program that leaves no orphan: it is told the process groups of its parent over stdin and, when that pipe closes
 * (the parent ended, however it ended), kills those that are still there, and removes the files that were true only while
 * it lived. Plain JavaScript: it starts before all else.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const groups = new Map();
const files = new Set();
const GRACE_MS = 3_000;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [verb = '', pid, when] = line.split(' ');
    const path = line.slice(verb.length + 1);
    if (verb === 'add-file') files.add(path);
    if (verb === 'remove-file') files.delete(path);
    if (verb === 'add') groups.set(Number(pid), when ?? 'kill');
    if (verb === 'remove') groups.delete(Number(pid));
  })
  .on('close', () => {
    for (const path of files) rmSync(path, { force: true });
    for (const [pid, how] of groups) signal(pid, how === 'interrupt' ? 'SIGINT' : 'SIGKILL');
    if (![...groups.values()].includes('interrupt')) process.exit(0);
    setTimeout(() => {
      for (const pid of groups.keys()) signal(pid, 'SIGKILL');
      process.exit(0);
    }, GRACE_MS);
  });

/** @param {number} pid @param {NodeJS.Signals} name */
function signal(pid, name) {
  try {
    process.kill(-pid, name);
  } catch {
    // Gone already: what we wanted.
  }
}

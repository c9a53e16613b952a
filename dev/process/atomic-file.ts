/** Files that are there whole or not at all, readable by their owner alone: for what scripts read while we write. */
import { renameSync, writeFileSync } from 'node:fs';

export function writeAtomically(path: string, content: string, mode = 0o600): void {
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, content, { mode });
  renameSync(draft, path);
}

/** A part's log on disk, bounded: past the limit the file becomes `<name>.1` and a new one begins. Two files, never more. */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
const TAIL_LINES = 40;

export interface LogFile {
  readonly path: string;
  write(chunk: Buffer): void;
  /** The last lines written, oldest first; what is shown when the part dies. */
  tail(count?: number): string[];
  close(): void;
}

export function openLog(path: string, limit = LOG_LIMIT_BYTES): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const open = () => openSync(path, 'a', 0o600);
  let fd: number | undefined = open();
  let size = statSync(path).size;
  const lines: string[] = [];
  let partial = '';
  return {
    path,
    write(chunk) {
      const pieces = (partial + chunk.toString('utf8')).split('\n');
      partial = (pieces.pop() ?? '').slice(-4096);
      lines.push(...pieces);
      lines.splice(0, Math.max(0, lines.length - TAIL_LINES));
      if (fd === undefined) return;
      try {
        if (size + chunk.length > limit && size > 0) {
          closeSync(fd);
          renameSync(path, `${path}.1`);
          fd = open();
          size = 0;
        }
        writeSync(fd, chunk);
        size += chunk.length;
      } catch {
        // A full disk must not take the part down with it; the tail in memory still tells what happened.
      }
    },
    tail: (count = TAIL_LINES) => [...lines, ...(partial ? [partial] : [])].slice(-count),
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

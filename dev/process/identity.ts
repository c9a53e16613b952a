/** Who a pid is. A number alone is not enough: after a reboot it may belong to someone else, so a start time stands beside it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { codeOf } from './fault.ts';

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Fields after the command of /proc/PID/stat; the command itself may hold spaces and brackets. */
function procStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** Something that differs between two processes that had the same pid; undefined when there is no such process. */
export function startStampOf(pid: number): string | undefined {
  const fields = procStat(pid);
  if (fields) return fields[0] === 'Z' ? undefined : fields[19];
  return process.platform === 'linux' ? undefined : ps(pid, 'lstart') || undefined;
}

export function parentOf(pid: number): number | undefined {
  const parent = Number(procStat(pid)?.[1] ?? (process.platform === 'linux' ? undefined : ps(pid, 'ppid')));
  return Number.isInteger(parent) && parent > 0 ? parent : undefined;
}

/**
 * The ports that a start asks for first, and how it comes to others: the next free ones, and that is said. A port is ours from
 * the moment it was found, not only once it is bound: two starts at the same time find different ones, and a part that is being
 * started again finds its own.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sharedDirectory } from '../controlplane/needs.js';
import { codeOf } from '../process/fault.ts';
import { type LockFile, tryLockFile } from '../process/lock-file.ts';
import { nextFreePort } from '../process/ports.ts';
import type { Say } from '../process/say.ts';

export const PORTS = {
  apiserver: 16_443,
  etcd: 12_379,
  etcdPeer: 12_380,
  postgres: 15_432,
  operatorHealth: 18_484,
  webhookMetrics: 18_485,
};

/** Resolves the wanted port or the next free one; no port is given twice. */
export type ClaimPort = (name: string, wanted: number) => Promise<number>;

export interface PortClaims {
  claim: ClaimPort;
  release(): void;
}

/** `directory` is where the starts of one user see each other's claims. */
export function createPortClaims(say: Say, directory = join(sharedDirectory(), 'ports')): PortClaims {
  const taken = new Map<number, LockFile | undefined>();
  const isOurs = (port: number): boolean => {
    if (taken.has(port)) return false;
    const lock = lockOf(join(directory, String(port)));
    if (lock === 'held') return false;
    taken.set(port, lock);
    return true;
  };
  return {
    async claim(name, wanted) {
      const found = await nextFreePort(wanted, isOurs);
      if (found !== wanted) say(`  port ${wanted} (${name}) is taken: using ${found}`);
      return found;
    },
    release() {
      for (const lock of taken.values()) lock?.release();
      taken.clear();
    },
  };
}

/** Undefined where no lock can be made: then a port is ours only once it is bound. */
function lockOf(path: string): LockFile | 'held' | undefined {
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    const found = tryLockFile(path);
    return 'lock' in found ? found.lock : 'held';
  } catch (error) {
    if (['EACCES', 'EROFS', 'ENOTDIR', 'EPERM'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

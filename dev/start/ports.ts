/** The ports that a start asks for first, and how it comes to others: the next free ones, and that is said. */
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

export function createPortClaims(say: Say): ClaimPort {
  const reserved = new Set<number>();
  return async (name, wanted) => {
    const found = await nextFreePort(wanted, reserved);
    if (found !== wanted) say(`  port ${wanted} (${name}) is taken: using ${found}`);
    return found;
  };
}

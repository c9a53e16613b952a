/** Free loopback ports. A port that was free may be taken a moment later: whoever binds it must be ready to be told so. */
import { createServer } from 'node:net';
import { Fault } from './fault.ts';

const TRIES = 200;
const LAST = 65_535;
const UNPRIVILEGED = 1_024;

/** Resolves the port that could be bound on 127.0.0.1, or undefined when it is taken. Port 0 means any. */
export function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}

/** The wanted port or the next free one above it that `claim` lets us have. */
export async function nextFreePort(wanted: number, claim: (port: number) => boolean): Promise<number> {
  const last = Math.min(wanted + TRIES - 1, LAST);
  for (let port = wanted; port <= last; port++) {
    if ((await tryPort(port)) === port && claim(port)) return port;
  }
  throw new Fault(
    `no free port on 127.0.0.1 from ${wanted} to ${last}: stop what listens there, or name another with --port${
      wanted < UNPRIVILEGED ? ` (below ${UNPRIVILEGED} most systems let only root listen)` : ''
    }`,
  );
}

/** As many different free ports as asked for, chosen by the system. */
export async function anyFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count && tries < TRIES; tries++) {
    const port = await tryPort(0);
    if (port !== undefined) ports.add(port);
  }
  if (ports.size < count) throw new Fault('the system gives no free port on 127.0.0.1');
  return [...ports];
}

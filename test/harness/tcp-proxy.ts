/**
 * A proxy of bytes in front of any server, API server or Postgres, that a test can make refuse, fall silent, delay, split, truncate or cut.
 * It knows nothing of what it carries: TLS goes through unopened. For faults of single requests see fault-proxy.ts.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface TcpFaults {
  /** Takes no new connections: they are reset. Open ones live on, see {@link TcpProxy.cut}. */
  refuse?: boolean;
  /** Takes connections and bytes, and passes nothing on, in either direction: a host that is gone without a word. */
  silent?: boolean;
  /** Each piece waits this long, in both directions; the order stays. */
  delayMs?: number;
  /** Answers come in pieces of no more than so many bytes, each in a packet of its own. */
  split?: number;
  /** Connections opened from now on are cut once the server has answered so many bytes. */
  truncateAfter?: number;
}

export interface TcpProxy {
  /** The target's URL with the proxy's address in it. */
  readonly url: string;
  readonly port: number;
  /** Connections ever taken, and open now. */
  readonly connections: { total: number; open: number };
  /** Replaces the faults in force; without any, all is well again. What was swallowed meanwhile stays lost. */
  set(faults?: TcpFaults): void;
  /** Breaks every open connection. */
  cut(): void;
  /** What is open now passes nothing on any more and stays open; new connections work. */
  halfOpen(): void;
  stop(): Promise<void>;
}

interface Pair {
  near: Socket;
  far: Socket;
  /** Passes nothing on, for good. */
  dead: boolean;
  truncateAfter: number | undefined;
  answered: number;
}

/** Listens on loopback at a free port, in front of the host and port of `target`. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const to = new URL(target);
  const pairs = new Set<Pair>();
  const connections = { total: 0, open: 0 };
  let faults: TcpFaults = {};

  const server: Server = createServer((near) => {
    near.on('error', () => {});
    if (faults.refuse) {
      near.resetAndDestroy();
      return;
    }
    connections.total++;
    connections.open++;
    const far = connect({ port: Number(to.port), host: to.hostname, noDelay: true });
    near.setNoDelay(true);
    const pair: Pair = { near, far, dead: false, truncateAfter: faults.truncateAfter, answered: 0 };
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      if (pairs.delete(pair)) connections.open--;
    };
    far.on('error', () => {});
    near.on('close', end);
    far.on('close', end);
    near.on('data', (bytes) => pass(pair, bytes, far));
    far.on('data', (bytes) => {
      const left = (pair.truncateAfter ?? Number.POSITIVE_INFINITY) - pair.answered;
      pair.answered += bytes.length;
      pass(pair, bytes.length > left ? bytes.subarray(0, Math.max(left, 0)) : bytes, near);
      // Ended, not reset: what was let through must arrive.
      if (bytes.length >= left) near.end(() => end());
    });
  });

  function pass(pair: Pair, bytes: Buffer, to: Socket): void {
    if (faults.silent || pair.dead || bytes.length === 0) return;
    const { delayMs, split = bytes.length } = faults;
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += split) pieces.push(bytes.subarray(at, at + split));
    const send = () => {
      for (const piece of pieces) if (!to.destroyed && to.writable && !pair.dead) to.write(piece);
    };
    if (delayMs === undefined) send();
    else setTimeout(send, delayMs);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  const cut = () => {
    for (const { near, far } of [...pairs]) {
      near.resetAndDestroy();
      far.destroy();
    }
  };
  return {
    url: url.href.replace(/\/$/, target.endsWith('/') ? '/' : ''),
    port,
    connections,
    set(next = {}) {
      faults = next;
    },
    cut,
    halfOpen() {
      for (const pair of pairs) pair.dead = true;
    },
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

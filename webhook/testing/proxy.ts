/** A TCP proxy in front of the API server that can fall silent or go away: outages without harm to other tests. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Mood = 'open' | 'away' | 'silent';

export interface FlakyProxy {
  /** The same URL as the target's, on another port. */
  url: string;
  /** `away` breaks all connections and refuses new ones; `silent` takes them and passes nothing on. */
  set(mood: Mood): void;
  stop(): Promise<void>;
}

export async function createFlakyProxy(target: string): Promise<FlakyProxy> {
  const { hostname, port, protocol } = new URL(target);
  const sockets = new Set<Socket>();
  let mood: Mood = 'open';
  const server: Server = createServer((client) => {
    if (mood === 'away') {
      client.destroy();
      return;
    }
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    const pass = (from: Socket, to: Socket) => from.on('data', (data) => mood === 'open' && to.write(data));
    pass(client, upstream);
    pass(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${protocol}//127.0.0.1:${own}`,
    set(next) {
      mood = next;
      if (next !== 'silent') breakAll();
    },
    async stop() {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

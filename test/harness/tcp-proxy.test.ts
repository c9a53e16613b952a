import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { until } from './wait.ts';

const DEADLINE_MS = 5_000;
let server: Server;
let proxy: TcpProxy;
let clients: Client[];

/** A client of the echo server behind the proxy. */
interface Client {
  socket: Socket;
  received: string;
  pieces: number;
  state: 'open' | 'ended' | 'reset';
}

beforeEach(async () => {
  clients = [];
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  proxy = await startTcpProxy(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => server.close(resolve));
});

function open(): Client {
  const client: Client = { socket: connect(proxy.port, '127.0.0.1'), received: '', pieces: 0, state: 'open' };
  client.socket
    .on('data', (bytes) => {
      client.received += bytes.toString();
      client.pieces++;
    })
    .on('end', () => {
      client.state = 'ended';
    })
    .on('error', () => {
      client.state = 'reset';
    });
  clients.push(client);
  return client;
}
const echo = async (client: Client, text: string) => {
  client.socket.write(text);
  await until(`${text} to come back`, DEADLINE_MS, () => client.received.endsWith(text));
};

it('passes bytes both ways under the address of the target but its own port', async () => {
  expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`);
  await echo(open(), 'hello');
  expect(proxy.connections).toEqual({ total: 1, open: 1 });
});

it('refuses new connections, breaks open ones on demand, and is well again', async () => {
  const first = open();
  await echo(first, 'a');
  proxy.set({ refuse: true });
  await echo(first, 'b');
  const second = open();
  await until('the new one to be reset', DEADLINE_MS, () => second.state === 'reset');
  proxy.cut();
  await until('the open one to break', DEADLINE_MS, () => first.state === 'reset');
  proxy.set();
  await echo(open(), 'c');
  expect(proxy.connections.open).toBe(1);
});

it('takes connections and answers none while it is silent', async () => {
  proxy.set({ silent: true });
  const client = open();
  client.socket.write('lost');
  await until('it to be taken', DEADLINE_MS, () => proxy.connections.open === 1);
  proxy.set();
  await echo(open(), 'heard');
  expect([client.received, client.state]).toEqual(['', 'open']);
});

it('leaves open connections half open while new ones work', async () => {
  const first = open();
  await echo(first, 'a');
  proxy.halfOpen();
  first.socket.write('b');
  await echo(open(), 'c');
  expect([first.received, first.state]).toEqual(['a', 'open']);
});

it('truncates answers after so many bytes', async () => {
  proxy.set({ truncateAfter: 5 });
  const client = open();
  client.socket.write('hello world');
  await until('it to end', DEADLINE_MS, () => client.state !== 'open');
  expect(client.received).toBe('hello');
});

it('splits what it passes, and delays it, and changes not a byte', async () => {
  proxy.set({ split: 1, delayMs: 20 });
  const client = open();
  const began = performance.now();
  const text = 'split'.repeat(40);
  await echo(client, text);
  expect(client.received).toBe(text);
  expect(performance.now() - began).toBeGreaterThanOrEqual(39);
});

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createPool, parseDatabaseUrl, urlIn } from './pool.ts';

describe('a database URL', () => {
  it('says everything by itself', () => {
    expect(parseDatabaseUrl('postgres://ana:p%40ss@db.example:5433/history?sslmode=require')).toMatchObject({
      host: 'db.example',
      port: 5433,
      user: 'ana',
      password: 'p@ss',
      database: 'history',
      ssl: {},
    });
    expect(parseDatabaseUrl('postgresql://ana@[::1]/history')).toMatchObject({ host: '::1', port: 5432, ssl: false });
    expect(parseDatabaseUrl('postgres://ana@/history?host=/run/postgresql')).toMatchObject({ host: '/run/postgresql' });
    expect(parseDatabaseUrl('postgres://ana@%2Frun%2Fpostgresql/history')).toMatchObject({ host: '/run/postgresql' });
  });

  it.each([
    ['postgres://db.example/history', 'no user'],
    ['postgres://ana@db.example', 'no database'],
    ['postgres://ana@/history', 'no host'],
    ['postgres:///history?user=ana', 'no host'],
    ['mysql://ana@db.example/history', 'expected postgres://'],
    ['db.example', 'expected postgres://'],
    ['postgres://ana@a,b/history', 'expected one host'],
    ['postgres://ana@db.example/history?sslmode=prefer', 'sslmode must be'],
    ['postgres://ana@db.example/history?pgbouncer=true', 'pgbouncer is not known'],
    ['postgres://ana:100%@db.example/history', 'percent-encoded'],
  ])('%s is refused: %s', (url, message) => expect(() => parseDatabaseUrl(url)).toThrow(message));

  it('never shows itself in a refusal', () => {
    for (const url of [
      'postgres://ana:geheim@',
      'postgres://ana:geheim@h:x/d',
      'x://ana:geheim@h/d',
      'postgres://ana:geheim%@h/d',
    ])
      expect(() => parseDatabaseUrl(url)).not.toThrow('geheim');
  });
});

describe('a database URL in a file', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** Asks whoever comes for his password, and turns him away. */
  async function doorkeeper() {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (startup) => {
        const user = /user\0([^\0]*)\0/.exec(startup.toString('latin1'))?.[1];
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        socket.once('data', (answer) => {
          heard.push(`${user}:${answer.subarray(5, -1).toString()}`);
          socket.destroy();
        });
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => server.close());
    return { heard, port: (server.address() as AddressInfo).port };
  }

  it('is read at each new connection: who changes a password, a user or an address restarts nothing', async () => {
    const [one, other] = [await doorkeeper(), await doorkeeper()];
    const directory = mkdtempSync(join(tmpdir(), 'funnelai-url-'));
    ends.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'url');
    const write = (text: string) => writeFileSync(file, text);
    write(`postgres://ana:old@127.0.0.1:${one.port}/history\n`);
    const pool = createPool(urlIn(file));
    ends.push(() => pool.end());
    const connect = () => expect(pool.query('SELECT 1')).rejects.toThrow();
    await connect();
    write(`postgres://ana:new@127.0.0.1:${one.port}/history`);
    await connect();
    // Half written, or taken away: what worked before is tried.
    write('postgres://an');
    await connect();
    write(`postgres://bob:newest@127.0.0.1:${other.port}/history`);
    await connect();
    expect(one.heard).toEqual(['ana:old', 'ana:new', 'ana:new']);
    expect(other.heard).toEqual(['bob:newest']);
  });
});

describe('a server that dies', () => {
  const message = (type: string, body: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const WELCOME = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);
  const FAREWELL = message(
    'E',
    Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'),
  );

  it('in the breath in which it lets somebody in ends no process: whoever asks hears of it', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.concat([WELCOME, FAREWELL])));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const pool = createPool(`postgres://ana@127.0.0.1:${(server.address() as AddressInfo).port}/history`);
    try {
      // An error that nobody listens for would end the run of the tests, too.
      await expect(pool.connect().then((client) => client.query('SELECT 1'))).rejects.toThrow();
    } finally {
      server.close();
    }
  });
});

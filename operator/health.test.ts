import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Condition } from './condition.ts';
import { type HealthServer, serveHealth } from './health.ts';

let server: HealthServer;
let condition: Condition;
beforeEach(async () => {
  condition = {};
  server = await serveHealth({ host: '127.0.0.1', port: 0, registry: new Registry(), condition: () => condition });
});
afterEach(() => server.close());

/** The first line of the answer to a request line that no client would let through. */
function ask(requestLine: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.end(`${requestLine} HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer.split('\r\n')[0] ?? ''));
    socket.on('error', reject);
  });
}

describe('the door for probes', () => {
  it('tells a process that is stuck from one that waits, and from one that is well', async () => {
    expect(await ask('GET /healthz')).toBe('HTTP/1.1 200 OK');
    expect(await ask('GET /readyz?verbose')).toBe('HTTP/1.1 200 OK');
    expect(await ask('GET http://operator/metrics')).toBe('HTTP/1.1 200 OK');
    condition = { waitsFor: 'the first complete list of alerts' };
    expect(await ask('GET /healthz')).toBe('HTTP/1.1 200 OK');
    expect(await ask('GET /readyz')).toBe('HTTP/1.1 503 Service Unavailable');
    condition = { stuck: 'it leads, though the Lease was not renewed for 25 s' };
    expect(await ask('GET /healthz')).toBe('HTTP/1.1 503 Service Unavailable');
  });

  it.each(['//', '//:80', 'http://[', '/%', '*', '/healthz/../..'])(
    'answers %s, which is no address here, and lives on',
    async (path) => {
      expect(await ask(`GET ${path}`)).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(await ask('POST /healthz')).toBe('HTTP/1.1 405 Method Not Allowed');
      expect(await ask('GET /healthz')).toBe('HTTP/1.1 200 OK');
    },
  );
});

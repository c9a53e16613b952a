import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKubeClient } from './client.ts';
import { ConfigError, loadConnection } from './config.ts';
import { createCredentials } from './credentials.ts';
import { FakeClock } from './test-clock.ts';
import { type Certificate, selfSigned } from './testing/certificates.ts';
import { aConfigMap, CONFIG_MAPS, type ScriptedServer, startScriptedServer } from './testing/scripted-server.ts';

let folder: string;
let servers: ScriptedServer[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  servers = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** A kubeconfig of one cluster and one user, written to disk. */
function kubeconfig(cluster: Record<string, unknown>, user: Record<string, unknown>, name = 'config'): string {
  const path = join(folder, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'pay' } },
      { name: 'two', context: { cluster: 'c', user: 'u' } },
      { name: 'nobody', context: { cluster: 'c' } },
      { name: 'broken', context: { cluster: 'elsewhere', user: 'u' } },
    ],
    'current-context': 'one',
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

describe('a kubeconfig', () => {
  it('gives server, context and namespace; another context by name', async () => {
    const path = kubeconfig({ server: 'https://x.test:6443/k8s/' }, { token: 't' });
    expect(await loadConnection({ kubeconfigPath: path })).toMatchObject({
      server: 'https://x.test:6443/k8s',
      context: 'one',
      namespace: 'pay',
    });
    const two = await loadConnection({ kubeconfigPath: path, context: 'two' });
    expect(two).toMatchObject({ context: 'two', namespace: 'default' });
    expect((await two.credentials.current()).headers).toEqual({ authorization: 'Bearer t' });
  });

  it('is never taken from the environment, nor is trust', async () => {
    vi.stubEnv('KUBECONFIG', kubeconfig({ server: 'https://ambient.test' }, { token: 'ambient' }));
    vi.stubEnv('HOME', folder);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
    await expect(loadConnection({})).rejects.toThrow(/not in a pod.*--kubeconfig/);
    const named = await loadConnection({
      kubeconfigPath: kubeconfig({ server: 'https://x.test' }, { token: 't' }, 'named'),
    });
    expect((await named.credentials.current()).tls.rejectUnauthorized).toBe(true);
  });

  it.each([
    ['is not there', () => '/nowhere/config', undefined, /cannot be read/],
    ['is no YAML', () => join(folder, file('bad', '{')), undefined, /is not valid/],
    [
      'lacks the context',
      () => kubeconfig({ server: 'https://x' }, {}),
      'three',
      /no context three; it has: one, two, nobody, broken/,
    ],
    ['lacks its cluster', () => kubeconfig({ server: 'https://x' }, {}), 'broken', /names cluster elsewhere/],
    ['names no URL', () => kubeconfig({ server: 'x:6443' }, {}), 'one', /expected an http or https URL, found x:6443/],
    [
      'asks for a SOCKS proxy',
      () => kubeconfig({ server: 'https://x', 'proxy-url': 'socks5://y' }, {}),
      'one',
      /only http and https proxies/,
    ],
    [
      'impersonates groups',
      () => kubeconfig({ server: 'https://x' }, { as: 'a', 'as-groups': ['g'] }),
      'one',
      /as-groups/,
    ],
    [
      'names a certificate that is not there',
      () => kubeconfig({ server: 'https://x' }, { 'client-certificate': 'none.crt' }),
      'one',
      /none.crt/,
    ],
  ])('that %s is refused with what to look at', async (_, path, context, message) => {
    const loading = loadConnection({ kubeconfigPath: path(), context });
    await expect(loading).rejects.toThrow(ConfigError);
    await expect(loading).rejects.toThrow(message);
  });

  it('may name token files, relative to itself, with the newline that editors add', async () => {
    const path = kubeconfig({ server: 'https://x.test' }, { tokenFile: file('token', 'from-file\n') });
    const { credentials } = await loadConnection({ kubeconfigPath: path });
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer from-file' });
  });

  it('may name a program, relative to itself, that is asked again when its token is refused', async () => {
    const program = join(folder, 'login');
    writeFileSync(
      program,
      `#!/bin/sh\nn=$(cat ${folder}/count 2>/dev/null || echo 0)\nn=$((n+1))\necho $n > ${folder}/count\n[ -n "$KUBERNETES_EXEC_INFO" ] && [ "$MINE" = yes ] && echo '{"kind":"ExecCredential","status":{"token":"run-'$n'"}}'\n`,
    );
    chmodSync(program, 0o755);
    const path = kubeconfig(
      { server: 'https://x.test' },
      {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: './login',
          env: [{ name: 'MINE', value: 'yes' }],
        },
      },
    );
    const { credentials } = await loadConnection({ kubeconfigPath: path });
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer run-1' });
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer run-1' });
    expect(await credentials.refresh()).toBe(true);
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer run-2' });
    expect(await credentials.refresh(), 'no process per refused call').toBe(false);
  });

  it('keeps what worked while a file is being replaced', async () => {
    const clock = new FakeClock();
    let token: string | undefined = 'one';
    const kc = {
      applyToHTTPSOptions: async (o: { headers?: unknown }) => {
        if (token === undefined) throw new Error('ENOENT');
        o.headers = { Authorization: `Bearer ${token}` };
      },
    } as unknown as Parameters<typeof createCredentials>[0]['initial'];
    const credentials = createCredentials({ load: async () => kc, initial: kc, clock });
    const now = async () => (await credentials.current()).headers.authorization;
    expect(await now()).toBe('Bearer one');
    token = undefined;
    await clock.advance(31_000);
    expect(await now()).toBe('Bearer one');
    token = 'two';
    expect(await now()).toBe('Bearer two');
  });
});

describe('TLS', () => {
  let authority: Certificate;
  let server: ScriptedServer;
  let peers: (string | undefined)[];
  beforeEach(async () => {
    authority = selfSigned('authority.test');
    const own = authority.issue('server.test');
    server = await startScriptedServer({ ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: false });
    servers.push(server);
    peers = [];
    server.answer((seen, reply) => {
      const socket: Socket = seen.socket;
      const subject = socket instanceof TLSSocket ? socket.getPeerCertificate()?.subject : undefined;
      peers.push(subject ? String(subject.CN) : undefined);
      reply.json(200, aConfigMap());
    });
  });
  const get = async (cluster: Record<string, unknown>, user: Record<string, unknown>, token?: string) => {
    const connection = await loadConnection({ kubeconfigPath: kubeconfig({ server: server.url, ...cluster }, user) });
    const client = createKubeClient(connection);
    try {
      await (token ? client.withToken(token) : client).get(CONFIG_MAPS, { namespace: 'default', name: 'a' });
      // On the same pool, after the certificate was used: still without it.
      if (token) {
        await client.get(CONFIG_MAPS, { namespace: 'default', name: 'a' });
        await client.withToken(token).get(CONFIG_MAPS, { namespace: 'default', name: 'a' });
      }
    } finally {
      await client.close();
    }
  };
  const trust = () => ({ 'certificate-authority-data': base64(authority.cert) });

  it('trusts the named authority, and no other', async () => {
    await get(trust(), { token: 't' });
    await get({ 'certificate-authority': file('ca.crt', authority.cert) }, {});
    await expect(
      get({ 'certificate-authority-data': base64(selfSigned('other.test').cert) }, {}),
    ).rejects.toMatchObject({
      reason: 'ConnectionFailed',
      perhapsStored: false,
    });
    await expect(get({}, {})).rejects.toMatchObject({ reason: 'ConnectionFailed' });
    expect(peers).toHaveLength(2);
  });

  it('checks the name that it is told to, or nothing when told so', async () => {
    await get({ ...trust(), 'tls-server-name': 'server.test' }, {});
    await expect(get({ ...trust(), 'tls-server-name': 'wrong.test' }, {})).rejects.toThrow(/wrong\.test/);
    await get({ 'insecure-skip-tls-verify': true }, {});
  });

  it('shows its client certificate, but never on behalf of another person', async () => {
    const mine = authority.issue('me');
    const user = { 'client-certificate-data': base64(mine.cert), 'client-key-data': base64(mine.key) };
    await get(trust(), user, 'anas');
    expect(peers).toEqual([undefined, 'me', undefined]);
    expect(server.seen.map((s) => s.headers.authorization)).toEqual(['Bearer anas', undefined, 'Bearer anas']);
  });
});

import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKubeClient } from './client.ts';
import { loadConnection } from './config.ts';
import { createCredentials } from './credentials.ts';
import { ConfigError } from './errors.ts';
import { identitySource } from './identity.ts';
import { readServiceAccount } from './service-account.ts';
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
      /client-certificate: ENOENT.*none.crt/,
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
    // The first use loads client-node, which takes its time on a busy machine.
  }, 30_000);

  it('keeps what worked while a file is being replaced', async () => {
    const clock = new FakeClock();
    let token: string | undefined = 'one';
    const source = {
      server: 'https://x.test',
      read: async () => {
        if (token === undefined) throw new Error('ENOENT');
        return { headers: { authorization: `Bearer ${token}` }, tls: { rejectUnauthorized: true } };
      },
    };
    const credentials = createCredentials({ load: async () => source, initial: source, clock });
    const now = async () => (await credentials.current()).headers.authorization;
    expect(await now()).toBe('Bearer one');
    token = undefined;
    await clock.advance(31_000);
    expect(await now()).toBe('Bearer one');
    token = 'two';
    expect(await now()).toBe('Bearer two');
  });
});

describe('an API server that has moved', () => {
  const key = { namespace: 'default', name: 'a' };
  const aServer = async () => {
    const server = await startScriptedServer();
    servers.push(server);
    server.answer((_, reply) => reply.json(200, aConfigMap()));
    return server;
  };

  it('is followed once nobody answers where it was: by reads, writes and watches, of other people too', async () => {
    const [first, second] = [await aServer(), await aServer()];
    const connection = await loadConnection({ kubeconfigPath: kubeconfig({ server: first.url }, { token: 't' }) });
    const client = createKubeClient(connection);
    await client.get(CONFIG_MAPS, key);
    kubeconfig({ server: `${second.url}/clusters/new/` }, { token: 'next' });
    await client.get(CONFIG_MAPS, key);
    expect([first.seen.length, second.seen.length]).toEqual([2, 0]);
    await first.close();
    // By a connection that was open the write might be stored: such a one is not sent again.
    const fresh = createKubeClient(connection);
    await fresh.create(CONFIG_MAPS, aConfigMap());
    await fresh.close();
    await client.withToken('anas').get(CONFIG_MAPS, key);
    second.answer((_, reply) => {
      reply.accept();
      reply.end();
    });
    for await (const _ of client.watch(CONFIG_MAPS, { resourceVersion: '1' })) throw new Error('expected no event');
    expect(second.seen.every(({ path }) => path.startsWith('/clusters/new/api/v1/'))).toBe(true);
    expect(second.seen.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['POST', 'Bearer next'],
      ['GET', 'Bearer anas'],
      ['GET', 'Bearer next'],
    ]);
    await client.close();
  });

  it('gets no write again that may be stored; whatever comes next goes to it', async () => {
    const [first, second] = [await aServer(), await aServer()];
    const client = createKubeClient(
      await loadConnection({ kubeconfigPath: kubeconfig({ server: first.url }, { token: 't' }) }),
    );
    first.answer((_, reply) => reply.cut());
    kubeconfig({ server: second.url }, { token: 't' });
    await expect(client.create(CONFIG_MAPS, aConfigMap())).rejects.toMatchObject({ perhapsStored: true });
    expect(second.seen).toEqual([]);
    await client.get(CONFIG_MAPS, key);
    expect(second.seen).toHaveLength(1);
    await client.close();
  });
});

describe('what a kubeconfig may hold', () => {
  const identity = async (cluster: Record<string, unknown>, user: Record<string, unknown>, context = 'one') => {
    const path = kubeconfig({ server: 'https://x.test', ...cluster }, user);
    return (await loadConnection({ kubeconfigPath: path, context })).credentials.current();
  };

  it.each([
    ['a token, trimmed', { token: 'fixed\n' }, { authorization: 'Bearer fixed' }],
    [
      'a token before a token file and a password',
      { token: 't', tokenFile: 'none', username: 'u' },
      { authorization: 'Bearer t' },
    ],
    ['a name and a password', { username: 'ana', password: 'pass' }, { authorization: `Basic ${base64('ana:pass')}` }],
    ['a name without a password', { username: 'ana' }, { authorization: `Basic ${base64('ana:')}` }],
    ['someone to impersonate', { token: 't', as: 'eve' }, { authorization: 'Bearer t', 'impersonate-user': 'eve' }],
    ['nothing', {}, {}],
    ['empty texts', { token: '', as: '', tokenFile: '', exec: null }, {}],
  ])('%s', async (_, user, headers) => {
    expect((await identity({}, user)).headers).toEqual(headers);
  });

  it('nobody at all: the trust stays', async () => {
    const { cert } = selfSigned('a.test');
    expect(await identity({ 'certificate-authority-data': base64(cert) }, { token: 't' }, 'nobody')).toEqual({
      headers: {},
      tls: { rejectUnauthorized: true, ca: cert },
      server: 'https://x.test',
    });
  });

  it('files before data, relative to itself; a name to check; no check', async () => {
    const { cert, key } = selfSigned('a.test');
    const other = base64(selfSigned('other.test').cert);
    expect(
      await identity(
        {
          'certificate-authority': file('ca.crt', cert),
          'certificate-authority-data': other,
          'tls-server-name': 'inner',
          'insecure-skip-tls-verify': true,
        },
        {
          'client-certificate': file('my.crt', cert),
          'client-certificate-data': other,
          'client-key-data': base64(key).replace(/.{60}/g, '$&\n'),
        },
      ),
    ).toEqual({
      headers: {},
      tls: { rejectUnauthorized: false, servername: 'inner', ca: cert, cert, key },
      server: 'https://x.test',
    });
  });

  it('a proxy, and YAML with anchors and merge keys', async () => {
    const text = `
x-base: &base {proxy-url: "http://proxy.test:3128"}
clusters:
- {name: c, cluster: {<<: *base, server: https://x.test}}
users:
- name: u
contexts:
- {name: one, context: {cluster: c, user: u, namespace: " pay "}}
current-context: one
`;
    const connection = await loadConnection({ kubeconfigPath: join(folder, file('config.yaml', text)) });
    expect(connection).toMatchObject({
      proxyUrl: 'http://proxy.test:3128',
      namespace: 'pay',
      server: 'https://x.test',
    });
  });

  const pemless = base64('hello');
  it.each<[string, Record<string, unknown>, Record<string, unknown>, RegExp]>([
    ['no server', { server: undefined }, {}, /clusters\[0\]\.cluster\.server: expected a URL, found nothing/],
    ['a number as server', { server: 6443 }, {}, /cluster\.server: expected a text.*found the number 6443/],
    ['a URL without a host', { server: 'https://' }, {}, /expected an http or https URL, found https:/],
    [
      'a quoted flag',
      { 'insecure-skip-tls-verify': 'true' },
      {},
      /insecure-skip-tls-verify: expected true or false, found the text "true"/,
    ],
    [
      'CA data that is no PEM',
      { 'certificate-authority-data': pemless },
      {},
      /clusters\[0\]\.cluster\.certificate-authority-data: expected PEM in base64, found 8 characters/,
    ],
    [
      'CA data that is no base64',
      { 'certificate-authority-data': '-----BEGIN CERTIFICATE-----' },
      {},
      /certificate-authority-data: expected PEM in base64/,
    ],
    ['a token that is a number', {}, { token: 12345 }, /users\[0\]\.user\.token: expected a text.*found a number/],
    [
      'a certificate without its key',
      {},
      { 'client-certificate-data': base64('-----BEGIN CERTIFICATE-----') },
      /user u: client-key: expected the key of the client-certificate, found nothing/,
    ],
    ['a user that is a list', {}, [] as unknown as Record<string, unknown>, /users\[0\]\.user: .*found a list/],
    ['a login without a program', {}, { exec: {} }, /users\[0\]\.user\.exec\.command: expected a program/],
    ['a login with odd arguments', {}, { exec: { command: 'x', args: 'y' } }, /exec\.args: expected a list/],
    ['a nameless provider', {}, { 'auth-provider': {} }, /auth-provider\.name: expected the name of a provider/],
    ['extra fields of a person', {}, { as: 'a', 'as-user-extra': { a: ['b'] } }, /as-user-extra is not supported/],
  ])('but not %s', async (_, cluster, user, message) => {
    await expect(identity(cluster, user)).rejects.toThrow(ConfigError);
    await expect(identity(cluster, user)).rejects.toThrow(message);
    await expect(identity(cluster, user)).rejects.not.toThrow(/12345/);
  });

  it.each([
    ['nothing', '', /expected clusters, users and contexts, found an empty file/],
    ['a text', 'hello', /the file: expected a mapping, found the text "hello"/],
    ['a mapping for a list', 'clusters: {}', /clusters: expected a list, found a mapping/],
    ['an entry without a name', 'users: [{user: {}}]', /users\[0\]\.name: expected a name, found nothing/],
    ['a cluster without content', 'clusters: [{name: c}]', /clusters\[0\]\.cluster: expected a mapping, found nothing/],
    [
      'a context of nothing',
      'contexts: [{name: c, context: {}}]',
      /contexts\[0\]\.context\.cluster: expected the name/,
    ],
    ['no context at all', '{}', /has no context \(and no current-context\); it has: none/],
    ['two documents', 'clusters: []\n---\nclusters: []\n', /is not valid/],
  ])('but not, in the whole file, %s', async (_, text, message) => {
    const loading = loadConnection({ kubeconfigPath: join(folder, file('odd', text)) });
    await expect(loading).rejects.toThrow(ConfigError);
    await expect(loading).rejects.toThrow(message);
  });

  it('says where YAML breaks without quoting the secrets there', async () => {
    const path = join(folder, file('odd', 'users:\n- user: {token: "hush-hush\n'));
    const loading = loadConnection({ kubeconfigPath: path });
    await expect(loading).rejects.toThrow(/is not valid: .*line \d/);
    await expect(loading).rejects.not.toThrow(/hush/);
  });

  it('reads files again: what is broken meanwhile does not count, a new token does', async () => {
    const ca = selfSigned('a.test').cert;
    const path = kubeconfig(
      { server: 'https://x.test', 'certificate-authority': file('ca.crt', ca) },
      { tokenFile: file('token', 'one') },
    );
    const { credentials } = await loadConnection({ kubeconfigPath: path });
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer one' });
    file('token', '');
    expect(await credentials.refresh()).toBe(false);
    file('token', 'two');
    file('ca.crt', 'half');
    await expect(loadConnection({ kubeconfigPath: path })).rejects.toThrow(
      /certificate-authority: expected PEM in .*ca.crt/,
    );
    file('ca.crt', ca);
    file('token', '');
    await expect(loadConnection({ kubeconfigPath: path })).rejects.toThrow(
      /expected a token in .*token, found an empty/,
    );
  });
});

describe('the service account of a pod', () => {
  const mount = () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
    const { cert } = selfSigned('cluster.test');
    file('ca.crt', cert);
    file('token', 'projected\n');
    return cert;
  };

  it('is read from where it is mounted', async () => {
    const ca = mount();
    file('namespace', 'funnel-system\n');
    const settings = await readServiceAccount(folder);
    expect(settings).toMatchObject({ server: 'https://[fd00::1]:443', namespace: 'funnel-system' });
    const source = identitySource(settings);
    expect(await source.read()).toEqual({
      headers: { authorization: 'Bearer projected' },
      tls: { rejectUnauthorized: true, ca },
      server: 'https://[fd00::1]:443',
    });
    file('token', 'rotated');
    expect((await source.read()).headers).toEqual({ authorization: 'Bearer rotated' });
  });

  it('never goes without TLS or without its authority', async () => {
    mount();
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '8080');
    const settings = await readServiceAccount(folder);
    expect(settings).toMatchObject({ server: 'https://[fd00::1]:8080', namespace: 'default' });
    rmSync(join(folder, 'ca.crt'));
    await expect(identitySource(settings).read()).rejects.toThrow(/ENOENT.*ca\.crt/);
  });
});

describe('client-node', () => {
  /** In a process of its own: what it had to load to connect as that user. */
  const loadedFor = async (user: Record<string, unknown>): Promise<boolean> => {
    const path = kubeconfig({ server: 'https://x.test' }, user);
    const script = `
      import { registerHooks } from 'node:module';
      let loaded = false;
      registerHooks({ resolve: (name, context, next) => {
        if (name === '@kubernetes/client-node') loaded = true;
        return next(name, context);
      } });
      const { loadConnection } = await import(${JSON.stringify(new URL('config.ts', import.meta.url).href)});
      const { credentials } = await loadConnection({ kubeconfigPath: ${JSON.stringify(path)} });
      console.log(JSON.stringify({ loaded, authorization: (await credentials.current()).headers.authorization }));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const { loaded, authorization } = JSON.parse(stdout) as { loaded: boolean; authorization?: string };
    expect(authorization).toBe('client-key-data' in user ? undefined : 'Bearer t');
    return loaded;
  };

  it('is loaded for login programs and providers only: it costs more memory than all the rest', async () => {
    const { cert, key } = selfSigned('me.test');
    expect(await loadedFor({ token: 't' })).toBe(false);
    expect(await loadedFor({ tokenFile: file('token', 't') })).toBe(false);
    expect(await loadedFor({ 'client-certificate-data': base64(cert), 'client-key-data': base64(key) })).toBe(false);
    const login = { kind: 'ExecCredential', status: { token: 't' } };
    expect(await loadedFor({ exec: { command: 'echo', args: [JSON.stringify(login)] } })).toBe(true);
    const idToken = `${base64('{}')}.${base64('{"exp":32503680000}')}.s`.replaceAll('=', '');
    const oidc = { name: 'oidc', config: { 'id-token': idToken } };
    await expect(loadedFor({ 'auth-provider': oidc, token: 't' })).resolves.toBe(true);
  }, 60_000);
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

  it('takes up an authority that was replaced in its file, with calls and watches, at once', async () => {
    const ca = file('ca.crt', authority.cert);
    const path = kubeconfig({ server: server.url, 'certificate-authority': ca }, { token: 't' });
    const client = createKubeClient(await loadConnection({ kubeconfigPath: path }));
    const key = { namespace: 'default', name: 'a' };
    await client.get(CONFIG_MAPS, key);
    const next = selfSigned('next.test');
    server.present(next.issue('server.test'));
    file('ca.crt', next.cert);
    // A write: that it was not sent is certain, so it is sent once more.
    await client.mergePatch(CONFIG_MAPS, key, {});
    await client.get(CONFIG_MAPS, key);
    await client.close();

    const another = createKubeClient(await loadConnection({ kubeconfigPath: path }));
    const last = selfSigned('last.test');
    server.present(last.issue('server.test'));
    file('ca.crt', last.cert);
    server.answer((_, reply) => {
      reply.accept();
      reply.end();
    });
    for await (const _ of another.watch(CONFIG_MAPS, { resourceVersion: '1' })) throw new Error('expected no event');
    await another.close();
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

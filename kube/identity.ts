/**
 * From settings to the headers and TLS material of a call. Files are read at each turn. Login programs and identity providers are left to
 * client-node, which is loaded only for those who need it: it costs more memory than all the rest of a process.
 */
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { KubeConfig, User } from '@kubernetes/client-node';
import type { Identity, IdentitySource, TlsMaterial } from './credentials.ts';
import { isPem, type Pem, type Settings, type UserSettings } from './kubeconfig.ts';

/** Reads nothing before the first `read()`. */
export function identitySource(settings: Settings): IdentitySource {
  // One for all reads: it remembers until when a login is good.
  let loading: Promise<KubeConfig> | undefined;
  return {
    server: settings.server,
    async read() {
      const identity = await plainIdentity(settings);
      if (!settings.user.login) return withBasic(identity, settings.user);
      loading ??= loginWith(settings);
      return withBasic(await loggedIn(identity, await loading), settings.user);
    },
  };
}

async function plainIdentity({ ca, skipVerify, serverName, server, user }: Settings): Promise<Identity> {
  const tls: TlsMaterial = {
    // Said either way, or Node would ask the environment.
    rejectUnauthorized: !skipVerify && !server.startsWith('http:'),
  };
  if (ca) tls.ca = await pemText(ca);
  if (user.cert) tls.cert = await pemText(user.cert);
  if (user.key) tls.key = await pemText(user.key);
  if (user.cert && !user.key && !user.login) {
    throw new Error(`user ${user.name}: client-key: expected the key of the client-certificate, found nothing`);
  }
  if (serverName !== undefined) tls.servername = serverName;
  const headers: Record<string, string> = {};
  if (user.as !== undefined) headers['impersonate-user'] = user.as;
  const token = user.token ?? (user.tokenFile === undefined ? undefined : await tokenIn(user.tokenFile));
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return { headers, tls, server };
}

async function pemText({ field, text, file }: Pem): Promise<string> {
  if (text !== undefined) return text;
  const found = await textOf(field, file ?? '');
  if (!isPem(found)) throw new Error(`${field}: expected PEM in ${file}, found ${found.length} characters of no PEM`);
  return found;
}

/** Without the newline that editors add, which no header may hold. */
async function tokenIn(file: string): Promise<string> {
  const token = (await textOf('tokenFile', file)).trim();
  if (token === '') throw new Error(`tokenFile: expected a token in ${file}, found an empty file`);
  return token;
}

async function textOf(field: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`${field}: ${(cause as Error).message}`, { cause });
  }
}

function withBasic(identity: Identity, { username, password = '' }: UserSettings): Identity {
  if (username === undefined || identity.headers.authorization !== undefined) return identity;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return { ...identity, headers: { ...identity.headers, authorization } };
}

async function loginWith({ context, server, user }: Settings): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kc = new KubeConfig();
  // It refuses plain http unless told that TLS does not matter. The TLS material is ours; it only logs in.
  const cluster = { name: 'cluster', server, skipTLSVerify: true };
  const login = { name: user.name, exec: user.login?.exec, authProvider: user.login?.authProvider } as User;
  kc.loadFromOptions({
    clusters: [cluster],
    users: [login],
    contexts: [{ name: context, cluster: cluster.name, user: user.name }],
    currentContext: context,
  });
  return kc;
}

async function loggedIn(identity: Identity, kc: KubeConfig): Promise<Identity> {
  const options: RequestOptions = {};
  await kc.applyToHTTPSOptions(options);
  const given = Object.fromEntries(
    Object.entries(options.headers ?? {}).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), String(value).trim()]],
    ),
  );
  return {
    ...identity,
    // A token of the kubeconfig wins over that of a login.
    headers: { ...given, ...identity.headers },
    tls: {
      ...identity.tls,
      ...(options.cert ? { cert: options.cert as string } : {}),
      ...(options.key ? { key: options.key as string } : {}),
      ...(options.passphrase ? { passphrase: options.passphrase } : {}),
    },
  };
}

/**
 * A kubeconfig's text as the settings of one of its contexts: what kind of value stands where, which entries belong together, and whose
 * folder relative paths are in. Opens none of the files it names; reading those, and logging in, is identity.ts's. Where two settings
 * compete, a file wins over data and a token over a token file.
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { ConfigError } from './errors.ts';

/** PEM text that the kubeconfig holds, or the file that holds it. */
export interface Pem {
  /** How the kubeconfig calls it, for errors. */
  field: string;
  text?: string;
  file?: string;
}

/** What only a login program or an identity provider can tell, in the terms of the kubeconfig. */
export interface Login {
  exec?: Record<string, unknown>;
  authProvider?: Record<string, unknown>;
}

export interface UserSettings {
  name: string;
  cert?: Pem;
  key?: Pem;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  /** Whom to impersonate. */
  as?: string;
  login?: Login;
}

export interface Settings {
  context: string;
  namespace: string;
  /** Base URL, without a slash at its end. */
  server: string;
  proxyUrl?: string;
  ca?: Pem;
  serverName?: string;
  skipVerify: boolean;
  user: UserSettings;
}

const LONGEST_SHOWN = 80;
const HTTP_URL = /^https?:\/\//;

/** Reads one context of the file, its current-context when none is `wanted`. Throws ConfigError. */
export async function readKubeconfig(path: string, wanted: string | undefined): Promise<Settings> {
  const file = resolve(path);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`kubeconfig ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    return settingsOf(parse(text), file, wanted);
  } catch (cause) {
    if (cause instanceof FieldError) throw new ConfigError(`kubeconfig ${file} is not valid: ${cause.message}`);
    throw cause;
  }
}

function parse(text: string): Field {
  // Merge keys, as in YAML 1.1: kubeconfigs made by hand have them.
  const document = parseDocument(text, { merge: true });
  const broken = document.errors[0];
  // The lines below the first one quote the file, which is full of secrets.
  if (broken) throw new FieldError(broken.message.split('\n', 1)[0]?.replace(/:$/, '') ?? broken.code);
  try {
    return new Field('', document.toJS());
  } catch (cause) {
    throw new FieldError((cause as Error).message);
  }
}

function settingsOf(root: Field, file: string, wanted: string | undefined): Settings {
  if (!root.present) throw new FieldError('expected clusters, users and contexts, found an empty file');
  const clusters = entries(root.get('clusters'), 'cluster');
  const users = entries(root.get('users'), 'user');
  const contexts = entries(root.get('contexts'), 'context');
  for (const { body } of clusters) body.get('server').need('a URL');
  for (const { body } of contexts) body.get('cluster').need('the name of a cluster');

  const name = wanted ?? root.get('current-context').text();
  const context = contexts.find((c) => c.name === name);
  if (!context) {
    const names = contexts.map((c) => c.name).join(', ') || 'none';
    throw new ConfigError(`kubeconfig ${file} has no context ${name ?? '(and no current-context)'}; it has: ${names}`);
  }
  const clusterName = context.body.get('cluster').text();
  const cluster = clusters.find((c) => c.name === clusterName);
  if (!cluster) throw new ConfigError(`kubeconfig ${file}: context ${name} names cluster ${clusterName}, not there`);
  const userName = context.body.get('user').text();
  const user = users.find((u) => u.name === userName);
  if (userName !== undefined && !user) {
    throw new ConfigError(`kubeconfig ${file}: context ${name} names user ${userName}, not there`);
  }
  const folder = dirname(file);
  const target = clusterSettings(cluster, folder);
  return {
    context: context.name,
    namespace: context.body.get('namespace').text()?.trim() || 'default',
    ...target,
    user: user ? userSettings(user, folder, target.server) : { name: 'anonymous' },
  };
}

interface Entry {
  name: string;
  body: Field;
}

function entries(list: Field, key: 'cluster' | 'user' | 'context'): Entry[] {
  return list.items().map((item) => {
    const body = item.get(key);
    // A user may have nothing to show; a cluster or a context without content means nothing.
    if (key !== 'user' && !body.present) body.fail('a mapping');
    body.mapping();
    return { name: item.get('name').need('a name'), body };
  });
}

function clusterSettings({ name, body }: Entry, folder: string) {
  const server = body.get('server').need('a URL').trim();
  if (!isHttpUrl(server)) {
    throw new ConfigError(`server of cluster ${name}: expected an http or https URL, found ${shown(server)}`);
  }
  const proxyUrl = body.get('proxy-url').text();
  if (proxyUrl !== undefined && !isHttpUrl(proxyUrl)) {
    throw new ConfigError(
      // Without what was found: a proxy's URL may hold a password.
      `proxy-url of cluster ${name}: only http and https proxies are supported, as in http://proxy.example.com:3128`,
    );
  }
  const ca = pem(body, 'certificate-authority', folder);
  const serverName = body.get('tls-server-name').text();
  return {
    server: server.replace(/\/+$/, ''),
    skipVerify: body.get('insecure-skip-tls-verify').flag(),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(ca && { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

function userSettings({ name, body }: Entry, folder: string, server: string): UserSettings {
  for (const key of ['as-uid', 'as-groups', 'as-user-extra']) {
    if (!body.get(key).hasContent) continue;
    throw new ConfigError(`user ${name}: ${key} is not supported; use a context without it`);
  }
  const secret = { secret: true };
  const tokenFile = (body.get('tokenFile').present ? body.get('tokenFile') : body.get('token-file')).text();
  const cert = pem(body, 'client-certificate', folder);
  const key = pem(body, 'client-key', folder);
  const login = loginOf(body, folder, server);
  return withoutUndefined({
    name,
    cert,
    key,
    token: body.get('token').text(secret)?.trim(),
    tokenFile: tokenFile === undefined ? undefined : inFolder(folder, tokenFile),
    username: body.get('username').text(),
    password: body.get('password').text(secret),
    as: body.get('as').text(),
    login,
  });
}

function loginOf(body: Field, folder: string, server: string): Login | undefined {
  const exec = body.get('exec');
  const provider = body.get('auth-provider');
  if (provider.present) {
    provider.get('name').need('the name of a provider');
    provider.get('config').mapping();
  }
  if (!exec.present) return provider.present ? { authProvider: provider.mapping() } : undefined;
  const command = exec.get('command').need('a program');
  const env = exec
    .get('env')
    .items()
    .map((pair) => ({ name: pair.get('name').need('a name'), value: pair.get('value').text({ secret: true }) ?? '' }));
  for (const arg of exec.get('args').items()) arg.text({ secret: true });
  const info = {
    apiVersion: exec.get('apiVersion').text() ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server } },
  };
  return {
    exec: {
      ...exec.mapping(),
      command: command.includes('/') ? inFolder(folder, command) : command,
      env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }],
    },
    ...(provider.present ? { authProvider: provider.mapping() } : {}),
  };
}

function pem(body: Field, key: string, folder: string): Pem | undefined {
  const file = body.get(key).text();
  if (file !== undefined) return { field: key, file: inFolder(folder, file) };
  const data = body.get(`${key}-data`);
  const encoded = data.text({ secret: true })?.replace(/\s/g, '');
  if (!encoded) return undefined;
  const text = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64').toString('utf8') : '';
  if (!isPem(text)) data.fail('PEM in base64', `${encoded.length} characters that are something else`);
  return { field: `${key}-data`, text };
}

export const isPem = (text: string): boolean => text.includes('-----BEGIN ');

const inFolder = (folder: string, path: string): string => (isAbsolute(path) ? path : resolve(folder, path));

const isHttpUrl = (value: string): boolean => HTTP_URL.test(value) && URL.canParse(value);

function shown(value: string): string {
  return value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
function withoutUndefined<T extends object>(o: T): Defined<T> {
  return Object.fromEntries(Object.entries(o).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Where, what was expected, what was found. */
class FieldError extends Error {}

/** A value of the file that knows where it stands. What is null or an empty text is absent, as kubectl has it. */
class Field {
  readonly #path: string;
  readonly #value: unknown;

  constructor(path: string, value: unknown) {
    this.#path = path;
    this.#value = value;
  }

  get present(): boolean {
    return this.#value !== undefined && this.#value !== null && this.#value !== '';
  }
  get hasContent(): boolean {
    return this.present && !(typeof this.#value === 'object' && Object.keys(this.#value as object).length === 0);
  }
  get(key: string): Field {
    return new Field(this.#path === '' ? key : `${this.#path}.${key}`, this.mapping()[key]);
  }
  mapping(): Record<string, unknown> {
    if (!this.present) return {};
    if (typeof this.#value !== 'object' || Array.isArray(this.#value)) this.fail('a mapping');
    return this.#value as Record<string, unknown>;
  }
  items(): Field[] {
    if (!this.present) return [];
    if (!Array.isArray(this.#value)) this.fail('a list');
    return (this.#value as unknown[]).map((value, i) => new Field(`${this.#path}[${i}]`, value));
  }
  text(o: { secret?: boolean } = {}): string | undefined {
    if (!this.present) return undefined;
    if (typeof this.#value !== 'string')
      this.fail('a text (in quotes where it looks like something else)', undefined, o);
    return this.#value as string;
  }
  need(what: string): string {
    return this.text() ?? this.fail(what);
  }
  flag(): boolean {
    if (!this.present) return false;
    if (typeof this.#value !== 'boolean') this.fail('true or false');
    return this.#value as boolean;
  }
  fail(expected: string, found?: string, o: { secret?: boolean } = {}): never {
    throw new FieldError(`${this.#path || 'the file'}: expected ${expected}, found ${found ?? this.#describe(o)}`);
  }
  #describe({ secret = false }: { secret?: boolean }): string {
    const value = this.#value;
    if (!this.present) return 'nothing';
    if (Array.isArray(value)) return 'a list';
    if (typeof value === 'object') return 'a mapping';
    if (secret) return `a ${typeof value}`;
    return typeof value === 'string' ? `the text ${JSON.stringify(shown(value))}` : `the ${typeof value} ${value}`;
  }
}

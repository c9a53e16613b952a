/** What a sender's configuration is made of: the source's address and what its senders show. Pure; no secret is ever in it. */
import type { AlertSource } from '@funnelai/crds/generated/types';

/** How a sender proves that it is the source's own, and where that is kept. */
export interface Proof {
  way: 'bearer' | 'basic' | 'hmac' | 'none' | 'elsewhere';
  secret?: { name: string; key?: string };
}

/** A source as its senders see it. */
export interface Place {
  /** Of funnelAI as the sender reaches it, without a slash at the end. */
  base: string;
  /** Behind it: the source's own path. */
  path: string;
  namespace: string;
  name: string;
  proof: Proof;
}

export interface Snippet {
  /** Whose configuration it is. */
  title: string;
  /** Where the lines belong; for people. */
  where: string;
  text: string;
}

/** What stands where the token goes; never the token. */
export const TOKEN = 'TOKEN';

/** `elsewhere`: alerts are routed here by another source, and nobody posts. Other ways may come that this page does not know. */
export function proofOf(source: AlertSource): Proof {
  const auth = (source.spec as { auth?: Record<string, { secretRef?: { name: string; key?: string } }> }).auth;
  for (const way of ['bearer', 'basic', 'hmac', 'none'] as const) {
    const held = auth?.[way];
    if (held !== undefined) return { way, ...(held.secretRef === undefined ? {} : { secret: held.secretRef }) };
  }
  return { way: 'elsewhere' };
}

export const urlOf = ({ base, path }: Place, more = ''): string => `${base}${path}${more}`;

/** `host:port` of the address, as senders want it that name scheme, host and path apart. */
export function partsOf(place: Place): { scheme: string; host: string; port: string; tls: boolean; prefix: string } {
  const url = new URL(place.base);
  const tls = url.protocol === 'https:';
  return {
    scheme: tls ? 'https' : 'http',
    host: url.hostname,
    port: url.port === '' ? (tls ? '443' : '80') : url.port,
    tls,
    prefix: `${url.pathname.replace(/\/$/, '')}${place.path}`,
  };
}

/** The address with user and password in it, for senders that have no other place for them. */
export function urlWithUser(place: Place, user = 'USER', password = 'PASSWORD'): string {
  return urlOf(place).replace('://', `://${user}:${password}@`);
}

/** The header that the source asks for; undefined where it asks for none. */
export function authorization({ proof }: Place): string | undefined {
  if (proof.way === 'bearer') return `Bearer ${TOKEN}`;
  return proof.way === 'basic' ? 'Basic USER_AND_PASSWORD_IN_BASE64' : undefined;
}

/** A curl command that sends `body`. */
export function curl(place: Place, type: string, body: string, more = '', headers: readonly string[] = []): string {
  const auth = authorization(place);
  const all = [...(auth === undefined ? [] : [`Authorization: ${auth}`]), `Content-Type: ${type}`, ...headers];
  return [`curl -i ${urlOf(place, more)} \\`, ...all.map((header) => `  -H '${header}' \\`), `  -d '${body}'`].join(
    '\n',
  );
}

/** The command that prints what a sender shows; undefined where that is nothing. */
export function secretCommand({ namespace, proof: { way, secret } }: Place): string | undefined {
  if (secret === undefined || way === 'none') return undefined;
  const key = secret.key ?? 'password';
  const path = key.replaceAll('.', '\\.');
  return `kubectl get secret ${secret.name} -n ${namespace} -o jsonpath='{.data.${path}}' | base64 -d`;
}

/** The base that was typed, as it can be used; undefined where it is no address. */
export function usableBase(text: string): string | undefined {
  try {
    const url = new URL(text.trim());
    if (!/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '')
      return undefined;
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  } catch {
    return undefined;
  }
}

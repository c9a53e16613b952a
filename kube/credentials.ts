/**
 * The headers and TLS material of a connection, kept fresh: they are read again from time to time, a 401 makes the whole configuration be
 * read anew, and no answer makes it be looked at for another address. Where they come from is the source's; using them is the client's.
 */
import { type Clock, systemClock } from './clock.ts';
import { KubeError } from './errors.ts';

export interface TlsMaterial {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  passphrase?: string;
  servername?: string;
  rejectUnauthorized: boolean;
}

export interface Identity {
  headers: Record<string, string>;
  tls: TlsMaterial;
  /** Base URL of the server that these are for; that of the connection when absent. */
  server?: string;
}

export interface Credentials {
  /** As whom to call now; cached for a short while, so cheap enough for every call. */
  current(): Promise<Identity>;
  /** The server did not accept them: read everything anew. True when something is different now. */
  refresh(): Promise<boolean>;
  /** No answer came from this server: looks whether the configuration names another one by now. True when it does. */
  movedFrom(server: string | undefined): Promise<boolean>;
}

/** How long an identity is used before the files behind it are looked at again. */
const FRESH_MS = 30_000;
/** Refreshes forced by 401s come no closer than this: an exec plugin is a process. Looks for another address neither. */
const FORCED_APART_MS = 5_000;

export interface IdentitySource {
  /** Base URL. */
  readonly server: string;
  /** Looks at what is behind it, such as files, at each call. */
  read(): Promise<Identity>;
}

export interface CredentialsOptions {
  /** Reads the configuration anew. */
  load(): Promise<IdentitySource>;
  initial: IdentitySource;
  clock?: Clock;
}

/** Credentials that a configuration describes. */
export function createCredentials({ load, initial, clock = systemClock }: CredentialsOptions): Credentials {
  let source = initial;
  let held: { identity: Identity; readAtMs: number } | undefined;
  let reading: Promise<Identity> | undefined;
  let forcedAtMs = Number.NEGATIVE_INFINITY;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  /** Whatever fails leaves things as they are: the next look may do better. */
  const look = async () => {
    const next = await load();
    if (next.server === source.server) return;
    await reading?.catch(() => {});
    source = next;
    await read();
  };
  const read = () => {
    reading ??= source
      .read()
      .then((next) => {
        // The same objects while nothing changed: pools are told apart by them.
        const same = held && JSON.stringify(held.identity.tls) === JSON.stringify(next.tls);
        const identity = held && same ? { ...next, tls: held.identity.tls } : next;
        held = { identity, readAtMs: clock.monotonicMs() };
        return identity;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  return {
    async current() {
      if (held && clock.monotonicMs() - held.readAtMs < FRESH_MS) return held.identity;
      try {
        return await read();
      } catch (error) {
        // A file being replaced, a plugin that failed once: what worked a moment ago is tried again, and a 401 tells the rest.
        if (held) return held.identity;
        throw error;
      }
    },
    async movedFrom(server) {
      if (looking === undefined && clock.monotonicMs() - lookedAtMs >= FORCED_APART_MS) {
        lookedAtMs = clock.monotonicMs();
        looking = look()
          .catch(() => {})
          .finally(() => {
            looking = undefined;
          });
      }
      await looking;
      return held?.identity.server !== server;
    },
    async refresh() {
      if (clock.monotonicMs() - forcedAtMs < FORCED_APART_MS) return false;
      forcedAtMs = clock.monotonicMs();
      const before = JSON.stringify(held?.identity);
      try {
        const next = await load();
        // What is being read now is of the configuration that was refused.
        await reading?.catch(() => {});
        source = next;
        return JSON.stringify(await read()) !== before;
      } catch {
        return false;
      }
    },
  };
}

/** Fixed credentials: tests, and tokens that a person brought. */
export function staticCredentials(identity: Partial<Identity> = {}): Credentials {
  const whole: Identity = { headers: {}, tls: { rejectUnauthorized: true }, ...identity };
  return { current: async () => whole, refresh: async () => false, movedFrom: async () => false };
}

/** The trust of `credentials` with this token in place of whom they speak for: no client certificate, no header of theirs. */
export function tokenInstead(credentials: Credentials, token: string): Credentials {
  // Never sent: what cannot stand in a header is no token, and the server's answer to it is known.
  const isToken = /^[\x21-\x7e]+$/.test(token);
  return {
    async current() {
      if (!isToken) {
        throw new KubeError({ status: 401, reason: 'Unauthorized', transient: false, message: 'not a bearer token' });
      }
      const { tls, server } = await credentials.current();
      const identity = { headers: { authorization: `Bearer ${token}` }, tls: withoutCertificate(tls) };
      return server === undefined ? identity : { ...identity, server };
    },
    refresh: async () => false,
    movedFrom: (server) => credentials.movedFrom(server),
  };
}

const trusts = new WeakMap<TlsMaterial, TlsMaterial>();

/** The same object for the same input: the transport tells pools apart by it. */
function withoutCertificate(tls: TlsMaterial): TlsMaterial {
  if (!tls.cert && !tls.key) return tls;
  let trust = trusts.get(tls);
  if (!trust) {
    const { cert: _cert, key: _key, passphrase: _passphrase, ...rest } = tls;
    trust = rest;
    trusts.set(tls, trust);
  }
  return trust;
}

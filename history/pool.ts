/**
 * The one door to Postgres: a bounded pool from an explicit URL. Nothing of the connection comes from the environment
 * (PG* variables, ~/.pgpass), a connection that dies never ends the process, and each wait has an end.
 */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import pg from 'pg';
import type { Log } from './log.ts';

const DEFAULT_PORT = 5432;
const POOL_SIZE = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** The server ends a statement after this; the client gives up a little later, for a server that no longer answers. */
const STATEMENT_TIMEOUT_MS = 15_000;
const CLIENT_GRACE_MS = 5_000;
const LOCK_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
/** A connection is replaced after half an hour, so that a switched-over database is found again. */
const MAX_LIFETIME_SECONDS = 1_800;

export interface PoolOptions {
  log?: Log;
  /** Shown in pg_stat_activity. */
  applicationName?: string;
  /** Connections at most, 1 or more. */
  size?: number;
  connectTimeoutMs?: number;
  statementTimeoutMs?: number;
}

const PARAMETERS = 'application_name, channel_binding, host, options, password, port, sslmode, sslrootcert, user';

const NO_HOST = 'host-is-a-parameter.invalid';

/** What a database URL says, in full; host, user and database have no default on purpose. */
export interface DatabaseAddress {
  host: string;
  port: number;
  user: string;
  database: string;
  password: string | undefined;
  ssl: false | TlsOptions;
  options: string | undefined;
  applicationName: string | undefined;
  channelBinding: boolean;
}

/**
 * Reads `postgres://user:password@host:port/database?…`.
 * @throws {TypeError} when a part is missing or unknown; the message never holds the URL.
 */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  let parsed: URL;
  try {
    // A URL with a user but no host (a socket's folder follows as ?host=) is not one to the parser.
    parsed = new URL(url.trim().replace('@/', `@${NO_HOST}/`));
  } catch {
    throw new TypeError('database URL: expected postgres://user:password@host:port/database, found something else');
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:')
    throw new TypeError(`database URL: expected postgres:// or postgresql://, found ${parsed.protocol}//`);
  const parameters = new Map(parsed.searchParams);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === '' ? undefined : value;
  };
  const decoded = (part: string, what: string): string | undefined => {
    try {
      return part === '' ? undefined : decodeURIComponent(part);
    } catch {
      throw new TypeError(`database URL: the ${what} is not percent-encoded rightly (a % must be written %25)`);
    }
  };
  const need = (value: string | undefined, what: string): string => {
    if (value === undefined)
      throw new TypeError(`database URL: no ${what} in it; the environment (PG* variables) is not asked for one`);
    return value;
  };
  const host = need(
    take('host') ?? decoded(parsed.hostname.replace(NO_HOST, '').replace(/^\[|\]$/g, ''), 'host'),
    'host',
  );
  if (host.includes(',')) throw new TypeError('database URL: expected one host, found a list');
  const portText = take('port') ?? parsed.port;
  const port = portText === '' ? DEFAULT_PORT : Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new TypeError('database URL: the port is not a number from 1 to 65535');
  const address: DatabaseAddress = {
    host,
    port,
    user: need(take('user') ?? decoded(parsed.username, 'user'), 'user'),
    database: need(decoded(parsed.pathname.slice(1), 'database'), 'database'),
    password: take('password') ?? decoded(parsed.password, 'password'),
    ssl: tlsOf(take('sslmode'), take('sslrootcert')),
    options: take('options'),
    applicationName: take('application_name'),
    channelBinding: take('channel_binding') === 'require',
  };
  const [unknown] = parameters.keys();
  if (unknown !== undefined)
    throw new TypeError(`database URL: parameter ${unknown} is not known; known are ${PARAMETERS}`);
  return address;
}

function tlsOf(mode: string | undefined, rootCertificate: string | undefined): false | TlsOptions {
  const ca = rootCertificate === undefined ? {} : { ca: readFileSync(rootCertificate, 'utf8') };
  switch (mode) {
    case undefined:
      return rootCertificate === undefined ? false : ca;
    case 'disable':
      return false;
    case 'no-verify':
      return { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...ca, checkServerIdentity: () => undefined };
    case 'require':
    case 'verify-full':
      return ca;
    default:
      throw new TypeError(
        'database URL: sslmode must be disable, require (the certificate is verified), verify-ca, verify-full or no-verify',
      );
  }
}

/** How the URL in a file is read. */
export const urlIn =
  (file: string): (() => string) =>
  () =>
    readFileSync(file, 'utf8');

/**
 * A pool to the database of `url`; given how to read it, as it is read at each new connection: a password is changed, a database moves,
 * a certificate runs out, and no process has to start anew. No connection is made before the first query.
 * @throws {TypeError} when the URL is incomplete, see `parseDatabaseUrl`.
 */
export function createPool(url: string | (() => string), o: PoolOptions = {}): pg.Pool {
  const read = typeof url === 'string' ? () => url : url;
  let config = configOf(parseDatabaseUrl(read()), o);
  /** What cannot be read just now is being replaced, or wrong: what worked a moment ago is tried again. */
  const present = (): pg.PoolConfig => {
    try {
      config = configOf(parseDatabaseUrl(read()), o);
    } catch (error) {
      o.log?.warn({ err: error }, 'the database URL cannot be read anew; the one from before is used');
    }
    return config;
  };
  const pool = new pg.Pool({
    ...config,
    Client: class extends pg.Client {
      constructor() {
        super(present());
        // It may die while nobody listens: just made or handed out, or on its way out. Whoever uses it hears of it by his query.
        this.on('error', () => {});
      }
    },
  });
  // Without a listener the death of an idle connection would end the process.
  pool.on('error', (error: Error & { code?: string }) => {
    o.log?.warn({ code: error.code }, 'an idle connection to Postgres was lost; the next query opens another');
  });
  return pool;
}

function configOf(address: DatabaseAddress, o: PoolOptions): pg.PoolConfig & { replication?: string } {
  const statementTimeoutMs = o.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    database: address.database,
    // As a function it is asked only when the server wants one, and neither PGPASSWORD nor ~/.pgpass is looked at.
    password: () => {
      if (address.password === undefined) throw new Error('the server asks for a password, the database URL has none');
      return address.password;
    },
    ssl: address.ssl,
    enableChannelBinding: address.channelBinding,
    // Said in full, as `pg` takes what is not said from PGOPTIONS, PGAPPNAME, PGSSLNEGOTIATION, PGCLIENT_ENCODING.
    options: address.options ?? '-c TimeZone=UTC',
    application_name: address.applicationName ?? o.applicationName ?? 'funnelai',
    sslnegotiation: 'postgres',
    client_encoding: 'UTF8',
    ...(process.env.PGREPLICATION === undefined ? {} : { replication: 'false' }),
    max: Math.max(1, o.size ?? POOL_SIZE),
    connectionTimeoutMillis: o.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + CLIENT_GRACE_MS,
    lock_timeout: Math.min(LOCK_TIMEOUT_MS, statementTimeoutMs),
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  };
}

/** What a pool is to who only hands it on. */
export type DatabasePool = pg.Pool;

/** Two statements that store, two of the drain, one that looks, the drain lock, and one to spare. */
const INBOX_POOL_SIZE = 7;
/** A sender waits. */
const INBOX_CONNECT_TIMEOUT_MS = 1_500;
const INBOX_STATEMENT_TIMEOUT_MS = 2_000;

/** A pool for the inbox alone. @throws {TypeError} like `createPool`. */
export function createInboxPool(url: string | (() => string), log?: Log): pg.Pool {
  return createPool(url, {
    ...(log === undefined ? {} : { log }),
    applicationName: 'funnelai-webhook-inbox',
    size: INBOX_POOL_SIZE,
    connectTimeoutMs: INBOX_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: INBOX_STATEMENT_TIMEOUT_MS,
  });
}

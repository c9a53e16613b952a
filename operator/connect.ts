/** What the operator and its commands stand on: the API server and the Postgres that flags name, and the signals that end them. */
import { HistorySchemaError, HistoryUnavailable } from '@funnelai/history/errors';
import { createMirror, type Mirror } from '@funnelai/history/mirror';
import { prepareHistory } from '@funnelai/history/months';
import { createPool, urlIn } from '@funnelai/history/pool';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { type Connection, loadConnection } from '@funnelai/kube/config';
import type { Log } from '@funnelai/kube/log';
import { createWriteBudget } from '@funnelai/kube/write-budget';
import type { Registry } from 'prom-client';
import { FIELD_MANAGER } from './identity.ts';

const VERSION = '0.1.0';
/** Of their own, for the Lease: one in use, one for when that hangs. */
const LEASE_CONNECTIONS = 2;
/** For connections that are in use at the end: of one that hangs nothing more is to be had. */
const CLOSE_MS = 1_000;
const IGNORED = ['KUBECONFIG', 'DATABASE_URL'];

/**
 * Nothing is asked yet. `leaseClient` is for the Lease alone: no other work can keep its calls waiting.
 * @throws ConfigError when the kubeconfig cannot be used.
 */
export async function connect(
  flags: { kubeconfig?: string; context?: string },
  registry: Registry,
  log: Log,
): Promise<{ client: KubeClient; leaseClient: KubeClient; connection: Connection }> {
  for (const name of IGNORED) {
    if (process.env[name] !== undefined) log.info(`${name} is set and was ignored: only flags name what to work on`);
  }
  const connection = await loadConnection({
    ...(flags.kubeconfig !== undefined && { kubeconfigPath: flags.kubeconfig }),
    ...(flags.context !== undefined && { context: flags.context }),
    inCluster: flags.kubeconfig === undefined,
  });
  const clock = systemClock;
  const common = { clock, userAgent: `${FIELD_MANAGER}/${VERSION}`, metrics: registry };
  const budget = createWriteBudget({ clock, metrics: registry });
  return {
    client: createKubeClient(connection, { ...common, budget }),
    leaseClient: createKubeClient(connection, { ...common, poolSize: LEASE_CONNECTIONS }),
    connection,
  };
}

export interface History {
  pool: ReturnType<typeof createPool>;
  /** One for each term. */
  openMirror(): Mirror;
  close(): Promise<void>;
}

/** Undefined where no file names a database. Asks Postgres for nothing yet: it may be away. */
export function openHistory(
  { databaseUrlFile, namespace }: { databaseUrlFile?: string; namespace?: string },
  log: Log,
): History | undefined {
  if (databaseUrlFile === undefined) return undefined;
  const pool = createPool(urlIn(databaseUrlFile), { log });
  /** Before a term's first write, so that an operator starts, and works, without Postgres. */
  const prepare = async (): Promise<void> => {
    try {
      await prepareHistory(pool, log, systemClock.now());
    } catch (error) {
      // A schema that is newer than this operator is a person's to mend; nothing else stops for it.
      throw error instanceof HistorySchemaError ? new HistoryUnavailable(error.message) : error;
    }
  };
  return {
    pool,
    openMirror: () =>
      createMirror({ pool, clock: systemClock, log, prepare, ...(namespace !== undefined && { namespace }) }),
    close: () => Promise.race([pool.end(), systemClock.sleep(CLOSE_MS)]),
  };
}

/** Aborts at the first SIGTERM or SIGINT; a second one, or a stop that takes longer than `deadlineMs`, ends the process. */
export function stopSignal(log: Log, deadlineMs: number): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal: name }, 'stopping: the work in hand is finished first');
    systemClock.after(deadlineMs, () => {
      log.error({ deadlineMs }, 'the stop takes too long; ending now');
      process.exit(1);
    });
    stop.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stop.signal;
}

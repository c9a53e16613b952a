/** Starts the operator: flags, connections, signals. Wires and nothing else; what it does is put together in manager.ts. */
import { readFile } from 'node:fs/promises';
import { migrate } from '@funnelai/history/migrate';
import { createMirror, type Mirror } from '@funnelai/history/mirror';
import { createPool } from '@funnelai/history/pool';
import { createKubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import { processIdentity } from '@funnelai/kube/leader';
import { createLog, type Log } from '@funnelai/kube/log';
import { preferSmallHeap } from '@funnelai/kube/memory';
import { createRegistry } from '@funnelai/kube/metrics';
import { type Flags, parseFlags, USAGE, UsageError } from './flags.ts';
import { serveHealth } from './health.ts';
import { FIELD_MANAGER } from './identity.ts';
import { createOperator } from './manager.ts';
import { migratedFirst } from './mirror/migrated.ts';

const VERSION = '0.1.0';
/** A stop that takes longer is ended: whoever asked for it waits no longer than a pod's grace period. */
const STOP_DEADLINE_MS = 20_000;
const EXIT_USAGE = 64;

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const log = createLog('operator', flags.logLevel);
  for (const name of ['KUBECONFIG', 'DATABASE_URL']) {
    if (process.env[name] !== undefined) log.info(`${name} is set and was ignored: only flags name what to work on`);
  }
  const stopping = stopSignal(log);
  const clock = systemClock;
  const registry = createRegistry();
  const connection = await loadConnection({
    ...(flags.kubeconfig !== undefined && { kubeconfigPath: flags.kubeconfig }),
    ...(flags.context !== undefined && { context: flags.context }),
    inCluster: flags.kubeconfig === undefined,
  });
  const client = createKubeClient(connection, { clock, userAgent: `${FIELD_MANAGER}/${VERSION}`, metrics: registry });
  const history = await openHistory(flags, log);
  const operator = createOperator({
    client,
    clock,
    log,
    registry,
    instance: processIdentity(),
    leaseNamespace: flags.leaseNamespace,
    retention: flags.retention,
    ...(history !== undefined && { mirror: history.mirror }),
  });
  const health =
    flags.healthPort === undefined
      ? undefined
      : await serveHealth({ host: flags.healthHost, port: flags.healthPort, registry, ready: operator.waitsFor });
  log.info({ server: connection.server, context: connection.context, healthPort: health?.port }, 'operator starts');
  await operator.run(stopping);
  await Promise.all([health?.close(), history?.close(), client.close()]);
  log.info('stopped');
}

async function openHistory(flags: Flags, log: Log): Promise<{ mirror: Mirror; close(): Promise<void> } | undefined> {
  if (flags.databaseUrlFile === undefined) {
    log.warn('history is off: no --database-url-file. Changes stay in the objects, and deleted incidents are held');
    return undefined;
  }
  const url = (await readFile(flags.databaseUrlFile, 'utf8')).trim();
  const pool = createPool(url);
  const mirror = createMirror({ pool, clock: systemClock, log });
  return { mirror: migratedFirst(mirror, () => migrate(pool, log)), close: () => pool.end() };
}

/** Aborts at the first SIGTERM or SIGINT; a second one, or a stop that hangs, ends the process. */
function stopSignal(log: Log): AbortSignal {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal: name }, 'stopping: the work in hand is finished first');
    systemClock.after(STOP_DEADLINE_MS, () => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, 'the stop takes too long; ending now');
      process.exit(1);
    });
    stop.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return stop.signal;
}

preferSmallHeap();
main().then(
  // Sockets that a library keeps open must not keep a stopped operator alive.
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
    process.exit(error instanceof UsageError ? EXIT_USAGE : 1);
  },
);

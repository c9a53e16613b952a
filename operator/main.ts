/** Starts the operator, or runs one of its commands. Wires and nothing else; what the operator does is put together in manager.ts. */
import { systemClock } from '@funnelai/kube/clock';
import { processIdentity } from '@funnelai/kube/leader';
import { createLog } from '@funnelai/kube/log';
import { preferSmallHeap } from '@funnelai/kube/memory';
import { createRegistry } from '@funnelai/kube/metrics';
import { COMMAND_USAGE, isCommand } from './commands/flags.ts';
import { runCommand } from './commands/run.ts';
import { connect, openHistory, stopSignal } from './connect.ts';
import { parseFlags, USAGE, UsageError } from './flags.ts';
import { serveHealth } from './health.ts';
import { createOperator } from './manager.ts';

/** A stop that takes longer is ended: whoever asked for it waits no longer than a pod's grace period. */
const STOP_DEADLINE_MS = 20_000;
const EXIT_USAGE = 64;

async function main(): Promise<number> {
  const [first, ...rest] = process.argv.slice(2);
  if (isCommand(first)) return runCommand(first, rest);
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const log = createLog('operator', flags.logLevel);
  const stopping = stopSignal(log, STOP_DEADLINE_MS);
  const registry = createRegistry();
  const { client, leaseClient, connection } = await connect(flags, registry, log);
  if (flags.databaseUrlFile === undefined) {
    log.warn('history is off: no --database-url-file. Changes stay in the objects, and deleted incidents are held');
  }
  const history = openHistory(flags, log);
  const operator = createOperator({
    client,
    leaseClient,
    clock: systemClock,
    log,
    registry,
    instance: processIdentity(),
    leaseNamespace: flags.leaseNamespace,
    ...(flags.namespace !== undefined && { namespace: flags.namespace }),
    retention: flags.retention,
    ...(history !== undefined && { openMirror: history.openMirror }),
    ...(flags.historyRetentionMs !== undefined && { keepHistoryMs: flags.historyRetentionMs }),
  });
  const health =
    flags.healthPort === undefined
      ? undefined
      : await serveHealth({ host: flags.healthHost, port: flags.healthPort, registry, condition: operator.condition });
  log.info({ server: connection.server, context: connection.context, healthPort: health?.port }, 'operator starts');
  await operator.run(stopping);
  await Promise.all([health?.close(), history?.close(), client.close(), leaseClient.close()]);
  log.info('stopped');
  return 0;
}

preferSmallHeap();
main().then(
  // Sockets that a library keeps open must not keep a stopped operator alive.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof UsageError)
      process.stderr.write(`\n${isCommand(process.argv[2]) ? COMMAND_USAGE[process.argv[2]] : USAGE}`);
    process.exit(error instanceof UsageError ? EXIT_USAGE : 1);
  },
);

/** The webhook's process: flags in, parts wired, signals obeyed. SIGTERM and SIGINT end it in good order with exit code 0. */
import { resolve } from 'node:path';
import { createInboxPool, createPool, urlIn } from '@funnelai/history/pool';
import { createQueries } from '@funnelai/history/queries';
import { createRepeatStore } from '@funnelai/history/repeats';
import { createKubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import { loadConnection } from '@funnelai/kube/config';
import { createLog, type Log } from '@funnelai/kube/log';
import { preferSmallHeap } from '@funnelai/kube/memory';
import { createRegistry } from '@funnelai/kube/metrics';
import { parseFlags, USAGE, UsageError } from './flags.ts';
import { SHUTDOWN_MS } from './limits.ts';
import { serveMetrics } from './server/health.ts';
import { createWebhook } from './wiring.ts';

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(USAGE);
    return;
  }
  const flags = parseFlags(process.argv.slice(2));
  const log = createLog('webhook', flags.logLevel);
  for (const name of ['KUBECONFIG', 'DATABASE_URL']) {
    if (process.env[name] !== undefined) log.info(`${name} is set in the environment and is ignored`);
  }
  const connection = await loadConnection({
    ...(flags.kubeconfig === undefined ? { inCluster: true } : { kubeconfigPath: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
  });
  log.info({ server: connection.server, context: connection.context }, 'using this API server');
  const registry = createRegistry();
  const client = createKubeClient(connection, { clock: systemClock, userAgent: 'funnelai-webhook', metrics: registry });
  const { pool, inboxPool } = openPools(flags.databaseUrlFile, log);
  const webhook = await createWebhook({
    client,
    queries: pool === undefined ? undefined : createQueries({ pool }),
    pool,
    repeats: pool === undefined ? undefined : createRepeatStore({ pool }),
    inboxPool,
    clock: systemClock,
    log,
    registry,
    ...(flags.namespace !== undefined && { namespace: flags.namespace }),
    host: flags.host,
    uiDir: flags.uiDir === undefined ? undefined : resolve(flags.uiDir),
    signInFile: flags.signInFile,
    welcomeFile: flags.welcomeFile,
  });
  webhook.start();
  const metrics =
    flags.metricsPort === undefined
      ? undefined
      : await serveMetrics({ host: flags.host, port: flags.metricsPort, registry, readiness: webhook.readiness });
  const address = await webhook.server.listen({ host: flags.host, port: flags.port });
  const metricsAddress = metrics?.address();
  log.info({ address, ...(typeof metricsAddress === 'object' ? { metrics: metricsAddress } : {}) }, 'listening');

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    // A connection that does not end must not keep the process.
    systemClock.after(SHUTDOWN_MS, () => process.exit(0));
    void webhook
      .stop()
      .catch((error: unknown) => log.error({ err: error }, 'stopping failed'))
      .then(async () => {
        metrics?.close();
        await Promise.allSettled([pool?.end(), inboxPool?.end(), client.close()]);
        process.exit(0);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function openPools(file: string | undefined, log: Log) {
  if (file === undefined) {
    log.warn('history is off, and there is no inbox: no --database-url-file was given');
    return { pool: undefined, inboxPool: undefined };
  }
  const url = urlIn(file);
  return {
    pool: createPool(url, { applicationName: 'funnelai-webhook', log }),
    inboxPool: createInboxPool(url, log),
  };
}

preferSmallHeap();
main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    error instanceof UsageError ? `${message}\n\n${USAGE}` : `the webhook cannot start: ${message}\n`,
  );
  process.exit(error instanceof UsageError ? 2 : 1);
});

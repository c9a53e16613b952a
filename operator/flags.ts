/** The operator's command line. Promises a clear refusal of anything that it does not know; reads nothing from the environment. */
import { parseArgs } from 'node:util';
import { parseDuration } from '@funnelai/domain/instants';
import type { Retention } from './retention/decide.ts';

export interface Flags {
  kubeconfig?: string;
  context?: string;
  databaseUrlFile?: string;
  /** Work in this one alone. */
  namespace?: string;
  /** How long history keeps what left the cluster; absent: for ever. */
  historyRetentionMs?: number;
  leaseNamespace: string;
  retention: Retention;
  logLevel: string;
  healthHost: string;
  healthPort?: number;
  help: boolean;
}

/** Raised for a command line that cannot be obeyed; its message is for the person who typed it. */
export class UsageError extends Error {}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const MAX_PORT = 65_535;
/** RFC 1123 label, as the API server asks for. */
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIN_RETENTION_MS = 1_000;
const MAX_RETENTION_MS = 3_650 * DAY_MS;

export const USAGE = `funnelAI operator: correlates alerts into incidents and runs their lifecycle.
Its commands, leave and restore, tell theirs with --help.

  --kubeconfig FILE         kubeconfig to read; without it, the pod's service account
  --context NAME            context of that file; default: its current-context
  --database-url-file FILE  file that holds the URL of Postgres; without it history is off
  --namespace NAME          work in this namespace alone, with rights in it alone; default: in all
  --history-retention TIME  forget in Postgres what left the cluster longer ago, by month, as 400d; without it
                            nothing is forgotten
  --lease-namespace NAME    where the leader's Lease lives (funnel-system; with --namespace: there)
  --alert-retention TIME    how long an Alert stays in the cluster after it resolved (24h)
  --incident-retention TIME how long an Incident stays in the cluster after it was closed (7d); both leave only once Postgres has them
  --health-port N           serve /healthz, /readyz and /metrics there
  --health-host ADDRESS     address to serve them on (127.0.0.1)
  --log-level LEVEL         ${LOG_LEVELS.join(', ')} (info)

KUBECONFIG and DATABASE_URL of the environment are never used.
`;

/**
 * Reads the arguments after `node operator/main.ts`.
 * @throws UsageError naming the flag, what was found and what was expected.
 */
export function parseFlags(args: string[]): Flags {
  const values = parsed(args);
  const level = values['log-level'] ?? 'info';
  if (!LOG_LEVELS.includes(level)) {
    throw new UsageError(`--log-level: expected one of ${LOG_LEVELS.join(', ')}, found "${level}"`);
  }
  if (values.context !== undefined && values.kubeconfig === undefined) {
    throw new UsageError('--context names a context of a kubeconfig: give --kubeconfig FILE too');
  }
  for (const flag of ['namespace', 'lease-namespace'] as const) checkNamespace(flag, values[flag]);
  const flags: Flags = {
    leaseNamespace: values['lease-namespace'] ?? values.namespace ?? 'funnel-system',
    retention: {
      alertMs: retention('alert-retention', values['alert-retention'] ?? '24h'),
      incidentMs: retention('incident-retention', values['incident-retention'] ?? '7d'),
    },
    logLevel: level,
    healthHost: values['health-host'] ?? '127.0.0.1',
    help: values.help ?? false,
  };
  if (values.kubeconfig !== undefined) flags.kubeconfig = values.kubeconfig;
  if (values.namespace !== undefined) flags.namespace = values.namespace;
  if (values.context !== undefined) flags.context = values.context;
  if (values['database-url-file'] !== undefined) flags.databaseUrlFile = values['database-url-file'];
  if (values['history-retention'] !== undefined) {
    flags.historyRetentionMs = historyRetention(values['history-retention'], flags.retention);
  }
  if (values['health-port'] !== undefined) flags.healthPort = port(values['health-port']);
  return flags;
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        'database-url-file': { type: 'string' },
        namespace: { type: 'string' },
        'history-retention': { type: 'string' },
        'lease-namespace': { type: 'string' },
        'alert-retention': { type: 'string' },
        'incident-retention': { type: 'string' },
        'log-level': { type: 'string' },
        'health-port': { type: 'string' },
        'health-host': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError when it cannot be the name of a namespace. */
export function checkNamespace(flag: string, name: string | undefined): void {
  if (name === undefined || NAMESPACE.test(name)) return;
  throw new UsageError(`--${flag}: expected the name of a namespace (a-z, 0-9 and -), found "${name}"`);
}

function retention(flag: string, text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  let ms: number | undefined;
  try {
    ms = days === undefined ? parseDuration(text) : Number(days) * DAY_MS;
  } catch {
    // Said below, as what is out of bounds is.
  }
  if (ms !== undefined && ms >= MIN_RETENTION_MS && ms <= MAX_RETENTION_MS) return ms;
  throw new UsageError(`--${flag}: expected a time from 1s to 3650d, such as 90m, 24h or 7d, found "${text}"`);
}

/** History may not forget what the cluster still shows: closed incidents, the alerts in them, and alerts that have ended. */
function historyRetention(text: string, { alertMs, incidentMs }: Retention): number {
  const leastMs = Math.max(alertMs, incidentMs);
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  const ms = Number(count) * (unit === 'd' ? DAY_MS : HOUR_MS);
  if (unit === undefined || ms < leastMs || ms > MAX_RETENTION_MS) {
    const least = `at least ${leastMs / DAY_MS}d, as long as what has ended stays in the cluster`;
    throw new UsageError(
      `--history-retention: expected days or hours, as 400d, at most ${MAX_RETENTION_MS / DAY_MS}d and ${least}; found "${text}"`,
    );
  }
  return ms;
}

function port(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > MAX_PORT) {
    throw new UsageError(`--health-port: expected a port from 0 to ${MAX_PORT}, found "${text}"`);
  }
  return number;
}

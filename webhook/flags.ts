/** Reads the command line. Ambient settings are no part of it: what is not said here is not used. */
import { parseArgs } from 'node:util';

export interface Flags {
  kubeconfig: string | undefined;
  context: string | undefined;
  databaseUrlFile: string | undefined;
  /** Serves this one alone. */
  namespace: string | undefined;
  host: string;
  port: number;
  metricsPort: number | undefined;
  uiDir: string | undefined;
  signInFile: string | undefined;
  welcomeFile: string | undefined;
  logLevel: string;
}

/** The command line is wrong; the message says which flag, what was found and what was expected. */
export class UsageError extends Error {}

export const USAGE = `usage: node webhook/main.ts [flags]
  --kubeconfig FILE         kubeconfig to use (default: the pod's service account)
  --context NAME            context in that kubeconfig (default: its current one)
  --database-url-file FILE  file that holds the URL of the history database (default: history is off)
  --namespace NAME          serve this namespace alone, with rights in it alone (default: all)
  --host ADDRESS            address to listen on (default 127.0.0.1)
  --port N                  port for pages, API and intake (default 8080)
  --metrics-port N          port for /metrics, /healthz and /readyz on the same address (default: none)
  --ui-dir DIR              the built pages (default: none)
  --sign-in-file FILE       one-time sign-in codes
  --welcome-file FILE       lines to copy that the first page shows
  --log-level LEVEL         fatal, error, warn, info, debug or trace (default info)
`;
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const TEXT = { type: 'string' } as const;

/** Throws UsageError. */
export function parseFlags(args: readonly string[]): Flags {
  const values = parse(args);
  for (const [name, value] of Object.entries(values)) {
    if (value === '') throw new UsageError(`--${name}: found nothing, expected a value`);
  }
  if (values.context !== undefined && values.kubeconfig === undefined) {
    throw new UsageError(
      '--context: expected --kubeconfig FILE beside it; ~/.kube/config and KUBECONFIG are never read',
    );
  }
  const logLevel = values['log-level'] ?? 'info';
  if (!LEVELS.includes(logLevel))
    throw new UsageError(`--log-level: found ${logLevel}, expected one of ${LEVELS.join(', ')}`);
  const metricsPort = values['metrics-port'];
  return {
    kubeconfig: values.kubeconfig,
    context: values.context,
    databaseUrlFile: values['database-url-file'],
    namespace: namespace(values.namespace),
    host: values.host ?? '127.0.0.1',
    port: port('port', values.port ?? '8080'),
    metricsPort: metricsPort === undefined ? undefined : port('metrics-port', metricsPort),
    uiDir: values['ui-dir'],
    signInFile: values['sign-in-file'],
    welcomeFile: values['welcome-file'],
    logLevel,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        kubeconfig: TEXT,
        context: TEXT,
        'database-url-file': TEXT,
        namespace: TEXT,
        host: TEXT,
        port: TEXT,
        'metrics-port': TEXT,
        'ui-dir': TEXT,
        'sign-in-file': TEXT,
        'welcome-file': TEXT,
        'log-level': TEXT,
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function namespace(name: string | undefined): string | undefined {
  if (name === undefined || NAMESPACE.test(name)) return name;
  throw new UsageError(`--namespace: found ${name}, expected the name of a namespace (a-z, 0-9 and -)`);
}

function port(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535)
    throw new UsageError(`--${flag}: found ${text}, expected a port from 0 to 65535`);
  return value;
}

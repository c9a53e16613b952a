/** The command lines of `leave` and `restore`. Promises a clear refusal of anything that they do not know. */
import { parseArgs } from 'node:util';
import { parseDuration } from '@funnelai/domain/instants';
import { checkNamespace, UsageError } from '../flags.ts';

interface Common {
  kubeconfig?: string;
  context?: string;
  databaseUrlFile?: string;
  help: boolean;
}
export interface LeaveFlags extends Common {
  command: 'leave';
  /** Leave this one alone. */
  namespace?: string;
  leaseNamespace: string;
  waive: boolean;
  waitMs: number;
}
export interface RestoreFlags extends Common {
  command: 'restore';
  dryRun: boolean;
}

export const COMMANDS = ['leave', 'restore'] as const;
export type CommandName = (typeof COMMANDS)[number];
export const isCommand = (text: string | undefined): text is CommandName => COMMANDS.some((name) => name === text);

const CONNECTION = `  --kubeconfig FILE         kubeconfig to read; without it, the pod's service account
  --context NAME            context of that file; default: its current-context
  --database-url-file FILE  file that holds the URL of Postgres`;

export const COMMAND_USAGE: Record<CommandName, string> = {
  leave: `funnelAI operator, leave: makes the cluster free of what would hold an uninstall. Stop every operator first.

${CONNECTION}
  --namespace NAME          leave this namespace alone, with rights in it alone: for an operator that works with --namespace
  --lease-namespace NAME    where the leader's Lease lives (funnel-system; with --namespace: there)
  --wait TIME               how long Postgres may take to get what it lacks (60s)
  --waive                   give up what Postgres does not get; without --database-url-file, all of it

Ends with 0 when no incident has the finalizer any more, with 1 when some do.
`,
  restore: `funnelAI operator, restore: makes the incidents that were not closed anew, in an empty cluster, from Postgres.

${CONNECTION}
  --dry-run                 only say what would be restored

Ends with 0 when all are there, with 1 when some are not, and says why.
`,
};

/** @throws UsageError naming the flag, what was found and what was expected. */
export function parseCommand(command: CommandName, args: string[]): LeaveFlags | RestoreFlags {
  const values = parsed(command, args);
  if (values.context !== undefined && values.kubeconfig === undefined) {
    throw new UsageError('--context names a context of a kubeconfig: give --kubeconfig FILE too');
  }
  const help = values.help ?? false;
  const common: Common = { help };
  if (values.kubeconfig !== undefined) common.kubeconfig = values.kubeconfig;
  if (values.context !== undefined) common.context = values.context;
  if (values['database-url-file'] !== undefined) common.databaseUrlFile = values['database-url-file'];
  if (command === 'restore') {
    if (!help && common.databaseUrlFile === undefined) {
      throw new UsageError('--database-url-file: expected the file with the URL of the Postgres to restore from');
    }
    return { command, ...common, dryRun: values['dry-run'] ?? false };
  }
  const waive = values.waive ?? false;
  if (!help && !waive && common.databaseUrlFile === undefined) {
    throw new UsageError('--database-url-file or --waive: expected where history goes, or that it is given up');
  }
  for (const flag of ['namespace', 'lease-namespace'] as const) checkNamespace(flag, values[flag]);
  const { namespace } = values;
  return {
    command,
    ...common,
    waive,
    ...(namespace !== undefined && { namespace }),
    leaseNamespace: values['lease-namespace'] ?? namespace ?? 'funnel-system',
    waitMs: duration(values.wait ?? '60s'),
  };
}

function parsed(command: CommandName, args: string[]) {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  const own =
    command === 'leave' ? { namespace: text, 'lease-namespace': text, wait: text, waive: yes } : { 'dry-run': yes };
  const options = { kubeconfig: text, context: text, 'database-url-file': text, help: { ...yes, short: 'h' }, ...own };
  try {
    return parseArgs({ args, strict: true, allowPositionals: false, options }).values as {
      [flag in 'kubeconfig' | 'context' | 'database-url-file' | 'namespace' | 'lease-namespace' | 'wait']?: string;
    } & { [flag in 'help' | 'waive' | 'dry-run']?: boolean };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new UsageError(`--wait: expected a time such as 60s or 5m, found "${text}"`);
  }
}

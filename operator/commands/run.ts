/** Runs `leave` and `restore` from the command line: connects, works, and says in lines for people what came of it. */
import { restorableIncidents } from '@funnelai/history/restorable';
import { systemClock } from '@funnelai/kube/clock';
import { processIdentity } from '@funnelai/kube/leader';
import { createLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { connect, openHistory, stopSignal } from '../connect.ts';
import { COMMAND_USAGE, type CommandName, type LeaveFlags, parseCommand, type RestoreFlags } from './flags.ts';
import { type LeaveReport, leave } from './leave.ts';
import { RESTORED_CHANGES, type RestoreReport, restore } from './restore.ts';

const STOP_DEADLINE_MS = 20_000;
/** Of more than these only the number is said. */
const MAX_NAMED = 50;

/** @returns the exit code: 0 when nothing is left to do, 1 when something is, and what was said. */
export async function runCommand(command: CommandName, args: string[]): Promise<number> {
  const flags = parseCommand(command, args);
  if (flags.help) {
    process.stdout.write(COMMAND_USAGE[command]);
    return 0;
  }
  const log = createLog('operator', 'warn');
  const signal = stopSignal(log, STOP_DEADLINE_MS);
  const registry = createRegistry();
  const { client, leaseClient } = await connect(flags, registry, log);
  const history = openHistory(flags, log);
  const common = { client, clock: systemClock, log, signal };
  try {
    if (flags.command === 'restore') {
      if (history === undefined) throw new Error('restore needs a database');
      const restorable = restorableIncidents(history.pool, RESTORED_CHANGES);
      return sayRestored(flags, await restore({ ...common, restorable, dryRun: flags.dryRun }));
    }
    const mirror = history === undefined ? {} : { openMirror: history.openMirror };
    return sayLeft(flags, await leave({ ...common, ...flags, ...mirror, registry, instance: processIdentity() }));
  } finally {
    await Promise.all([history?.close(), client.close(), leaseClient.close()]);
  }
}

function sayLeft({ waive }: LeaveFlags, { mirrored, waived, held }: LeaveReport): number {
  say(`${mirrored.length} incidents let go, with all of their history in Postgres`);
  sayEach(`${waived.length} incidents let go, and this of their history given up:`, waived);
  sayEach(`${held.length} incidents still have the finalizer:`, held);
  if (held.length === 0) {
    say('nothing holds an uninstall any more; declare no incident until it is done, or run this again');
    return 0;
  }
  if (!waive) say('bring Postgres back and run it again, or give that history up with --waive');
  return 1;
}

function sayRestored({ dryRun }: RestoreFlags, { restored, there, failed }: RestoreReport): number {
  say(`${restored.length} incidents ${dryRun ? 'would be' : 'were'} restored, ${there.length} were there already`);
  sayEach(`${failed.length} were not:`, failed);
  return failed.length === 0 ? 0 : 1;
}

function sayEach(title: string, list: readonly { incident: string; because: string }[]): void {
  if (list.length === 0) return;
  say(title);
  for (const { incident, because } of list.slice(0, MAX_NAMED)) say(`  ${incident}: ${because}`);
  if (list.length > MAX_NAMED) say(`  and ${list.length - MAX_NAMED} more`);
}

const say = (line: string) => process.stdout.write(`${line}\n`);

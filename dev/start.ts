/**
 * `npm start`: a whole funnelAI on this machine, or on the cluster and database that were named. Wires the parts together,
 * keeps them running, says where everything is, and leaves nothing behind when it ends.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watchAncestors } from './process/ancestors.ts';
import { Fault } from './process/fault.ts';
import { endOfTalk, sayToTerminal } from './process/say.ts';
import { flagsFromNpm, parseFlags, USAGE } from './start/flags.ts';
import { runInstallation } from './start/installation.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

// A terminal that was closed must not end us before we have ended our children.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  const flags = parseFlags(
    [...flagsFromNpm(process.env), ...process.argv.slice(2)],
    process.env.FUNNELAI_CALLED_FROM ?? process.cwd(),
  );
  if (flags === 'help') {
    sayToTerminal(USAGE);
    process.exit(0);
  }
  const installation = runInstallation({
    root: ROOT,
    directory: flags.dataDirectory ?? join(ROOT, '.funnelai'),
    flags,
    say: sayToTerminal,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => installation.stop(`received ${signal}`));
  watchAncestors(process.env.FUNNELAI_ANCESTORS, () => installation.stop('npm, which started this, is gone'));
  const code = await installation.ended;
  endOfTalk();
  process.exit(code);
} catch (error) {
  console.error(error instanceof Fault ? `npm start: ${error.message}` : error);
  process.exit(1);
}

/** `npm run check`: everything that can be told about the sources without running them. Runs all, reports each. */
import { fileURLToPath } from 'node:url';
import { runChecks } from './checks/run.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = (await runChecks(ROOT, (line) => console.log(line))).failed > 0 ? 1 : 0;

/**
 * Writes crds/generated/ from crds/*.yaml. With `--check` it writes nothing, names every file that has drifted and exits 1.
 * The YAML is the truth; nothing here may say more than it does.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { renderJsonSchema } from './json-schema.ts';
import { readKind } from './schema.ts';
import { renderTypes } from './typescript.ts';
import { renderSchemas } from './zod.ts';

/** Plurals of all kinds, in the order in which they appear in the generated files. */
export const PLURALS = ['alertsources', 'alerts', 'correlationrules', 'incidents'];

/** Returns what the generated files must hold: path below `directory` → text. */
export function render(directory: string): Map<string, string> {
  const kinds = PLURALS.map((plural) => readKind(pathToFileURL(join(directory, '/')), plural));
  return new Map([
    ['generated/types.ts', renderTypes(kinds)],
    ['generated/schemas.ts', renderSchemas(kinds)],
    ...kinds.map((kind): [string, string] => [
      `generated/json-schema/${kind.kind.toLowerCase()}.json`,
      renderJsonSchema(kind),
    ]),
  ]);
}

/** Files below `directory`/generated that should not be there: a kind that went leaves none behind. */
function strays(directory: string, expected: Map<string, string>): string[] {
  const root = join(directory, 'generated');
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => !expected.has(path));
}

/** Returns the generated files whose text on disk is not what the YAML says: missing, changed or left over. */
export function drifted(directory: string): string[] {
  const expected = render(directory);
  const changed = [...expected].filter(([path, text]) => {
    const file = join(directory, path);
    return !existsSync(file) || readFileSync(file, 'utf8') !== text;
  });
  return [...changed.map(([path]) => path), ...strays(directory, expected)];
}

/** Writes the files that have drifted, and returns their paths. */
export function generate(directory: string): string[] {
  const expected = render(directory);
  const paths = drifted(directory);
  for (const path of paths) {
    const file = join(directory, path);
    const text = expected.get(path);
    if (text === undefined) {
      rmSync(file);
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return paths;
}

function main(): number {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const directory = dirname(dirname(fileURLToPath(import.meta.url)));
  if (!values.check) {
    for (const path of generate(directory)) console.log(`crds/${path} written`);
    return 0;
  }
  const paths = drifted(directory);
  for (const path of paths) console.error(`crds/${path} is not what crds/*.yaml says: run \`npm run generate\``);
  return paths.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main();

/** Holds the import column of the architecture: what each folder may know of the others. */
import { posix } from 'node:path';
import { codeOf, type Finding, findAll, isCode, isTest, type Source } from './sources.ts';

const LIBRARIES = ['crds', 'domain', 'kube', 'history'];
const EVERYTHING = [...LIBRARIES, 'operator', 'webhook', 'ui', 'dev', 'test', 'bench'];

export const MAY_IMPORT: Record<string, string[]> = {
  crds: [],
  domain: ['crds'],
  kube: ['crds'],
  history: ['crds'],
  operator: LIBRARIES,
  webhook: LIBRARIES,
  ui: ['crds', 'domain'],
  dev: ['crds', 'kube', 'history'],
  test: EVERYTHING,
  bench: EVERYTHING,
};
/** What the rules stand on: pure libraries, and hashes. No I/O and no clock can come in by these. */
const PURE = /^(node:crypto|@bufbuild\/(re2|cel)|liquidjs|temporal-polyfill|croner|zod)(\/|$)/;
const RANDOM = /\brandom(?:UUID|Bytes|Int|FillSync)\b|\bMath\.random\b|\bgetRandomValues\b/g;
const SPECIFIER = /\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g;

function folderOf(path: string, specifier: string): string | undefined {
  const ours = /^@funnelai\/([^/]+)/.exec(specifier)?.[1];
  if (ours) return ours;
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  return target.split('/')[0];
}

export function checkImports(sources: Source[]): Finding[] {
  return sources.filter(isCode).flatMap((source) => {
    const { path } = source;
    const folder = path.split('/')[0] ?? '';
    const allowed = MAY_IMPORT[folder];
    if (!allowed) return [];
    const code = codeOf(source.text);
    const random =
      folder === 'domain' && !isTest(path)
        ? findAll(path, code, RANDOM, (match) => `${match[0]}: the same input gives the same answer`)
        : [];
    return random.concat(
      findAll(path, code, SPECIFIER, (match) => {
        const specifier = match[2] ?? '';
        const target = folderOf(path, specifier);
        if (target === undefined) {
          const isImpure = folder === 'domain' && !isTest(path) && !PURE.test(specifier);
          return isImpure ? `domain/ holds pure rules and may not import ${specifier}` : undefined;
        }
        if (specifier.startsWith('.') && target !== folder) {
          return `imports ${specifier}: across folders it is @funnelai/${target}/…`;
        }
        // A test stands on the harness and may look at any part that it tries.
        if (target === folder || isTest(path) || allowed.includes(target)) return undefined;
        return `${folder}/ may import ${allowed.length > 0 ? allowed.join(', ') : 'none of our folders'}, found ${specifier}`;
      }),
    );
  });
}

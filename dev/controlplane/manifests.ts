/**
 * What a folder of kustomize would apply, read from its files alone: shown to a person before anything is asked of a cluster.
 * kubectl cannot be asked, for some that distributions wrap ask the server for its version whatever they are to do.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

interface Kustomization {
  resources?: string[];
  components?: string[];
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
}

function manifestsOf(path: string): Manifest[] {
  if (statSync(path).isDirectory()) {
    const { resources = [], components = [] } = parse(
      readFileSync(join(path, 'kustomization.yaml'), 'utf8'),
    ) as Kustomization;
    return [...resources, ...components].flatMap((entry) => manifestsOf(join(path, entry)));
  }
  return parseAllDocuments(readFileSync(path, 'utf8'))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** One `Kind namespace/name` each, in no order that matters. */
export function manifestsIn(folder: string): string[] {
  return manifestsOf(folder).map(
    ({ kind, metadata: { name, namespace } }) => `${kind} ${namespace ? `${namespace}/` : ''}${name}`,
  );
}

/** Which parts of the schemas have a name of their own in TypeScript, and what that name is. */
import type { Kind, Schema } from './schema.ts';

/** Enumerations that several kinds share: found by their values. */
export const ENUMS: Readonly<Record<string, readonly string[]>> = {
  Severity: ['Critical', 'High', 'Medium', 'Low', 'Info'],
  Priority: ['P1', 'P2', 'P3', 'P4', 'P5'],
  Phase: ['Detection', 'Response', 'Mitigation', 'Resolution', 'Postmortem', 'Closed'],
  LinkKind: ['Runbook', 'Dashboard', 'Ticket', 'Chat', 'Graph', 'Trace', 'Change', 'Silence', 'Source', 'Other'],
};

/** Returns the shared name of an enumeration, if it has one. */
export function enumName(values: readonly string[]): string | undefined {
  return Object.keys(ENUMS).find((name) => ENUMS[name]?.join() === values.join());
}

/** A named object type, and where in the kind's schema it stands. */
export interface Declaration {
  name: string;
  path: string;
  schema: Schema;
}

/** Objects that get an interface of their own, in the order in which they are declared. */
export function declarationsOf({ kind, schema }: Kind): Declaration[] {
  const declarations: Declaration[] = [];
  const spec = schema.properties?.spec;
  const status = schema.properties?.status;
  if (spec) declarations.push({ name: `${kind}Spec`, path: '.spec', schema: spec });
  const changes = status?.properties?.changes?.items;
  if (changes) declarations.push({ name: `${kind}Change`, path: '.status.changes[]', schema: changes });
  if (status) declarations.push({ name: `${kind}Status`, path: '.status', schema: status });
  return declarations;
}

/** The name under which the object at `path` is declared, if it is; a list of conditions has the one that all kinds share. */
export function objectName(path: string, declarations: readonly Declaration[]): string | undefined {
  if (path === '.status.conditions[]') return 'Condition';
  return declarations.find((declaration) => declaration.path === path)?.name;
}

/** `AlertSpec` → `alertSpecSchema`. */
export function zodName(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}Schema`;
}

export const HEADER = '// Generated from crds/*.yaml by crds/generate/main.ts. Do not edit: run `npm run generate`.\n';

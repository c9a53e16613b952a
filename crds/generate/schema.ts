/** Reads a CRD's YAML into the few facts that types, zod schemas and JSON Schemas are made from. Refuses what it does not understand. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export interface Schema {
  type: 'object' | 'string' | 'integer' | 'boolean' | 'array';
  description?: string | undefined;
  format?: string | undefined;
  default?: unknown;
  enum?: string[] | undefined;
  minLength?: number | undefined;
  maxLength?: number | undefined;
  pattern?: string | undefined;
  minimum?: number | undefined;
  maximum?: number | undefined;
  minItems?: number | undefined;
  maxItems?: number | undefined;
  maxProperties?: number | undefined;
  required?: string[] | undefined;
  items?: Schema | undefined;
  properties?: Record<string, Schema> | undefined;
  additionalProperties?: Schema | undefined;
  'x-kubernetes-list-type'?: string | undefined;
  'x-kubernetes-list-map-keys'?: string[] | undefined;
  'x-kubernetes-map-type'?: string | undefined;
  'x-kubernetes-validations'?: Rule[] | undefined;
}

export interface Rule {
  rule: string;
  message?: string | undefined;
  messageExpression?: string | undefined;
  fieldPath?: string | undefined;
  optionalOldSelf?: boolean | undefined;
}

/** One kind of the API: what its file says. */
export interface Kind {
  /** The file's name without `.yaml`, which is the kind's plural. */
  plural: string;
  kind: string;
  schema: Schema;
}

const rule = z.strictObject({
  rule: z.string(),
  message: z.string().optional(),
  messageExpression: z.string().optional(),
  fieldPath: z.string().optional(),
  optionalOldSelf: z.boolean().optional(),
});

// Strict: a keyword that the generator does not carry over would be enforced by the API server and by nothing else.
const schema: z.ZodType<Schema> = z.lazy(() =>
  z.strictObject({
    type: z.enum(['object', 'string', 'integer', 'boolean', 'array']),
    description: z.string().optional(),
    format: z.enum(['date-time', 'int32', 'int64']).optional(),
    default: z.unknown().optional(),
    enum: z.array(z.string()).optional(),
    minLength: z.number().optional(),
    maxLength: z.number().optional(),
    pattern: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
    maxProperties: z.number().optional(),
    required: z.array(z.string()).optional(),
    items: schema.optional(),
    properties: z.record(z.string(), schema).optional(),
    additionalProperties: schema.optional(),
    'x-kubernetes-list-type': z.enum(['atomic', 'set', 'map']).optional(),
    'x-kubernetes-list-map-keys': z.array(z.string()).optional(),
    'x-kubernetes-map-type': z.enum(['atomic', 'granular']).optional(),
    'x-kubernetes-validations': z.array(rule).optional(),
  }),
);

const crd = z.looseObject({
  kind: z.literal('CustomResourceDefinition'),
  spec: z.looseObject({
    names: z.looseObject({ plural: z.string(), kind: z.string() }),
    versions: z.tuple([z.looseObject({ name: z.literal('v1alpha1'), schema: z.object({ openAPIV3Schema: schema }) })]),
  }),
});

/** Parses the text of a CRD file. Throws an Error that names the file and the place when it holds something unknown. */
export function parseKind(plural: string, text: string): Kind {
  const result = crd.safeParse(parse(text));
  if (!result.success)
    throw new Error(`${plural}.yaml: expected a CRD of this project:\n${z.prettifyError(result.error)}`);
  const { names, versions } = result.data.spec;
  if (names.plural !== plural) throw new Error(`${plural}.yaml: its plural is ${names.plural}; name the file after it`);
  return { plural, kind: names.kind, schema: versions[0].schema.openAPIV3Schema };
}

/** Reads `<directory>/<plural>.yaml`. */
export function readKind(directory: URL, plural: string): Kind {
  return parseKind(plural, readFileSync(new URL(`${plural}.yaml`, directory), 'utf8'));
}

/** A regular expression that a string must match, and what to say when it does not. */
export interface TextPattern {
  pattern: string;
  message?: string;
}

/** The patterns of a string: the keyword's, and those of rules of the form `self.matches('…')`, which carry a message for people. */
export function patternsOf(node: Schema): TextPattern[] {
  const patterns: TextPattern[] = node.pattern === undefined ? [] : [{ pattern: node.pattern }];
  for (const { rule, message } of node['x-kubernetes-validations'] ?? []) {
    const found = /^self\.matches\('([^']*)'\)$/.exec(rule)?.[1];
    if (found === undefined) continue;
    // Inside a CEL string literal a backslash is written twice.
    const pattern = found.replaceAll('\\\\', '\\');
    patterns.push(message === undefined ? { pattern } : { pattern, message });
  }
  return patterns;
}

/** Bounds on the keys of a map, from its rule `self.all(k, k.size() >= MIN && k.size() <= MAX)`. */
export function keyBoundsOf(node: Schema): { min: number; max: number } | undefined {
  for (const { rule } of node['x-kubernetes-validations'] ?? []) {
    const found = /^self\.all\(k, k\.size\(\) >= (\d+) && k\.size\(\) <= (\d+)\)$/.exec(rule);
    if (found) return { min: Number(found[1]), max: Number(found[2]) };
  }
  return undefined;
}

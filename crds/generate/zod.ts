/**
 * Writes zod schemas that refuse what the API server's schema refuses for one object: types, bounds, patterns, map keys. Rules
 * over several fields or over the stored object stay the API server's alone. Unknown fields pass and are kept.
 */
import { type Declaration, declarationsOf, ENUMS, enumName, HEADER, objectName, zodName } from './names.ts';
import { type Kind, keyBoundsOf, patternsOf, type Schema } from './schema.ts';

const text = (value: unknown): string => JSON.stringify(value);

const PRELUDE = `
// The API server counts characters, JavaScript's length counts UTF-16 units: an emoji is one of the former, two of the latter.
const characters = (value: string): number => {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
};
const bounded = (min: number, max: number) =>
  z
    .string()
    .refine((value) => value.length >= min, { error: \`expected at least \${min} characters\`, abort: true })
    .refine((value) => value.length <= max || characters(value) <= max, { error: \`expected at most \${max} characters\`, abort: true });
`;

function zodOf(node: Schema, path: string, indent: string, declarations: readonly Declaration[]): string {
  if (node.enum) {
    const name = enumName(node.enum);
    return name ? zodName(name) : `z.enum([${node.enum.map((value) => text(value)).join(', ')}])`;
  }
  switch (node.type) {
    case 'string':
      return zodString(node);
    case 'integer':
      return `z.int()${node.minimum === undefined ? '' : `.min(${node.minimum})`}${node.maximum === undefined ? '' : `.max(${node.maximum})`}`;
    case 'boolean':
      return 'z.boolean()';
    case 'array': {
      if (!node.items) throw new Error(`${path}: a list needs items`);
      const min = node.minItems === undefined ? '' : `.min(${node.minItems})`;
      const max = node.maxItems === undefined ? '' : `.max(${node.maxItems})`;
      return `z.array(${zodOf(node.items, `${path}[]`, indent, declarations)})${min}${max}`;
    }
    case 'object': {
      const name = objectName(path, declarations);
      if (name) return zodName(name);
      return node.additionalProperties
        ? zodMap(node, node.additionalProperties, path, indent, declarations)
        : objectOf(node, path, indent, declarations);
    }
  }
}

function zodString(node: Schema): string {
  if (node.format === 'date-time') return 'z.iso.datetime({ offset: true })';
  const bound =
    node.minLength === undefined && node.maxLength === undefined
      ? 'z.string()'
      : `bounded(${node.minLength ?? 0}, ${node.maxLength ?? 'Number.POSITIVE_INFINITY'})`;
  const patterns = patternsOf(node).map(({ pattern, message }) => {
    const error = message === undefined ? '' : `, { error: ${text(message)} }`;
    return `.regex(new RegExp(${text(pattern)}, 'u')${error})`;
  });
  return bound + patterns.join('');
}

function zodMap(
  node: Schema,
  value: Schema,
  path: string,
  indent: string,
  declarations: readonly Declaration[],
): string {
  const keys = keyBoundsOf(node);
  const key = keys ? `bounded(${keys.min}, ${keys.max})` : 'z.string()';
  const record = `z.record(${key}, ${zodOf(value, `${path}{}`, indent, declarations)})`;
  if (node.maxProperties === undefined) return record;
  return `${record}.refine((map) => Object.keys(map).length <= ${node.maxProperties}, { error: 'expected at most ${node.maxProperties} entries' })`;
}

function objectOf(node: Schema, path: string, indent: string, declarations: readonly Declaration[]): string {
  const inner = `${indent}  `;
  const fields = Object.entries(node.properties ?? {}).map(([key, child]) => {
    const field = zodOf(child, `${path}.${key}`, inner, declarations);
    return `${inner}${key}: ${node.required?.includes(key) ? field : `z.exactOptional(${field})`},\n`;
  });
  return `z.looseObject({\n${fields.join('')}${indent}})`;
}

function kindSchemas(kind: Kind): string {
  const declarations = declarationsOf(kind);
  const parts = [...declarations]
    // A schema is a value: it must stand before it is used, and the list's item is used by the status.
    .map(({ name, path, schema }) => {
      const body = objectOf(schema, path, '', declarations);
      return `export const ${zodName(name)}: z.ZodType<${name}> = ${body};\n`;
    });
  const whole =
    `export const ${zodName(kind.kind)}: z.ZodType<${kind.kind}> = z.looseObject({\n` +
    `  apiVersion: z.literal(API_VERSION),\n  kind: z.literal('${kind.kind}'),\n  metadata: objectMetaSchema,\n` +
    `  spec: ${zodName(`${kind.kind}Spec`)},\n  status: z.exactOptional(${zodName(`${kind.kind}Status`)}),\n});\n`;
  return [...parts, whole].join('\n');
}

/** Returns the text of `generated/schemas.ts`. */
export function renderSchemas(kinds: readonly Kind[]): string {
  const names = kinds.flatMap((kind) => [kind.kind, ...declarationsOf(kind).map(({ name }) => name)]).sort();
  const conditions = kinds[0]?.schema.properties?.status?.properties?.conditions?.items;
  if (!conditions) throw new Error('expected the first kind to have status.conditions');
  const enums = Object.entries(ENUMS).map(
    ([name, values]) => `export const ${zodName(name)} = z.enum([${values.map((value) => text(value)).join(', ')}]);\n`,
  );
  return [
    `${HEADER}import { z } from 'zod';\nimport { API_VERSION, type Condition, type ObjectMeta } from '../meta.ts';\n` +
      `import type {\n${names.map((name) => `  ${name},\n`).join('')}} from './types.ts';\n${PRELUDE}`,
    enums.join(''),
    `export const conditionSchema: z.ZodType<Condition> = ${objectOf(conditions, '', '', [])};\n`,
    '/** What the API server checks in metadata is its own affair: here only that there is a name. */\n' +
      'export const objectMetaSchema: z.ZodType<ObjectMeta> = z.looseObject({ name: z.string().min(1) });\n',
    ...kinds.map(kindSchemas),
  ].join('\n');
}

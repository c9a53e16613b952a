/** Writes the TypeScript types of all kinds. Bounds are in the comments only: types cannot hold them. */
import { type Declaration, declarationsOf, ENUMS, enumName, HEADER, objectName } from './names.ts';
import type { Kind, Schema } from './schema.ts';

const quote = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const comment = (node: Schema, indent: string): string =>
  node.description ? `${indent}/** ${node.description.replaceAll('*/', '*\\/')} */\n` : '';

function typeOf(node: Schema, path: string, indent: string, declarations: readonly Declaration[]): string {
  if (node.enum) return enumName(node.enum) ?? node.enum.map(quote).join(' | ');
  switch (node.type) {
    case 'string':
      return 'string';
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array': {
      if (!node.items) throw new Error(`${path}: a list needs items`);
      const item = typeOf(node.items, `${path}[]`, indent, declarations);
      return item.includes(' | ') && !item.startsWith('{') ? `(${item})[]` : `${item}[]`;
    }
    case 'object': {
      const name = objectName(path, declarations);
      if (name) return name;
      if (node.additionalProperties) {
        return `Record<string, ${typeOf(node.additionalProperties, `${path}{}`, indent, declarations)}>`;
      }
      return bodyOf(node, path, indent, declarations);
    }
  }
}

function bodyOf(node: Schema, path: string, indent: string, declarations: readonly Declaration[]): string {
  const inner = `${indent}  `;
  const fields = Object.entries(node.properties ?? {}).map(([key, child]) => {
    const optional = node.required?.includes(key) ? '' : '?';
    return `${comment(child, inner)}${inner}${key}${optional}: ${typeOf(child, `${path}.${key}`, inner, declarations)};\n`;
  });
  return `{\n${fields.join('')}${indent}}`;
}

function kindTypes(kind: Kind): string {
  const declarations = declarationsOf(kind);
  const head =
    `${comment(kind.schema, '')}export interface ${kind.kind} extends KubeObject {\n` +
    `  kind: '${kind.kind}';\n  spec: ${kind.kind}Spec;\n  status?: ${kind.kind}Status;\n}\n`;
  const rest = declarations.map(
    ({ name, path, schema }) =>
      `${comment(schema, '')}export interface ${name} ${bodyOf(schema, path, '', declarations)}\n`,
  );
  return [head, ...rest].join('\n');
}

/** Returns the text of `generated/types.ts`. */
export function renderTypes(kinds: readonly Kind[]): string {
  const enums = Object.entries(ENUMS).map(
    ([name, values]) => `export type ${name} = ${values.map(quote).join(' | ')};\n`,
  );
  return [
    `${HEADER}import type { Condition, KubeObject } from '../meta.ts';\n`,
    enums.join(''),
    ...kinds.map(kindTypes),
  ].join('\n');
}

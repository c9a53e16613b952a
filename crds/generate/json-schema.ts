/** Writes one JSON Schema (2020-12) per kind, for editors: what a person may write, with the descriptions that kubectl explain prints. */
import { type Kind, keyBoundsOf, patternsOf, type Schema } from './schema.ts';

const COPIED = [
  'description',
  'default',
  'enum',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
] as const;

function convert(node: Schema): Record<string, unknown> {
  const out: Record<string, unknown> = { type: node.type };
  for (const keyword of COPIED) if (node[keyword] !== undefined) out[keyword] = node[keyword];
  if (node.format === 'date-time') out.format = node.format;
  const patterns = patternsOf(node).map(({ pattern }) => pattern);
  if (patterns.length === 1) out.pattern = patterns[0];
  if (patterns.length > 1) out.allOf = patterns.map((pattern) => ({ pattern }));
  const keys = keyBoundsOf(node);
  if (keys) out.propertyNames = { minLength: keys.min, maxLength: keys.max };
  if (node['x-kubernetes-list-type'] === 'set') out.uniqueItems = true;
  if (node.items) out.items = convert(node.items);
  if (node.additionalProperties) out.additionalProperties = convert(node.additionalProperties);
  if (node.properties) {
    out.properties = Object.fromEntries(Object.entries(node.properties).map(([key, child]) => [key, convert(child)]));
    // The API server drops fields that it does not know, with a warning; an editor should say so first.
    out.additionalProperties = false;
  }
  return out;
}

/** Returns the text of `generated/json-schema/<kind>.json`. */
export function renderJsonSchema(kind: Kind): string {
  const { properties = {}, ...rest } = convert(kind.schema);
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://funnelai.dev/schemas/v1alpha1/${kind.kind.toLowerCase()}.json`,
    title: kind.kind,
    ...rest,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      ...(properties as Record<string, unknown>),
      apiVersion: { const: 'funnelai.dev/v1alpha1', description: kind.schema.properties?.apiVersion?.description },
      kind: { const: kind.kind, description: kind.schema.properties?.kind?.description },
      metadata: { type: 'object', description: 'Name, namespace, labels and annotations.' },
    },
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

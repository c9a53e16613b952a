/**
 * What the API server would refuse of an Alert: the bounds of the generated schema, and every rule of crds/alerts.yaml by CEL itself, as
 * the API server evaluates them. Knows nothing of rights, quotas and admission.
 */

import { create } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { readKind, type Schema } from '@funnelai/crds/generate/schema';
import { alertSpecSchema } from '@funnelai/crds/generated/schemas';
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { type CelExpression, type CelInput, compileCel, EVALUATION_COST } from '@funnelai/domain/cel';
import { parseInstant } from '@funnelai/domain/instants';

const SPEC = readKind(new URL('../../crds/', import.meta.url), 'alerts').schema.properties?.spec;
const VARIABLES = new Set(['self', 'oldSelf']);
const compiled = new Map<string, CelExpression>();

/** Returns one line for each refusal: of the object as it is created, or as it is written over `old`. */
export function refusalsOf(spec: AlertSpec, old?: AlertSpec): string[] {
  const parsed = alertSpecSchema.safeParse(spec);
  const bounds = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return [...bounds, ...(SPEC === undefined ? ['spec: no schema'] : broken(SPEC, spec, old, 'spec'))];
}

function broken(node: Schema, value: unknown, old: unknown, path: string): string[] {
  const own = (node['x-kubernetes-validations'] ?? []).flatMap(({ rule, message }) => {
    const isTransition = /\boldSelf\b/.test(rule);
    if (isTransition && old === undefined) return [];
    const expression = compiled.get(rule) ?? compileCel(rule, VARIABLES);
    compiled.set(rule, expression);
    const variables = { self: celOf(node, value), ...(isTransition ? { oldSelf: celOf(node, old) } : {}) };
    const outcome = expression.evaluate(variables, { left: EVALUATION_COST });
    if (!('value' in outcome)) return [`${path}: ${rule}: ${JSON.stringify(outcome)}`];
    return outcome.value === true ? [] : [`${path}: ${message ?? rule}`];
  });
  return [
    ...own,
    ...childrenOf(node, value, old).flatMap(([name, child, held, before]) =>
      broken(child, held, before, `${path}.${name}`),
    ),
  ];
}

function childrenOf(
  node: Schema,
  value: unknown,
  old: unknown,
): [name: string, node: Schema, held: unknown, old: unknown][] {
  if (Array.isArray(value)) {
    const { items } = node;
    // Lists are atomic: their elements have no past.
    return items === undefined ? [] : value.map((held, i) => [String(i), items, held, undefined]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, held]): [string, Schema, unknown, unknown][] => {
    const child = node.properties?.[name] ?? node.additionalProperties;
    const before =
      typeof old === 'object' && old !== null ? Object.entries(old).find(([one]) => one === name)?.[1] : undefined;
    return child === undefined || held === undefined ? [] : [[name, child, held, before]];
  });
}

/** As CEL sees it in Kubernetes: times are timestamps, whole numbers are integers. */
function celOf(node: Schema | undefined, value: unknown): CelInput {
  if (Array.isArray(value)) return value.map((one) => celOf(node?.items, one));
  if (typeof value === 'object' && value !== null)
    return new Map(
      Object.entries(value)
        .filter(([, held]) => held !== undefined)
        .map(([name, held]) => [name, celOf(node?.properties?.[name] ?? node?.additionalProperties, held)]),
    );
  if (typeof value === 'number') return node?.type === 'integer' ? BigInt(value) : value;
  if (typeof value === 'boolean') return value;
  const text = String(value);
  const ns = node?.format === 'date-time' ? parseInstant(text)?.epochNanoseconds : undefined;
  if (ns === undefined) return text;
  const seconds = (ns - (((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n;
  return create(TimestampSchema, { seconds, nanos: Number(ns - seconds * 1_000_000_000n) });
}

/** What is wrong with an Alert in one point each, and the words of the refusal. */
export function refusedSpecs(spec: AlertSpec): [change: Partial<AlertSpec>, words: RegExp][] {
  const end = '2026-01-01T13:00:00.000000Z';
  return [
    [{ endsAt: end }, /endsAt goes with state Resolved only/],
    [{ state: 'Resolved', endsAt: '2026-01-01T11:59:59.999999Z' }, /cannot end before it began/],
    [{ state: 'Expired' }, /expired goes with state Expired/],
    [{ latestStartsAt: spec.startsAt }, /only when it is later/],
    [{ title: '' }, /title: expected at least 1/],
    [{ title: '🙂'.repeat(257) }, /title: expected at most 256/],
    [{ notes: [''] }, /notes.0: expected at least 1/],
    [{ labels: { '': 'x' } }, /1 to 256 characters/],
    [{ links: [{ title: 'x', url: 'ftp://x', kind: 'Other' }] }, /starts with http/],
    [{ folded: { count: 1, firing: 2, asOf: end } }, /firing and expired together are at most count/],
    [{ startsAt: 'yesterday' }, /startsAt/],
  ];
}

/** Flattens what is nested in a record into names with dots, within bounds; reads JSON that stands in a text. Never follows a prototype. */
import { parseWithDigits } from '@funnelai/domain/json-digits';
import { NESTED_JSON_CHARACTERS, RECORD_DEPTH, RECORD_FIELDS } from '../limits.ts';
import type { FieldValue } from './log-record.ts';
import { isRecord } from './values.ts';

/** Returns scalars under dotted names; lists, and what lies too deep, as JSON. Says in `reached` which bounds were. */
export function flattened(record: Record<string, unknown>, reached: Set<string>): Map<string, FieldValue> {
  const fields = new Map<string, FieldValue>();
  const walk = (value: Record<string, unknown>, prefix: string, depth: number): void => {
    for (const [key, held] of Object.entries(value)) {
      if (fields.size >= RECORD_FIELDS) {
        reached.add('RECORD_FIELDS');
        return;
      }
      const name = `${prefix}${key}`.toWellFormed();
      if (isRecord(held) && depth < RECORD_DEPTH) walk(held, `${name}.`, depth + 1);
      else {
        if (isRecord(held)) reached.add('RECORD_DEPTH');
        const scalar = scalarOf(held);
        if (scalar !== undefined && !fields.has(name)) fields.set(name, scalar);
      }
    }
  };
  walk(record, '', 0);
  return fields;
}

function scalarOf(value: unknown): FieldValue | undefined {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return value === null || value === undefined ? undefined : jsonText(value);
}

/** What is nested deeper than JSON can be written is said to be. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '…';
  }
}

/** Returns the object that a text holds as JSON, as log drivers wrap it; undefined for other texts. */
export function jsonIn(text: string): Record<string, unknown> | undefined {
  if (text.length > NESTED_JSON_CHARACTERS || !/^\s*\{/.test(text)) return undefined;
  try {
    const value: unknown = parseWithDigits(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

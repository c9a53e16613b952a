/** What alerts of one incident have in common, as one text: the same for the same values on every machine. Uses node:crypto. */
import { createHash } from 'node:crypto';
import type { AlertSpec } from '@funnelai/crds/generated/types';
import { utf8Bytes } from './bytes.ts';
import { type Labels, labelsFrom, labelValue } from './labels.ts';
import type { CompiledRule } from './rules.ts';

/** Past this a group key is its sha256. */
export const GROUP_KEY_MAX_BYTES = 512;
/** Stands for an alert that is a group of its own because it lacks a label. Not a label name that `groupBy` could name twice. */
const ALONE = 'alert';

export interface Group {
  groupKey: string;
  /** The group's labels and values, for titles and explanations. */
  group: Labels;
}

/** What a rule groups an alert by. */
export interface Grouping {
  /** In the order of groupBy. */
  pairs: readonly (readonly [label: string, value: string])[];
  /** It lacks a label for which the rule says that it is a group of its own then. */
  isAlone: boolean;
}

/**
 * Returns what the rule groups the alert by. A label that is missing is '' (Empty), or makes the alert a group of its own (Separate), or,
 * with NoMatch, makes this return undefined: the rule does not take the alert.
 */
export function groupingOf({ labels }: Pick<AlertSpec, 'labels'>, { groupBy }: CompiledRule): Grouping | undefined {
  const pairs: [string, string][] = [];
  let isAlone = false;
  for (const { label, missing } of groupBy) {
    const value = labelValue(labels, label);
    if (value === '' && missing === 'NoMatch') return undefined;
    if (value === '' && missing === 'Separate') isAlone = true;
    pairs.push([label, value]);
  }
  return { pairs, isAlone };
}

/** Returns the group: its key is canonical JSON, an array of [name, value]; who is alone has its name in it. What groups by nothing is one group. */
export function groupFrom({ pairs, isAlone }: Grouping, name: string): Group {
  const key = JSON.stringify(isAlone ? [...pairs, [ALONE, name]] : pairs);
  const isLong = utf8Bytes(key) > GROUP_KEY_MAX_BYTES;
  return {
    groupKey: isLong ? createHash('sha256').update(key, 'utf8').digest('hex') : key,
    group: labelsFrom(pairs),
  };
}

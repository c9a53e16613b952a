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

/**
 * Returns the group of an alert under a rule: canonical JSON, an array of [name, value] in groupBy order. A label that is
 * missing is '' (Empty), or makes the alert a group of its own by its name (Separate), or, with NoMatch, makes this return
 * undefined: the rule does not take the alert. A rule that groups by nothing has one group.
 */
export function groupOf(alert: AlertSpec, name: string, rule: CompiledRule): Group | undefined {
  const pairs: [string, string][] = [];
  let isAlone = false;
  for (const { label, missing } of rule.groupBy) {
    const value = labelValue(alert.labels, label);
    if (value === '' && missing === 'NoMatch') return undefined;
    if (value === '' && missing === 'Separate') isAlone = true;
    pairs.push([label, value]);
  }
  const group = labelsFrom(pairs);
  if (isAlone) pairs.push([ALONE, name]);
  const key = JSON.stringify(pairs);
  const isLong = utf8Bytes(key) > GROUP_KEY_MAX_BYTES;
  return { groupKey: isLong ? createHash('sha256').update(key, 'utf8').digest('hex') : key, group };
}

/** Reading label maps whose names strangers chose: `__proto__` and `constructor` are names like any other, and absent is ''. */

/** Labels as objects carry them. */
export type Labels = Record<string, string>;

/** Returns the value of a label of its own, or '' as Alertmanager does when it is absent. */
export function labelValue(labels: Labels | undefined, name: string): string {
  return labels !== undefined && Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

/** Returns a plain object with exactly these entries, later ones winning, also for a name such as `__proto__`. */
export function labelsFrom(entries: Iterable<readonly [string, string]>): Labels {
  return Object.fromEntries(entries);
}

/** Orders by UTF-16 code unit: the same on every machine and in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

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

/** Puts names in the order of `byCodeUnit`, in place. A handful is inserted one by one: `sort` makes arrays of its own, twice for each alert. */
export function sortNames(names: string[]): string[] {
  if (names.length > HANDFUL) return names.sort(byCodeUnit);
  for (let at = 1; at < names.length; at += 1) {
    const name = names[at] ?? '';
    let to = at;
    for (; to > 0 && (names[to - 1] ?? '') > name; to -= 1) names[to] = names[to - 1] ?? '';
    names[to] = name;
  }
  return names;
}
const HANDFUL = 24;

/** Orders by UTF-16 code unit: the same on every machine and in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Structural equality of JSON values, in which a key that holds undefined is no key. */

/** Returns true when both would be the same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => sameJson(value, b[i]))
    );
  }
  const entries = (o: object) => Object.entries(o).filter(([, value]) => value !== undefined);
  const [left, right] = [entries(a), new Map(entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)));
}

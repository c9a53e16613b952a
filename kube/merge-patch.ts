/** JSON merge patches (RFC 7386): what turns one value into another, and nothing more. Pure. */

/** The patch that turns `from` into `to`; undefined when they are the same. A list is replaced whole; a key that is undefined counts as absent. */
export function mergePatchBetween(from: unknown, to: unknown): unknown {
  if (!isRecord(from) || !isRecord(to)) return sameJson(from, to) ? undefined : to;
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [from[key], to[key]];
    if (after === undefined || after === null) {
      if (before !== undefined && before !== null) patch[key] = null;
      continue;
    }
    // What stands under a new key goes in whole, yet without the keys that are not there.
    const change = before === undefined || before === null ? after : mergePatchBetween(before, after);
    if (change !== undefined) patch[key] = change;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** True when both are the same JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => sameJson(v, b[i]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((k) => sameJson(a[k], b[k]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

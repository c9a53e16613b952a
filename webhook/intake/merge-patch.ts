/** The difference of two JSON objects as a merge patch (RFC 7396), safe for keys that strangers chose: `__proto__` is one like any other. */

type Json = Record<string, unknown>;

/** Returns what turns `from` into `to`: keys that are gone are null, lists are replaced whole; undefined counts as absent. */
export function mergePatchOf(from: object, to: object): Json {
  const before = from as Json;
  const after = to as Json;
  const patch: [string, unknown][] = [];
  for (const key of Object.keys(before)) {
    if (before[key] !== undefined && (!Object.hasOwn(after, key) || after[key] === undefined)) patch.push([key, null]);
  }
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isObject(value) && isObject(old)) {
      const inner = mergePatchOf(old, value);
      if (Object.keys(inner).length > 0) patch.push([key, inner]);
    } else if (JSON.stringify(old) !== JSON.stringify(value)) patch.push([key, value]);
  }
  return Object.fromEntries(patch);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

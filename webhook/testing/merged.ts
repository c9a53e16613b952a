/** What an API server makes of a merge patch (RFC 7396), for fakes of one. */
export function merged(held: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const next = new Map(Object.entries((held as object | undefined) ?? {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) next.delete(key);
    else next.set(key, merged(next.get(key), value));
  }
  return Object.fromEntries(next);
}

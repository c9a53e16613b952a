/** URLs of the Kubernetes API. A name that could change the path's meaning is refused here, so no caller can be led astray by input. */
import type { Resource } from '@funnelai/crds/meta';
import { KubeError } from './errors.ts';

export interface ObjectKey {
  namespace?: string | undefined;
  name: string;
}

/** `/api/v1` for the core group, else `/apis/<group>/<version>`. */
function root(r: Resource): string {
  return r.group === '' ? `/api/${r.version}` : `/apis/${r.group}/${r.version}`;
}

function segment(what: string, value: string): string {
  if (value === '' || value === '.' || value === '..' || value.length > 253 || /[/%\\?#\s]/.test(value)) {
    throw new KubeError({
      status: 400,
      reason: 'BadRequest',
      transient: false,
      message: `${what}: expected a name that can stand in a path of the API, found ${JSON.stringify(value.slice(0, 80))}`,
    });
  }
  return encodeURIComponent(value);
}

/** Path of a collection; of all namespaces when none is given. */
export function collectionPath(r: Resource, namespace?: string): string {
  if (!r.namespaced || namespace === undefined) return `${root(r)}/${r.plural}`;
  return `${root(r)}/namespaces/${segment('namespace', namespace)}/${r.plural}`;
}

/** Path of one object, or of its subresource. */
export function objectPath(r: Resource, key: ObjectKey, subresource?: string): string {
  if (r.namespaced && key.namespace === undefined) segment(`namespace of ${r.kind} ${key.name}`, '');
  const path = `${collectionPath(r, key.namespace)}/${segment(`name of a ${r.kind}`, key.name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** A query string of the values that are set, with its question mark; empty when none is. */
export function query(values: Record<string, string | number | boolean | undefined>): string {
  const search = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined) search.set(k, String(v));
  return search.size === 0 ? '' : `?${search}`;
}

/** `namespace/name`, or the name alone: the key of caches and queues. */
export function keyOf(object: { metadata: ObjectKey }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of {@link keyOf}. */
export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
